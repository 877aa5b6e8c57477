/** Audio of any lengths cut into frames of one length, so that each frame is a message of its own. */
export class Framer {
  readonly #partial: Float32Array;
  #filled = 0;

  constructor(frameSamples: number) {
    this.#partial = new Float32Array(frameSamples);
  }

  /** Frames are copies; what does not fill one waits for the next call. */
  push(samples: Float32Array, each: (frame: Float32Array) => void): void {
    const { length } = this.#partial;
    let at = 0;
    while (at < samples.length) {
      if (this.#filled === 0 && samples.length - at >= length) {
        each(samples.slice(at, at + length));
        at += length;
        continue;
      }
      const part = Math.min(length - this.#filled, samples.length - at);
      this.#partial.set(samples.subarray(at, at + part), this.#filled);
      this.#filled += part;
      at += part;
      if (this.#filled < length) return;
      this.#filled = 0;
      each(this.#partial.slice());
    }
  }
}
