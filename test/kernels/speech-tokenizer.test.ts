import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSpeechTokenizerConfig } from '../../kernels/components/codec-config.ts';
import { AcousticEncoder } from '../../kernels/components/speech-tokenizer/acoustic-encoder.ts';
import { loadSpeechTokenizer } from '../../kernels/components/speech-tokenizer/index.ts';
import { SemanticEncoder } from '../../kernels/components/speech-tokenizer/semantic-encoder.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';
import { maxDifference, openCase, seededArray } from '../support/arrays.ts';
import { copyOf, dropTensors, editJson } from '../support/model-directory.ts';

const fixture = openCase('speech-tokenizer/odd-length');
const tokenizer = loadSpeechTokenizer(referenceOps, fixture.directory);

describe.each(['half-second', 'odd-length'])('parity on %s', name => {
  const { directory, floats, integers, shape } = openCase(`speech-tokenizer/${name}`);
  const config = readSpeechTokenizerConfig(directory);
  const weights = openWeightFile(join(directory, 'audio_codec/encoder.safetensors'));
  const frames = shape('output.codes')[0];

  it('gives exactly the codes of PyTorch', () => {
    const out = loadSpeechTokenizer(referenceOps, directory).encode(floats('input.samples'));
    expect(out.frames).toBe(frames);
    expect(out.codes).toEqual(integers('output.codes'));
  });

  // Float32 against double sums; both networks keep values near 1.
  it('gives the semantic vectors of PyTorch', () => {
    const { VGGtf_encoder: transformer } = config.semantic_tokenizer.encoder;
    const encoder = new SemanticEncoder(
      referenceOps,
      weights,
      transformer,
      [2, 3],
      transformer.num_encoder_layers,
    );
    const semantic = encoder.apply(floats('output.features'));
    expect(maxDifference(semantic, floats('output.semantic'))).toBeLessThan(1e-4);
  });

  it('gives the acoustic latents of PyTorch', () => {
    const padded = new Float32Array(frames * 960);
    padded.set(floats('input.samples'));
    const latent = new AcousticEncoder(referenceOps, weights, config.codec_config).apply(padded);
    expect(maxDifference(latent, floats('output.latent'))).toBeLessThan(1e-4);
  });
});

describe('an utterance', () => {
  it('has one frame of four codes per started 60 ms', () => {
    expect([1, 960, 961, 16000].map(n => tokenizer.encode(seededArray(n, n)).frames)).toEqual([1, 1, 2, 17]);
    expect(tokenizer.encode(seededArray(961, 1)).codes).toHaveLength(8);
    expect(tokenizer.encode(new Float32Array(0))).toEqual({ frames: 0, codes: new Int32Array(0) });
  });

  it('is filled up with silence', () => {
    const samples = seededArray(1920, 2, 0.3);
    samples.fill(0, 1500);
    expect(tokenizer.encode(samples.slice(0, 1500))).toEqual(tokenizer.encode(samples));
  });

  it('longer than 30 s is refused with its length', () => {
    expect(() => tokenizer.encode(new Float32Array(480_001))).toThrow(/samples: 480001, most: 480000/);
  });
});

describe('a model directory', () => {
  it('without a tensor is refused with the names of file and tensor', () => {
    const directory = copyOf(fixture.directory);
    dropTensors(join(directory, 'audio_codec/encoder.safetensors'), 'semantic_tokenizer.kmeans');
    expect(() => loadSpeechTokenizer(referenceOps, directory)).toThrow(
      /encoder\.safetensors.*semantic_tokenizer\.kmeans\.codebook/,
    );
  });

  it('whose two encoders would give different frame rates is refused', () => {
    const directory = copyOf(fixture.directory);
    editJson(join(directory, 'audio_codec/config.json'), content => {
      const encoder = content.encoder as { codec_config: Record<string, unknown> };
      encoder.codec_config.codec_enc_ratios = [4, 5, 6, 4];
    });
    expect(() => loadSpeechTokenizer(referenceOps, directory)).toThrow(/codec_enc_ratios: 4,5,6,4/);
  });

  it('whose configuration is not JSON is refused with the name of the file', () => {
    expect(() => loadSpeechTokenizer(referenceOps, join(fixture.directory, 'nowhere'))).toThrow(
      /config\.json/,
    );
  });
});
