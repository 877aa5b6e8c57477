/**
 * The offline sequence of one interleaved audio-video item (docs/spec/model.md §5.3), rules and quirks included.
 * A pure function of counts: the same rules that training data follow, for checking and for `longcat-rt interleave`.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import { stamp } from './piece.ts';

export type SequenceElement =
  | readonly ['text', string]
  | readonly ['image', number]
  | readonly ['audio', number]
  | readonly ['audio-begin']
  | readonly ['audio-end'];

export interface OfflineItem {
  /** Encoder vectors of the item's audio, 80 ms each. */
  readonly audioTokens: number;
  /** Tokens of each frame unit, in order of time. */
  readonly unitTokens: readonly number[];
  /** Capture time in seconds of each unit's first frame. */
  readonly stamps: readonly number[];
  /** `sequential`: 1 s chunks. `average`: equal shares for frame-capped video. */
  readonly strategy?: 'sequential' | 'average';
}

/** A 1 s interval holds 25/2 vectors: 12, and one more on every second chunk. */
const VECTORS_PER_TWO_CHUNKS = 25;

/** Vectors of chunk `index` in a stream of 1 s chunks: 12, 13, 12, 13 … */
export function chunkVectors(index: number): number {
  return index % 2 === 0 ? 12 : 13;
}

/** ceil(tokens · 0.08 s): 3 s of audio are 38 tokens = 3.04 s and count as four chunks. */
function audioChunks(audioTokens: number): number {
  return Math.ceil((audioTokens * 2) / VECTORS_PER_TWO_CHUNKS);
}

/** Errors: `interleave.input` for counts that are not whole or a stamp missing. */
export function interleaveOffline(item: OfflineItem): SequenceElement[] {
  check(item);
  const units = item.unitTokens.length;
  const average = item.strategy === 'average';
  const chunks = average && item.audioTokens > 0 ? units : Math.min(units, audioChunks(item.audioTokens));
  const leading = units - chunks;
  const share = (chunk: number) => (average ? Math.floor(item.audioTokens / units) : chunkVectors(chunk));

  const sequence: SequenceElement[] = [];
  const image = (unit: number) =>
    sequence.push(['text', stamp(item.stamps[unit])], ['image', item.unitTokens[unit]]);
  for (let unit = 0; unit < leading; unit++) image(unit);
  if (item.audioTokens === 0) return sequence;

  let left = item.audioTokens;
  const audio = (tokens: number) => {
    if (tokens > 0) sequence.push(['audio', tokens]);
    left -= tokens;
  };
  for (let chunk = 0; chunk < chunks; chunk++) {
    image(leading + chunk);
    if (chunk === 0) sequence.push(['audio-begin']);
    audio(chunk === chunks - 1 ? left : Math.min(left, share(chunk)));
  }
  if (chunks === 0) {
    sequence.push(['audio-begin']);
    audio(left);
  }
  sequence.push(['audio-end']);
  return sequence;
}

function check(item: OfflineItem): void {
  const whole = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (!whole(item.audioTokens) || !item.unitTokens.every(whole)) {
    throw new RuntimeError(
      'interleave.input',
      'Token counts must be whole numbers ≥ 0.',
      { audioTokens: item.audioTokens, unitTokens: item.unitTokens.join(' ') },
      'Give --audio-tokens N and --unit-tokens A,B,….',
    );
  }
  if (item.stamps.length !== item.unitTokens.length || !item.stamps.every(Number.isFinite)) {
    throw new RuntimeError(
      'interleave.input',
      'Each frame unit needs one stamp in seconds.',
      { units: item.unitTokens.length, stamps: item.stamps.length },
      'Give as many --stamps as --unit-tokens.',
    );
  }
}
