import { SampleSlab } from '../../kernels/sample-slab.ts';

/** Audio of any lengths cut where frames end, so that each piece is a whole number of them. */
export class Framer {
  readonly #partial: Float32Array;
  readonly #slab = new SampleSlab();
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
      frames = this.#slab.take(whole);
      copy(this.#partial, 0, this.#filled, frames, 0);
      copy(samples, 0, used, frames, this.#filled);
      this.#filled = 0;
    }
    copy(samples, used, samples.length, this.#partial, this.#filled);
    this.#filled += samples.length - used;
    return frames;
  }
}

/** For a packet's few samples an array that looks at them would cost more than the copy. */
function copy(source: Float32Array, from: number, to: number, target: Float32Array, at: number): void {
  for (let n = from; n < to; n++) target[at + n - from] = source[n];
}
