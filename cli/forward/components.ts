import { readFileSync } from 'node:fs';
import { loadAudioEncoder } from '../../kernels/components/audio-encoder/index.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { loadSpeechTokenizer } from '../../kernels/components/speech-tokenizer/index.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Ops } from '../../kernels/ops.ts';
import { readPicture } from '../media/pictures.ts';
import { resampled } from '../media/resampled.ts';
import { readWav } from '../media/wav.ts';
import { type Outputs, output, RowCollector } from './outputs.ts';

const INPUT_SAMPLE_RATE = 16_000;
/** What a live line delivers at a time. */
const STREAMING_SAMPLES = 320;

export interface ComponentRun {
  readonly ops: Ops;
  readonly modelDirectory: string;
  /** One file; the vision encoder takes one or two. */
  readonly inputs: readonly string[];
  /** Feed the input in the pieces of a live stream; the result is the same. */
  readonly streaming: boolean;
}

/** Runs one component of a model directory on a file. */
export const components: Readonly<Record<string, (run: ComponentRun) => Outputs | Promise<Outputs>>> = {
  'audio-encoder': audioEncoder,
  'vision-encoder': visionEncoder,
  'speech-tokenizer': speechTokenizer,
  'gan-decoder': ganDecoder,
};

function audioEncoder({ ops, modelDirectory, inputs, streaming }: ComponentRun): Outputs {
  const encoder = loadAudioEncoder(ops, modelDirectory);
  const collected = new RowCollector();
  const stream = encoder.createStream({ tap: (name, rows, width) => collected.add(name, rows, width) });
  for (const piece of pieces(samplesOf(inputs), streaming)) stream.push(piece);
  stream.finish();
  return collected.outputs();
}

async function visionEncoder({ ops, modelDirectory, inputs }: ComponentRun): Promise<Outputs> {
  if (inputs.length > 2)
    throw new RuntimeError('forward.input', 'A frame unit is one picture or two.', {
      pictures: inputs.length,
    });
  const encoder = loadVisionEncoder(ops, modelDirectory);
  const pictures = await Promise.all(inputs.map(readPicture));
  const { patchGrid, vision, projector, tokenGrid } = encoder.encode(
    pictures.length === 2 ? [pictures[0], pictures[1]] : [pictures[0]],
  );
  const patches = patchGrid[0] * patchGrid[1];
  const tokens = tokenGrid[0] * tokenGrid[1];
  return {
    grid: output(patchGrid, 2),
    vision: output(vision, patches, vision.length / patches),
    projector: output(projector, tokens, projector.length / tokens),
  };
}

function speechTokenizer({ ops, modelDirectory, inputs }: ComponentRun): Outputs {
  const tokenizer = loadSpeechTokenizer(ops, modelDirectory);
  const { codes, frames } = tokenizer.encode(samplesOf(inputs));
  const byCodebook = Array.from(
    { length: tokenizer.codebooks * frames },
    (_, at) => codes[(at % frames) * tokenizer.codebooks + Math.floor(at / frames)],
  );
  return { codes: output(byCodebook, tokenizer.codebooks, frames) };
}

function ganDecoder({ ops, modelDirectory, inputs, streaming }: ComponentRun): Outputs {
  const decoder = loadGanDecoder(ops, modelDirectory);
  const codes = readCodes(inputs[0], decoder.codebooks);
  const stream = decoder.createStream();
  const step = streaming ? decoder.codebooks : Math.max(codes.length, 1);
  const pieces: Float32Array[] = [];
  for (let at = 0; at < codes.length; at += step) pieces.push(stream.push(codes.subarray(at, at + step)));
  const samples = [...pieces, stream.finish()].flatMap(piece => Array.from(piece));
  return { samples: output(samples, samples.length) };
}

function samplesOf(inputs: readonly string[]): Float32Array {
  if (inputs.length !== 1)
    throw new RuntimeError('forward.input', 'One WAV file is wanted.', { files: inputs.length });
  return resampled(readWav(inputs[0]), INPUT_SAMPLE_RATE);
}

function* pieces(samples: Float32Array, streaming: boolean): Generator<Float32Array> {
  const step = streaming ? STREAMING_SAMPLES : Math.max(samples.length, 1);
  for (let at = 0; at < samples.length; at += step) yield samples.subarray(at, at + step);
}

const isWholeNumber = (value: unknown): boolean => Number.isInteger(value);

/** `{"codes": [[semantic…], [acoustic…], …]}` → frame by frame. */
function readCodes(path: string, codebooks: number): Int32Array {
  const remedy = `Give {"codes": [[…] × ${codebooks}]} with whole numbers, lists of equal length.`;
  let codes: unknown;
  try {
    codes = (JSON.parse(readFileSync(path, 'utf8')) as { codes?: unknown }).codes;
  } catch (error) {
    throw new RuntimeError(
      'forward.input',
      'Not a readable file of codes.',
      { path, cause: (error as Error).message },
      remedy,
    );
  }
  const isGrid =
    Array.isArray(codes) &&
    codes.length === codebooks &&
    codes.every(list => Array.isArray(list) && list.length === codes[0].length && list.every(isWholeNumber));
  if (!isGrid) throw new RuntimeError('forward.input', 'Not a grid of codes.', { path }, remedy);
  const grid = codes as number[][];
  return Int32Array.from(
    { length: codebooks * grid[0].length },
    (_, at) => grid[at % codebooks][Math.floor(at / codebooks)],
  );
}
