import { beforeAll, describe, expect, it } from 'vitest';
import {
  type FrameUnit,
  loadVisionEncoder,
  loadVisionOnDevice,
} from '../../../kernels/components/vision-encoder/index.ts';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { maxDifference, openCase } from '../../support/arrays.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

const { directory, integers, shape } = openCase('vision-encoder/pair');

function picture(n: number) {
  const name = `input.rgb.${n}`;
  const [height, width] = shape(name);
  return { width, height, data: Uint8Array.from(integers(name)) };
}

const [first, second] = [picture(0), picture(1)];
/** Of eight patches: three of these go through the layers together. */
const small = (width: number, height: number) => ({
  ...{ width, height },
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * width) % 251),
});
const work = (frames: FrameUnit, maxTokens = 0) => ({ frames, maxTokens });
const before = [work([first, second]), work([first], 4), work([small(56, 28)])];
const more = [work([small(28, 56)]), work([small(57, 28)]), work([second, first])];
const works = [...before, ...more];

describe.skipIf(NO_EMULATION !== null)('the vision encoder on an emulated device', () => {
  let addon: CudaAddon;
  let device: CudaDevice;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    device = new CudaDevice(addon);
  }, BUILD_MS);

  it('gives the tokens of the reference, and the same bits alone and together, in every order', () => {
    const expected = loadVisionEncoder(referenceOps, directory).step(works);
    const encoder = loadVisionOnDevice(referenceOps, directory, device);
    addon.seed?.(5);
    const together = encoder.step(works);
    for (const [i, { vectors, grid }] of together.entries()) {
      expect(grid).toEqual(expected[i].grid);
      expect(maxDifference(vectors, expected[i].vectors)).toBeLessThan(2e-5);
    }
    const single = loadVisionOnDevice(referenceOps, directory, device, { units: 1 });
    addon.seed?.(6);
    expect(single.step(works.slice(2, 4))).toEqual(together.slice(2, 4));
    addon.seed?.(7);
    expect(encoder.step([works[4], works[3], works[2]])).toEqual([together[4], together[3], together[2]]);
  });

  it('refuses what the reference refuses', () => {
    const encoder = loadVisionOnDevice(referenceOps, directory, device);
    expect(() => encoder.step([work([first], 3)])).toThrow(
      expect.objectContaining({ code: 'vision.max-tokens' }),
    );
    expect(() => encoder.step([work([{ ...first, width: 1 }])])).toThrow(/vision|picture/);
    expect(encoder.step([])).toEqual([]);
  });
});
