import { loadAudioEncoder } from '../../kernels/components/audio-encoder/index.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { LanguageModel } from '../../kernels/components/language-model/index.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { type Measured, measure, showTime } from './measure.ts';

const CONTEXT = 100;
const AUDIO_RATE_HZ = 16_000;
const PACKET_SAMPLES = 320;
const CODE_FRAME_MS = 60;
/** What nano brings every square picture to. */
const PICTURE = 112;

/** One step of `sessions` sequences, text and four codes each, always from the same context. */
function decodeStep(model: string, ops: Ops, sessions: number): () => void {
  const languageModel = LanguageModel.load(model, ops);
  const sequences = Array.from({ length: sessions }, () => languageModel.open());
  const prompt = {
    textIds: Int32Array.from({ length: CONTEXT }, (_, i) => 200 + i),
    codes: new Int32Array(4 * CONTEXT).fill(3),
    features: new Float32Array(0),
  };
  for (const sequence of sequences) languageModel.step([{ sequence, positions: prompt }]);
  const codeHistories = [0, 1, 2, 3].map(head => Int32Array.from({ length: 30 }, (_, i) => 40 + head + i));
  const batch = sequences.map(sequence => ({
    sequence,
    positions: {
      textIds: Int32Array.of(300),
      codes: Int32Array.of(50, 60, 70, 80),
      features: new Float32Array(0),
      rule: 'decode' as const,
    },
    sample: {
      speech: true,
      codeHistories,
      textHistory: new Int32Array(0),
      temperature: 1,
      topK: 1,
      topP: 1,
      repetitionPenalty: 1,
      draw: 0,
    },
  }));
  return () => {
    languageModel.step(batch);
    for (const sequence of sequences) languageModel.truncate(sequence, CONTEXT);
  };
}

/** A second of sound in packets of 20 ms. */
function encodeSecond(model: string, ops: Ops): () => void {
  const stream = loadAudioEncoder(ops, model).createStream();
  const packet = Float32Array.from({ length: PACKET_SAMPLES }, (_, i) => Math.sin(i * 0.2) / 3);
  return () => {
    for (let i = 0; i < AUDIO_RATE_HZ / PACKET_SAMPLES; i++) stream.push(packet);
  };
}

function decodeFrame(model: string, ops: Ops): () => void {
  const stream = loadGanDecoder(ops, model).createStream();
  const codes = Int32Array.of(5, 6, 7, 8);
  return () => {
    stream.push(codes);
  };
}

function encodePicture(model: string, ops: Ops): () => void {
  const encoder = loadVisionEncoder(ops, model);
  const picture = {
    width: PICTURE,
    height: PICTURE,
    data: new Uint8Array(PICTURE * PICTURE * 3).map((_, i) => i * 7),
  };
  return () => {
    encoder.encode([picture]);
  };
}

export function componentRows(model: string, native: Ops, reference: Ops): string[][] {
  const compare = (call: (ops: Ops) => () => void) => measure([call(native), call(reference)], 9);
  const one = compare(ops => decodeStep(model, ops, 1));
  const sixteen = compare(ops => decodeStep(model, ops, 16));
  const audio = compare(ops => encodeSecond(model, ops));
  const speech = compare(ops => decodeFrame(model, ops));
  const vision = compare(ops => encodePicture(model, ops));
  const row = (name: string, [fast, slow]: Measured[], reached: string) => [
    name,
    showTime(fast),
    showTime(slow),
    `${(slow.median / fast.median).toFixed(1)}×`,
    reached,
  ];
  const growth = (sixteen[0].median / one[0].median).toFixed(1);
  return [
    row('decode step, 1 session', one, 'goal: ≤ 1 ms'),
    row('decode step, 16 sessions', sixteen, `${growth}× one session (goal: ≤ 4×)`),
    row(
      'audio encoder, 1 s in 20 ms packets',
      audio,
      `${(1000 / audio[0].median).toFixed(0)}× real time (goal: 100×)`,
    ),
    row(
      'codec decoder, 60 ms',
      speech,
      `${(CODE_FRAME_MS / speech[0].median).toFixed(0)}× real time (goal: 20×)`,
    ),
    row(`vision encoder, ${PICTURE}×${PICTURE}`, vision, ''),
  ];
}
