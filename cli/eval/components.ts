import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadAudioEncoder } from '../../kernels/components/audio-encoder/index.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { loadSpeechTokenizer } from '../../kernels/components/speech-tokenizer/index.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';
import { indexOfLargest } from '../forward/largest.ts';
import { readPicture } from '../media/pictures.ts';
import { resampled } from '../media/resampled.ts';
import { readWav } from '../media/wav.ts';
import { recognise } from './judge.ts';
import type { EvalRecording, Material } from './material.ts';
import { median, type Row, recognised, shareRow } from './score.ts';
import { melCepstralDistortion, pitchDistanceCents } from './sound.ts';

const RATE = 16_000;
const OUTPUT_RATE = 24_000;
const SPEECH_SUITES = {
  'hearing-variants': ['audio encoder: words, unseen espeak-ng variants', 0.97],
  'hearing-awb': ['audio encoder: words, flite awb', 0.93],
  'hearing-noise': ['audio encoder: words, 15 dB SNR', 0.93],
  'hearing-telephone': ['audio encoder: words, G.711', 0.93],
  'hearing-people-wide': ['audio encoder: a person’s recorded words in any order, 16 kHz', 0.85],
  'hearing-people-telephone': ['audio encoder: a person’s recorded words in any order, 8 kHz', null],
} as const;

export interface ComponentSetting {
  readonly ops: Ops;
  readonly modelDirectory: string;
  readonly material: Material;
  readonly limit: number;
  readonly speech: boolean;
}

/** Words that the CTC head reads in the stream of a live line. */
export function hearingRows(
  { ops, modelDirectory, material, limit }: ComponentSetting,
  suites: readonly string[],
): Row[] {
  const encoder = loadAudioEncoder(ops, modelDirectory);
  const hear = (recording: EvalRecording) => {
    const [stream, reader] = [encoder.createStream(), encoder.createCaptionReader()];
    const samples = resampled(readWav(join(material.directory, recording.audio)), RATE);
    return [stream.push(samples), stream.finish()]
      .flatMap(part =>
        reader ? reader.read(encoder.captionLogits(part.encoder, part.count), part.count) : [],
      )
      .map(caption => caption.text)
      .join(' ');
  };
  return suites.flatMap(suite => {
    const cases = of(material, suite, limit);
    if (cases.length === 0) return [];
    const heard = recognised(cases.map(entry => ({ heard: hear(entry), truth: entry.text })));
    const [what, wanted] = SPEECH_SUITES[suite as keyof typeof SPEECH_SUITES];
    return [shareRow(suite, what, heard.words, wanted, cases.length)];
  });
}

export const HEARING_SUITES: readonly string[] = Object.keys(SPEECH_SUITES);

/**
 * Sentences of the output voice through decoder (codes as the language model learnt them) and through the whole codec.
 */
export function codecRows({ ops, modelDirectory, material, limit, speech }: ComponentSetting): Row[] {
  const cases = of(material, 'codec', limit);
  if (cases.length === 0) return [];
  const [tokenizer, decoder] = [
    loadSpeechTokenizer(ops, modelDirectory),
    loadGanDecoder(ops, modelDirectory),
  ];
  const spoken = (codes: Int32Array, frames: number) => {
    const stream = decoder.createStream();
    const pieces: Float32Array[] = [];
    const step = frames * decoder.codebooks;
    for (let at = 0; at < codes.length; at += step) pieces.push(stream.push(codes.subarray(at, at + step)));
    return joined([...pieces, stream.finish()]);
  };
  const measured = cases.map(entry => {
    const truth = resampled(readWav(join(material.directory, entry.audio)), RATE);
    const taught = entry.codes ? Int32Array.from(entry.codes.flat()) : tokenizer.encode(truth).codes;
    const [whole, streamed] = [spoken(taught, taught.length), spoken(taught, 1)];
    const made = resampled({ samples: whole, sampleRate: OUTPUT_RATE }, RATE);
    return {
      text: entry.text,
      truth,
      made,
      trip: resampled({ samples: spoken(tokenizer.encode(truth).codes, 64), sampleRate: OUTPUT_RATE }, RATE),
      isEqual: whole.every((value, at) => Object.is(value, streamed[at])) && whole.length === streamed.length,
      distortion: melCepstralDistortion(ops, made, truth),
      cents: pitchDistanceCents(made, truth),
    };
  });
  const n = measured.length;
  const value = (what: string, values: number[], unit: Row['unit'], wanted: number): Row => {
    return { suite: 'codec', what, n, value: median(values), interval: null, unit, wanted };
  };
  const rows = [
    value(
      'codec: mel-cepstral distortion (median of sentences)',
      measured.map(m => m.distortion),
      'dB',
      2.6,
    ),
    value(
      'codec: median F0 error',
      measured.flatMap(m => m.cents ?? []),
      'cents',
      60,
    ),
    shareRow(
      'codec',
      'codec: streaming = offline, bit-equal',
      { right: measured.filter(m => m.isEqual).length, of: n },
      1,
    ),
  ];
  return speech ? [...codecWords(measured, material), ...rows] : rows;
}

