/**
 * How much later than the soonest of its stream a packet came: what the network took beyond its least. Clocks drift, so
 * the soonest is one of the last seconds.
 */

/** The soonest of this stretch and of the one before it count. */
const STRETCH_MS = 5000;
/** More is no network but another clock of the sender's. */
const MOST_LATE_MS = 2000;

export class ArrivalLateness {
  #leastMs = Number.POSITIVE_INFINITY;
  #leastBeforeMs = Number.POSITIVE_INFINITY;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** A packet that was made at `mediaMs` of its stream arrived. */
  arrived(mediaMs: number, arrivalMs: number): number {
    const transitMs = arrivalMs - mediaMs;
    if (arrivalMs - this.#sinceMs >= STRETCH_MS) {
      this.#leastBeforeMs = this.#leastMs;
      this.#leastMs = transitMs;
      this.#sinceMs = arrivalMs;
    }
    if (transitMs < this.#leastMs) this.#leastMs = transitMs;
    const lateMs = transitMs - Math.min(this.#leastMs, this.#leastBeforeMs);
    if (lateMs <= MOST_LATE_MS) return lateMs;
    this.restart();
    return 0;
  }

  /** What comes next is of another clock. */
  restart(): void {
    this.#leastMs = Number.POSITIVE_INFINITY;
    this.#leastBeforeMs = Number.POSITIVE_INFINITY;
    this.#sinceMs = Number.NEGATIVE_INFINITY;
  }
}
