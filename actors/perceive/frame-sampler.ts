/**
 * Which pictures of the live stream the model sees (docs/spec/model.md §5.4): while the user speaks two a second,
 * merged in pairs per 1 s chunk; otherwise one per 2 s, duplicated in time. The chunk is counted in the audio of the
 * utterance.
 *
 * A chunk may get one picture alone: a short question is over within a second, and the camera does not keep step with
 * it. Motion is only in a pair, so the picture before it is shown again as the first of two.
 */
import type { Picture } from '../../kernels/engine/index.ts';

export interface SampledUnit {
  readonly frames: readonly [Picture] | readonly [Picture, Picture];
  /** Capture time of the first frame that no unit before has shown. */
  readonly capturedAtMs: number;
  /** Chunk of the utterance; null for a sparse unit. */
  readonly chunk: number | null;
}

const DENSE_INTERVAL_MS = 500;
const SPARSE_INTERVAL_MS = 2000;
const CHUNK_MS = 1000;
/** A camera that says 2 fps may be a little early. */
const TOLERANCE_MS = 50;
/** Pictures further apart are not one movement. */
const LONGEST_PAIR_MS = 1000;

interface Shown {
  readonly frame: Picture;
  readonly capturedAtMs: number;
}

export class FrameSampler {
  #lastTakenMs = Number.NEGATIVE_INFINITY;
  /** As the one before, but not forgotten where an utterance begins. */
  #lastShownMs = Number.NEGATIVE_INFINITY;
  /** At most two of the newest, at least `DENSE_INTERVAL_MS` apart, whether the model saw them or not. */
  #kept: Shown[] = [];
  #utteranceMs: number | null = null;
  #chunk = 0;
  #flushedChunk = -1;
  #pending: Shown[] = [];
  /** What stands before the first of `#pending`. */
  #before: Shown | null = null;

  /** A picture arrives; a sparse unit may leave at once. */
  push(frame: Picture, capturedAtMs: number): SampledUnit | null {
    const newestMs = this.#kept.at(-1)?.capturedAtMs ?? capturedAtMs;
    if (newestMs - capturedAtMs > SPARSE_INTERVAL_MS) this.#beginAnew();
    const before = this.#keep({ frame, capturedAtMs });
    const dense = this.#utteranceMs !== null;
    const intervalMs = dense ? DENSE_INTERVAL_MS : SPARSE_INTERVAL_MS;
    if (capturedAtMs - this.#lastTakenMs < intervalMs - TOLERANCE_MS) return null;
    this.#lastTakenMs = capturedAtMs;
    this.#lastShownMs = capturedAtMs;
    if (!dense) return { frames: [frame], capturedAtMs, chunk: null };
    if (this.#pending.length === 2 || this.#chunk === this.#flushedChunk) return null;
    if (this.#pending.length === 0) this.#before = before;
    this.#pending.push({ frame, capturedAtMs });
    return null;
  }

  /** Further back than any camera is late: its clock was set back. What it shows now counts. */
  #beginAnew(): void {
    this.#kept = [];
    this.#lastTakenMs = Number.NEGATIVE_INFINITY;
    this.#lastShownMs = Number.NEGATIVE_INFINITY;
  }

  /** The user starts to speak: dense from the next picture on. */
  startUtterance(): void {
    this.#utteranceMs = 0;
    this.#chunk = 0;
    this.#flushedChunk = -1;
    this.#pending = [];
    this.#lastTakenMs = Number.NEGATIVE_INFINITY;
  }

  /** Audio of the utterance has grown; `chunkEnded` with the chunk's unit when a second of it is full. */
  advance(audioMs: number): { readonly chunkEnded: boolean; readonly unit: SampledUnit | null } {
    if (this.#utteranceMs === null) return { chunkEnded: false, unit: null };
    this.#utteranceMs += audioMs;
    if (this.#utteranceMs < (this.#chunk + 1) * CHUNK_MS) return { chunkEnded: false, unit: null };
    const unit = this.#takeUnit();
    this.#chunk += 1;
    return { chunkEnded: true, unit };
  }

  /** The unit of the chunk under way, for the tail; later pictures of this chunk are not used. */
  flush(): SampledUnit | null {
    if (this.#utteranceMs === null) return null;
    const unit = this.#takeUnit();
    if (unit) this.#flushedChunk = this.#chunk;
    return unit;
  }

  /**
   * What the camera shows now, if that is news: as a sparse unit, also before the next one is due. Not while the user
   * speaks.
   */
  look(): SampledUnit | null {
    const newest = this.#kept.at(-1);
    if (this.#utteranceMs !== null || !newest) return null;
    if (newest.capturedAtMs - this.#lastShownMs < DENSE_INTERVAL_MS - TOLERANCE_MS) return null;
    this.#lastTakenMs = newest.capturedAtMs;
    this.#lastShownMs = newest.capturedAtMs;
    return { frames: [newest.frame], capturedAtMs: newest.capturedAtMs, chunk: null };
  }

  /** Sparse from now on. */
  endUtterance(): void {
    this.#utteranceMs = null;
    this.#pending = [];
  }

  #takeUnit(): SampledUnit | null {
    const [first, second] = this.#pending;
    this.#pending = [];
    if (!first) return null;
    const [one, other] = second ? [first, second] : [this.#before ?? first, first];
    return {
      frames: one === other ? [one.frame] : [one.frame, other.frame],
      capturedAtMs: first.capturedAtMs,
      chunk: this.#chunk,
    };
  }

  /** The picture that may stand before this one. */
  #keep(picture: Shown): Shown | null {
    const agesMs = this.#kept.map(({ capturedAtMs }) => picture.capturedAtMs - capturedAtMs);
    const at = agesMs.findLastIndex(ageMs => ageMs >= DENSE_INTERVAL_MS - TOLERANCE_MS);
    const before = at >= 0 && agesMs[at] <= LONGEST_PAIR_MS ? this.#kept[at] : null;
    if (at === this.#kept.length - 1) this.#kept = [...this.#kept.slice(-1), picture];
    return before;
  }
}
