/**
 * Which pictures of the live stream the model sees (spec/model.md §5.4): while the user speaks two a second, merged in
 * pairs per 1 s chunk; otherwise one per 2 s, duplicated in time. The chunk is counted in the audio of the utterance.
 */
import type { RgbImage } from '../../kernels/engine/index.ts';

export interface SampledUnit {
  readonly frames: readonly [RgbImage] | readonly [RgbImage, RgbImage];
  /** Capture time of the first frame. */
  readonly capturedAtMs: number;
  /** Chunk of the utterance; null for a sparse unit. */
  readonly chunk: number | null;
}

const DENSE_INTERVAL_MS = 500;
const SPARSE_INTERVAL_MS = 2000;
const CHUNK_MS = 1000;
/** A camera that says 2 fps may be a little early. */
const TOLERANCE_MS = 50;

export class FrameSampler {
  #lastTakenMs = Number.NEGATIVE_INFINITY;
  #utteranceMs: number | null = null;
  #chunk = 0;
  #flushedChunk = -1;
  #pending: { readonly frame: RgbImage; readonly capturedAtMs: number }[] = [];

  /** A picture arrives; a sparse unit may leave at once. */
  push(frame: RgbImage, capturedAtMs: number): SampledUnit | null {
    const dense = this.#utteranceMs !== null;
    const intervalMs = dense ? DENSE_INTERVAL_MS : SPARSE_INTERVAL_MS;
    if (capturedAtMs - this.#lastTakenMs < intervalMs - TOLERANCE_MS) return null;
    this.#lastTakenMs = capturedAtMs;
    if (!dense) return { frames: [frame], capturedAtMs, chunk: null };
    if (this.#pending.length < 2 && this.#chunk !== this.#flushedChunk)
      this.#pending.push({ frame, capturedAtMs });
    return null;
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

  /** Sparse from now on. */
  endUtterance(): void {
    this.#utteranceMs = null;
    this.#pending = [];
  }

  #takeUnit(): SampledUnit | null {
    const [first, second] = this.#pending;
    this.#pending = [];
    if (!first) return null;
    return {
      frames: second ? [first.frame, second.frame] : [first.frame],
      capturedAtMs: first.capturedAtMs,
      chunk: this.#chunk,
    };
  }
}
