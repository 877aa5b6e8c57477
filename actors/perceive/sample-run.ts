/**
 * Stretches of audio that follow one another, joined when they are taken. Those that lie side by side in one buffer stay
 * where they are.
 */
export class SampleRun {
  readonly #earlier: Float32Array[] = [];
  #buffer: ArrayBufferLike | null = null;
  #fromByte = 0;
  #length = 0;

  add(samples: Float32Array): void {
    const { buffer, byteOffset, length, BYTES_PER_ELEMENT } = samples;
    if (buffer === this.#buffer && byteOffset === this.#fromByte + this.#length * BYTES_PER_ELEMENT) {
      this.#length += length;
      return;
    }
    if (this.#buffer) this.#earlier.push(this.#last());
    this.#buffer = buffer;
    this.#fromByte = byteOffset;
    this.#length = length;
  }

  /** Everything since the last time; null when there is nothing. */
  take(): Float32Array | null {
    if (!this.#buffer) return null;
    const last = this.#last();
    this.#buffer = null;
    if (this.#earlier.length === 0) return last;
    const parts = [...this.#earlier, last];
    this.#earlier.length = 0;
    const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  #last(): Float32Array {
    return new Float32Array(this.#buffer!, this.#fromByte, this.#length);
  }
}
