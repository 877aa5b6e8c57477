import { beforeAll, describe, expect, it } from 'vitest';
import { loadAudioEncoder, loadEncoderOnDevice } from '../../../kernels/components/audio-encoder/index.ts';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { joined, maxDifference, openCase } from '../../support/arrays.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

// Three layers, the last two with one vector of look-ahead.
const { directory, floats } = openCase('audio-encoder/full-left-order');
const samples = floats('input.samples');
const NOTHING = new Float32Array(0);

describe.skipIf(NO_EMULATION !== null)('the audio encoder on an emulated device', () => {
  let addon: CudaAddon;
  let device: CudaDevice;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    device = new CudaDevice(addon);
  }, BUILD_MS);

  const load = (options: object) => loadEncoderOnDevice(referenceOps, directory, device, options);

  /** Vectors and logits of one utterance by itself. */
  function alone() {
    addon.seed?.(3);
    const encoder = load({ slots: 1, rows: 16, streams: 1 });
    const given = encoder.encode([{ stream: encoder.createStream(), samples, end: true }]);
    return { vectors: given.each[0].vectors, logits: given.logits() };
  }

  it('gives the vectors and the captions of the reference', () => {
    const reference = loadAudioEncoder(referenceOps, directory);
    const stream = reference.createStream();
    const expected = reference.encode([{ stream, samples, end: true }]);
    const { vectors, logits } = alone();
    expect(vectors).toHaveLength(floats('output.projector').length);
    expect(maxDifference(vectors, expected.each[0].vectors)).toBeLessThan(1e-4);
    expect(maxDifference(logits, expected.logits())).toBeLessThan(1e-4);
  });

  it('gives the same bits with others in the batch, in other slots, passes and orders, however sound is cut', () => {
    const encoder = load({ slots: 4, rows: 3, streams: 2 });
    const [other, stream, short] = [1, 2, 3].map(() => encoder.createStream());
    const [vectors, logits]: Float32Array[][] = [[], []];
    let fork = null;
    for (const [n, [from, to]] of [
      [0, 5000],
      [5000, 5100],
      [5100, samples.length],
    ].entries()) {
      addon.seed?.(40 + n);
      const end = n === 2;
      const given = encoder.encode([
        { stream: other, samples: samples.subarray(n * 700, n * 700 + 4000), end: false },
        { stream, samples: samples.subarray(from, to), end },
        ...(n === 0 ? [{ stream: short, samples: samples.subarray(0, 500), end: true }] : []),
      ]);
      vectors.push(given.each[1].vectors);
      const [before, own] = [given.each[0].count, given.each[1].count];
      logits.push(given.logits().slice(10 * before, 10 * (before + own)));
      if (n === 0) expect(given.each[2].count).toBe(1);
      if (n === 1) {
        short.close?.();
        fork = stream.fork();
      }
    }
    const expected = alone();
    expect(joined(vectors)).toEqual(expected.vectors);
    expect(joined(logits)).toEqual(expected.logits);
    const copied = encoder.encode([{ stream: fork!, samples: samples.subarray(5100), end: true }]);
    expect(joined([...vectors.slice(0, 2), copied.each[0].vectors])).toEqual(expected.vectors);
    expect(() => encoder.encode([{ stream, samples: NOTHING, end: true }])).toThrow(/finished/);
    expect(() => other.fork().fork()).toThrow(expect.objectContaining({ code: 'audio-encoder.full' }));
  });
});
