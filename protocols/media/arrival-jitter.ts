/**
 * The interarrival jitter of RFC 3550 §6.4.1: the mean deviation of the difference D in spacing between packets as they
 * were sent and as they arrive, smoothed by a sixteenth.
 */
export class ArrivalJitter {
  #jitterMs = 0;
  #transitMs: number | null = null;

  get ms(): number {
    return this.#jitterMs;
  }

  /** A packet that was made at `mediaMs` of its stream arrived. */
  arrived(mediaMs: number, arrivalMs: number): void {
    const transitMs = arrivalMs - mediaMs;
    if (this.#transitMs !== null)
      this.#jitterMs += (Math.abs(transitMs - this.#transitMs) - this.#jitterMs) / 16;
    this.#transitMs = transitMs;
  }

  /** The stream's clock jumped: the next packet is compared with none. */
  restart(): void {
    this.#transitMs = null;
  }
}
