import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadAcousticQuantizer } from '../../kernels/components/acoustic-quantizer.ts';
import { readGanDecoderConfig } from '../../kernels/components/codec-config.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';
import { maxDifference, openCase } from '../support/arrays.ts';

const { directory, integers, floats } = openCase('gan-decoder/nine-frames');
const config = readGanDecoderConfig(directory);
const weights = openWeightFile(join(directory, 'audio_codec/decoder.safetensors'));
const quantizer = loadAcousticQuantizer(referenceOps, weights, config);
const codes = integers('input.codes');
const acoustic = Int32Array.from({ length: 27 }, (_, i) => codes[4 * Math.floor(i / 3) + 1 + (i % 3)]);

it('decodes to the latents of PyTorch, which follow the semantic embedding in a frame', () => {
  const latent = quantizer.decode(acoustic, 9);
  const frames = floats('output.frames');
  const expected = Float32Array.from(
    { length: 9 * 12 },
    (_, i) => frames[Math.floor(i / 12) * 22 + config.semantic_dim + (i % 12)],
  );
  expect(maxDifference(latent, expected)).toBeLessThan(1e-6);
});

it('makes a code of its inner indices a and b as size·a + b', () => {
  // Codes that share a differ only in the second half of the latent, codes that share b only in the first.
  const [first, sameA, sameB] = [7, 8, 17].map(code => quantizer.decode(Int32Array.of(code, 0, 0), 1));
  expect(quantizer.entries).toBe(25);
  expect(sameA.slice(0, 6)).toEqual(first.slice(0, 6));
  expect(sameA.slice(6)).not.toEqual(first.slice(6));
  expect(sameB.slice(6)).toEqual(first.slice(6));
  expect(sameB.slice(0, 6)).not.toEqual(first.slice(0, 6));
});

it('gives a frame the same codes alone and among others', () => {
  const latent = quantizer.decode(acoustic, 9).map((value, i) => value + Math.sin(i));
  const all = quantizer.encode(latent, 9);
  expect(quantizer.encode(latent.slice(48, 60), 1)).toEqual(all.slice(12, 15));
});
