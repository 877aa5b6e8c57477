/** Audio of any lengths cut where frames end, so that each piece is a whole number of them. */
export class Framer {
  readonly #partial: Float32Array;
  #filled = 0;

  constructor(frameSamples: number) {
    this.#partial = new Float32Array(frameSamples);
  }

  get frameSamples(): number {
    return this.#partial.length;
  }

  /** Something waits for the rest of its frame. */
  get isBegun(): boolean {
    return this.#filled > 0;
  }

  /**
   * All frames that are full: the samples themselves where nothing waits; null when none is. What does not fill one
   * waits for the next call.
   */
  push(samples: Float32Array): Float32Array | null {
    const { length } = this.#partial;
    if (this.#filled === 0 && samples.length % length === 0) return samples.length > 0 ? samples : null;
    const whole = Math.floor((this.#filled + samples.length) / length) * length;
    const used = Math.max(0, whole - this.#filled);
    let frames: Float32Array | null = null;
    if (whole > 0) {
      frames = new Float32Array(whole);
      frames.set(this.#partial.subarray(0, this.#filled));
      frames.set(used === samples.length ? samples : samples.subarray(0, used), this.#filled);
      this.#filled = 0;
    }
    if (used < samples.length) {
      this.#partial.set(samples.subarray(used), this.#filled);
      this.#filled += samples.length - used;
    }
    return frames;
  }
}
