import { beforeAll, describe, expect, it } from 'vitest';
import { loadDecoderOnDevice, loadGanDecoder } from '../../../kernels/components/gan-decoder/index.ts';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { joined, maxDifference, openCase } from '../../support/arrays.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

const { directory, integers } = openCase('gan-decoder/nine-frames');
const codes = integers('input.codes');
const frames = (from: number, to: number) => codes.subarray(4 * from, 4 * to);

describe.skipIf(NO_EMULATION !== null)('the GAN decoder on an emulated device', () => {
  let addon: CudaAddon;
  let device: CudaDevice;
  let alone: Float32Array;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    device = new CudaDevice(addon);
    addon.seed?.(11);
    const stream = loadDecoderOnDevice(directory, device, { streams: 1, frames: 9 }).createStream();
    alone = joined([stream.push(frames(0, 4)), stream.finish()]);
  }, BUILD_MS);

  it('gives the samples of the reference', () => {
    const stream = loadGanDecoder(referenceOps, directory).createStream();
    const expected = joined([stream.push(frames(0, 4)), stream.finish()]);
    expect(maxDifference(alone, expected)).toBeLessThan(1e-5);
    expect(alone.some(sample => Math.abs(sample) > 0.01)).toBe(true);
  });

  it('gives the same bits with others in the batch, in other slots, passes and orders, however frames are cut', () => {
    const decoder = loadDecoderOnDevice(directory, device, { streams: 3, frames: 3, streamFrames: 2 });
    const [other, stream, third] = [1, 2, 3].map(() => decoder.createStream());
    const pieces: Float32Array[] = [];
    // Frames of it and of the others, step by step; it ends in the last but one.
    for (const [n, [from, to, others]] of [
      [0, 1, 3],
      [1, 4, 1],
      [4, 4, 2],
    ].entries()) {
      addon.seed?.(20 + n);
      const works = [
        { stream: other, codes: frames(n, n + others), finish: false },
        { stream, codes: frames(from, to), finish: n === 2 },
        ...(n === 1 ? [{ stream: third, codes: frames(5, 6), finish: true }] : []),
      ];
      const samples = decoder.decode(works);
      pieces.push(samples[1]);
      if (n === 1) expect(samples[2]).toHaveLength(1440);
    }
    expect(joined(pieces)).toEqual(alone);
  });

  it('refuses bad codes and streams that it has no room for, and hands on what was closed as new', () => {
    const decoder = loadDecoderOnDevice(directory, device, { streams: 1, frames: 9 });
    const stream = decoder.createStream();
    expect(() => decoder.createStream()).toThrow(expect.objectContaining({ code: 'gan-decoder.full' }));
    stream.push(frames(5, 7));
    expect(() => stream.push(Int32Array.of(-1, 0, 0, 0))).toThrow(/codebook/);
    stream.close?.();
    expect(() => stream.finish()).toThrow(/finished/);
    const next = decoder.createStream();
    addon.seed?.(31);
    expect(joined([next.push(frames(0, 4)), next.finish()])).toEqual(alone);
  });
});