type Spoken = { text: string; truth: Float32Array; made: Float32Array; trip: Float32Array };

function codecWords(measured: readonly Spoken[], material: Material): Row[] {
  const language = [...material.sentences, ...material.otherSentences];
  const by = (name: 'truth' | 'made' | 'trip') => {
    const heard = recognise(
      measured.map(m => ({ sampleRate: RATE, samples: m[name] })),
      language,
    );
    return recognised(measured.map((m, at) => ({ heard: heard[at] ?? '', truth: m.text })));
  };
  const [made, trip, truth] = [by('made'), by('trip'), by('truth')];
  const n = measured.length;
  return [
    shareRow('codec', 'codec: words recognised from codes', made.words, 0.99, n),
    shareRow('codec', 'codec: sentences recognised from codes', made.sentences, 0.95, n),
    shareRow('codec', 'codec: words through its own waveform encoder', trip.words, null, n),
    shareRow('codec', 'codec: words of the originals, for comparison', truth.words, null, n),
  ];
}

/** Object patches of rendered scenes, by the object head that nano ships beside the encoder. */
export async function pictureRows({
  ops,
  modelDirectory,
  material,
  limit,
}: ComponentSetting): Promise<Row[]> {
  const path = join(modelDirectory, 'vision', 'object_head.safetensors');
  if (!existsSync(path)) return [];
  const encoder = loadVisionEncoder(ops, modelDirectory);
  const { hidden } = encoder.config;
  const head = openWeightFile(path);
  const shape = head.shapeOf('what.weight');
  const classify = ops.linear(head.tensor('what.weight', shape), head.floats('what.bias', [shape[0]]));
  const motion = ops.linear(
    head.tensor('motion.weight', head.shapeOf('motion.weight')),
    head.floats('motion.bias', [head.shapeOf('motion.weight')[0]]),
  );
  head.close();
  let [right, total, ways, moving] = [0, 0, 0, 0];
  const cases = material.pictures.slice(0, limit);
  for (const entry of cases) {
    const images = await Promise.all(entry.pictures.map(file => readPicture(join(material.directory, file))));
    const { vision } = encoder.encode(images.length === 2 ? [images[0], images[1]] : [images[0]]);
    const rows = vision.length / hidden;
    const [what, way] = [
      bestOf(classify.apply(vision, rows), rows),
      bestOf(motion.apply(vision, rows), rows),
    ];
    for (const [at, label] of entry.labels.entries()) {
      if (label === 0) continue;
      total++;
      if (what[at] === label) right++;
      if (entry.pictures.length === 2) moving++;
      if (entry.pictures.length === 2 && way[at] === entry.motion) ways++;
    }
  }
  return [
    shareRow('pictures', 'ViT: object tokens', { right, of: total }, 0.97, cases.length),
    shareRow('pictures', 'ViT: motion of object tokens', { right: ways, of: moving }, null, cases.length),
  ];
}

function bestOf(scores: Float32Array, rows: number): number[] {
  const width = scores.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    return indexOfLargest(scores.subarray(row * width, (row + 1) * width));
  });
}

function of(material: Material, suite: string, limit: number): EvalRecording[] {
  return material.recordings.filter(entry => entry.suite === suite).slice(0, limit);
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
