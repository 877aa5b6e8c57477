import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Dimensions,
  nanoDimensions,
  tinyDimensions,
  writeSeededCheckpoint,
} from '../../kernels/checkpoint/index.ts';
import { loadAudioEncoder } from '../../kernels/components/audio-encoder/index.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import {
  advanceGeneration,
  type GeneratedStep,
  type LanguageModel,
  loadLanguageModel,
  startGeneration,
} from '../../kernels/components/language-model/index.ts';
import { loadSpeechTokenizer } from '../../kernels/components/speech-tokenizer/index.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import { type Positions, type SpecialTokens, textPositions } from '../../kernels/engine/index.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { loadTokenizer, readSpecialTokens } from '../../kernels/tokenizer/index.ts';

/** docs/spec/model.md §11, the files of every component. */
const LAYOUT = [
  'audio/audio_embeddings.safetensors',
  'audio/audio_encoder.safetensors',
  'audio/audio_output_layers.safetensors',
  'audio/audio_projector.safetensors',
  'audio/config.json',
  'audio/global_cmvn.json',
  'audio/preprocessor_config.json',
  'audio_codec/config.json',
  'audio_codec/decoder.safetensors',
  'audio_codec/encoder.safetensors',
  'audio_codec/encoder_cmvn.json',
  'config.json',
  'model.safetensors',
  'tokenizer.json',
  'vision/config.json',
  'vision/vision_model.safetensors',
  'vision/vision_projector.safetensors',
];

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterAll(() => rmSync(root, { recursive: true }));

function filesOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true }) as string[];
  return names.filter(name => statSync(join(directory, name)).isFile()).sort();
}

function digest(directory: string): string {
  const hash = createHash('sha256');
  for (const name of filesOf(directory)) hash.update(name).update(readFileSync(join(directory, name)));
  return hash.digest('hex');
}

function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** Half a second of a buzzing vowel-like tone with a pause. */
const speech = Float32Array.from({ length: 8000 }, (_, n) => {
  const voiced = n % 4000 < 3000 ? 0.2 : 0;
  return voiced * (Math.sin(0.05 * n) + 0.5 * Math.sin(0.23 * n) + 0.25 * Math.sin(0.9 * n));
});

describe.each<[string, Dimensions]>([
  ['nano', nanoDimensions],
  ['tiny', tinyDimensions],
])('a seeded checkpoint of %s dimensions', (name, dimensions) => {
  let directory: string;
  beforeAll(() => {
    directory = join(root, name);
    writeSeededCheckpoint(directory, { seed: 7, dimensions });
  });

  it('holds every file of the layout and nothing else', () => {
    expect(filesOf(directory)).toEqual(LAYOUT);
    expect(readdirSync(root).filter(entry => entry.includes('draft'))).toEqual([]);
  });

  it('is the same for the same seed and another for another', () => {
    writeSeededCheckpoint(join(root, 'again'), { seed: 7, dimensions });
    expect(digest(join(root, 'again'))).toBe(digest(directory));
    writeSeededCheckpoint(join(root, 'again'), { seed: 8, dimensions });
    expect(digest(join(root, 'again'))).not.toBe(digest(directory));
  });

  it('has the special tokens of the specification and text survives encoding', () => {
    const tokenizer = loadTokenizer(directory);
    const text = 'USER:Wie viele Äpfel, 三 or 🍎?\n<|audio|></pause>';
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.encode('</longcat_s><|audio|><|/audio|><|audio_pad|></pause><|image_pad|>')).toEqual([
      2, 134, 135, 136, 137, 142,
    ]);
    expect(readSpecialTokens(directory)).toEqual({
      bos: 1,
      eos: 2,
      pad: 3,
      audioBegin: 134,
      audioEnd: 135,
      audioPad: 136,
      imagePad: 142,
      pause: 137,
      wait: null,
      toolTags: [],
    });
    expect(Math.max(...tokenizer.encode(text))).toBeLessThan(dimensions.languageModel.vocab_size);
  });

  it('gives finite, living activations in every component', () => {
    const model = loadLanguageModel(directory, referenceOps);
    const logits = model.forward(model.open(), textPositions([20, 40, 60, 80]));
    expect(rootMeanSquare(logits)).toBeGreaterThan(0.3);
    expect(rootMeanSquare(logits)).toBeLessThan(3);

    const utterance = loadAudioEncoder(referenceOps, directory).createStream();
    const heard = [...utterance.push(speech).vectors, ...utterance.finish().vectors];
    expect(rootMeanSquare(Float32Array.from(heard))).toBeGreaterThan(0.1);
    expect(rootMeanSquare(Float32Array.from(heard))).toBeLessThan(5);

    const { codes, frames } = loadSpeechTokenizer(referenceOps, directory).encode(speech);
    expect(frames).toBe(9);
    expect(new Set(codes).size).toBeGreaterThan(4);

    const stream = loadGanDecoder(referenceOps, directory).createStream();
    const samples = Float32Array.from([...stream.push(codes), ...stream.finish()]);
    expect(samples.length).toBe(frames * 1440);
    expect(rootMeanSquare(samples)).toBeGreaterThan(0.005);
    expect(rootMeanSquare(samples)).toBeLessThan(0.5);
  });

  it('fits the vision encoder', () => {
    const image = {
      width: 224,
      height: 224,
      data: Uint8Array.from({ length: 3 * 224 * 224 }, (_, i) => (i * 7) % 256),
    };
    const encoder = loadVisionEncoder(referenceOps, directory);
    const { projector } = encoder.encode([image]);
    expect(rootMeanSquare(projector)).toBeGreaterThan(0.05);
    expect(rootMeanSquare(projector)).toBeLessThan(5);
  });

  it.each(['speech', 'text'] as const)('gives %s replies that end by themselves', mode => {
    const model = loadLanguageModel(directory, referenceOps);
    const tokens = readSpecialTokens(directory);
    const lengths = ['hello', 'count to ten', 'what do you see?', 'who are you?'].map(question => {
      const prompt = loadTokenizer(directory).encode(`USER:${question}\nVOICE ASSISTANT:`);
      return replySteps(model, textPositions(prompt), mode, tokens);
    });
    expect(Math.max(...lengths)).toBeLessThan(MAX_REPLY_STEPS);
  });
});

const MAX_REPLY_STEPS = 400;

function replySteps(
  model: LanguageModel,
  prompt: Positions,
  mode: 'speech' | 'text',
  tokens: SpecialTokens,
): number {
  const sequence = model.open();
  const codeHistories: number[][] = [[], [], [], []];
  let state = startGeneration(mode);
  let positions: Positions | null = prompt;
  let steps = 0;
  for (; positions && steps < MAX_REPLY_STEPS; steps++) {
    const sample = {
      textHistory: new Int32Array(0),
      codeHistories: codeHistories.map(history => Int32Array.from(history.slice(-30))),
      temperature: 1,
      topK: 1,
      topP: 1,
      repetitionPenalty: 1,
      draw: 0,
      speech: mode === 'speech',
    };
    const [answer] = model.step([{ sequence, positions, sample }]);
    const transition = advanceGeneration(state, answer?.sampled as GeneratedStep, tokens);
    for (const [i, code] of transition.record.codes.entries()) codeHistories[i].push(code);
    state = transition.state;
    positions = transition.feedback;
  }
  model.close(sequence);
  return steps;
}
