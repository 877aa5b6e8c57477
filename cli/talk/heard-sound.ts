import type { Clock } from '../../actors/core/clock.ts';

const MAX_HEARD_MS = 4 * 3_600_000;

/**
 * What reaches the ear, each sample at its time: pieces follow one another, and what is thrown away was never heard.
 */
export class HeardSound {
  readonly #clock: Clock;
  readonly #sampleRate: number;
  readonly #startedAtMs: number;
  readonly #pieces: { at: number; samples: Float32Array }[] = [];
  #playedUntil = 0;

  constructor(clock: Clock, sampleRate: number) {
    this.#clock = clock;
    this.#sampleRate = sampleRate;
    this.#startedAtMs = clock.nowMs();
  }

  /** Milliseconds until everything has been heard. */
  get remainingMs(): number {
    return Math.max(0, ((this.#playedUntil - this.#now()) * 1000) / this.#sampleRate);
  }

  /** When, by the clock. */
  get endsAtMs(): number {
    return this.#startedAtMs + (this.#playedUntil * 1000) / this.#sampleRate;
  }

  add(samples: Float32Array): void {
    const at = Math.max(this.#now(), this.#playedUntil);
    if (at > (MAX_HEARD_MS / 1000) * this.#sampleRate) return;
    this.#pieces.push({ at, samples });
    this.#playedUntil = at + samples.length;
  }

  /** What has not been played yet never will be. */
  clear(): void {
    const now = this.#now();
    for (
      let piece = this.#pieces.at(-1);
      piece && piece.at + piece.samples.length > now;
      piece = this.#pieces.at(-1)
    ) {
      this.#pieces.pop();
      if (piece.at >= now) continue;
      this.#pieces.push({ at: piece.at, samples: piece.samples.subarray(0, now - piece.at) });
      break;
    }
    this.#playedUntil = Math.min(this.#playedUntil, now);
  }

  /** From the start, silence included. */
  recording(): Float32Array {
    const recording = new Float32Array(this.#playedUntil);
    for (const { at, samples } of this.#pieces) recording.set(samples, at);
    return recording;
  }

  #now(): number {
    return Math.round(((this.#clock.nowMs() - this.#startedAtMs) * this.#sampleRate) / 1000);
  }
}
