import { loadAudioEncoder } from '../../kernels/components/audio-encoder/index.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { type Measured, measure, showTime, wallMs } from './measure.ts';

const CONTEXT = 100;
const SESSIONS = 16;
const AUDIO_RATE_HZ = 16_000;
const PACKET_SAMPLES = 320;
const CODE_FRAME_MS = 60;
/** What nano brings every square picture to. */
const PICTURE = 112;

/**
 * One step of `sessions` sequences, text and four codes each, always from the same contexts. Sequences that say
 * different things go to different experts, a few rows each; sequences alike share theirs.
 */
function decodeStep(model: string, ops: Ops, sessions: number, alike = false): () => void {
  const languageModel = loadLanguageModel(model, ops);
  const sequences = Array.from({ length: sessions }, () => languageModel.open());
  const batch = sequences.map((sequence, n) => {
    const own = alike ? 0 : n;
    const prompt = {
      textIds: Int32Array.from({ length: CONTEXT }, (_, i) => 200 + ((i * (own + 1)) % 700)),
      codes: new Int32Array(4 * CONTEXT).fill(3),
      features: new Float32Array(0),
    };
    languageModel.step([{ sequence, positions: prompt }]);
    return {
      sequence,
      positions: {
        textIds: Int32Array.of(300 + 37 * own),
        codes: Int32Array.of(50 + own, 40 + (own % 8), 41 + (own % 7), 42 + (own % 5)),
        features: new Float32Array(0),
        rule: 'decode' as const,
      },
      sample: {
        speech: true,
        codeHistories: [0, 1, 2, 3].map(head =>
          Int32Array.from({ length: 30 }, (_, i) => 40 + head + (own % 5) + i),
        ),
        textHistory: new Int32Array(0),
        temperature: 1,
        topK: 1,
        topP: 1,
        repetitionPenalty: 1,
        draw: 0,
      },
    };
  });
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

/** The native engine first, alone as in its worker: the reference's garbage and its other types would slow it down. */
export function componentRows(model: string, native: Ops, reference: Ops): string[][] {
  const steps: readonly ((ops: Ops) => () => void)[] = [
    ops => decodeStep(model, ops, 1),
    ops => decodeStep(model, ops, SESSIONS),
    ops => decodeStep(model, ops, SESSIONS, true),
    ops => encodeSecond(model, ops),
    ops => decodeFrame(model, ops),
    ops => encodePicture(model, ops),
  ];
  const fast = measure(
    steps.map(step => step(native)),
    15,
  );
  const slow = measure(
    steps.map(step => step(reference)),
    9,
  );
  const [one, different, alike, audio, speech] = fast;
  const growth = growthOver(one);
  const rows = [
    ['decode step, 1 session', 'goal: ≤ 1 ms'],
    [`decode step, ${SESSIONS} sessions`, growth(different)],
    [`decode step, ${SESSIONS} sessions alike`, growth(alike)],
    ['audio encoder, 1 s in 20 ms packets', `${(1000 / audio.median).toFixed(0)}× real time (goal: 100×)`],
    ['codec decoder, 60 ms', `${(CODE_FRAME_MS / speech.median).toFixed(0)}× real time (goal: 20×)`],
    [`vision encoder, ${PICTURE}×${PICTURE}`, ''],
  ];
  return rows.map(([name, reached], r) => [
    name,
    showTime(fast[r]),
    showTime(slow[r]),
    `${(slow[r].median / fast[r].median).toFixed(1)}×`,
    reached,
  ]);
}

const growthOver =
  (one: Measured) =>
  ({ median }: Measured) =>
    `${(median / one.median).toFixed(1)}× one session (goal: ≤ 4×)`;

/** Decode steps by the wall clock, on as many threads as the pool has. */
export function decodeRows(model: string, native: Ops): string[][] {
  const [one, different, alike] = measure(
    [
      decodeStep(model, native, 1),
      decodeStep(model, native, SESSIONS),
      decodeStep(model, native, SESSIONS, true),
    ],
    15,
    wallMs,
  );
  const growth = growthOver(one);
  return [
    ['decode step, 1 session', showTime(one), ''],
    [`decode step, ${SESSIONS} sessions`, showTime(different), growth(different)],
    [`decode step, ${SESSIONS} sessions alike`, showTime(alike), growth(alike)],
  ];
}
