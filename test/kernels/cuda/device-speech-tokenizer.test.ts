import { beforeAll, describe, expect, it } from 'vitest';
import {
  loadSpeechTokenizer,
  loadTokenizerOnDevice,
} from '../../../kernels/components/speech-tokenizer/index.ts';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { openCase } from '../../support/arrays.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

const { directory, floats, integers } = openCase('speech-tokenizer/odd-length');
const samples = floats('input.samples');

describe.skipIf(NO_EMULATION !== null)('the speech tokenizer on an emulated device', () => {
  let addon: CudaAddon;
  let device: CudaDevice;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    device = new CudaDevice(addon);
  }, BUILD_MS);

  it('gives the codes of the reference, whatever came before, in every order', () => {
    const all = samples.length;
    const tokenizer = loadTokenizerOnDevice(referenceOps, directory, device, { maxSamples: all });
    const expected = loadSpeechTokenizer(referenceOps, directory);
    for (const [n, length] of [all, 960, 3000].entries()) {
      addon.seed?.(50 + n);
      const codes = tokenizer.encode(samples.subarray(0, length));
      expect(codes).toEqual(expected.encode(samples.subarray(0, length)));
      if (length === all) expect(codes.codes).toEqual(integers('output.codes'));
    }
    expect(tokenizer.encode(new Float32Array(0))).toEqual({ frames: 0, codes: new Int32Array(0) });
    expect(() => tokenizer.encode(new Float32Array(all + 1))).toThrow(/too long/);
  });
});
