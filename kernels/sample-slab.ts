/**
 * Arrays for short stretches of sound, many a second, cut out of a larger one: memory of its own for twenty
 * milliseconds costs more than what is done with them. What is cut is nobody's but its taker's, who writes all of it:
 * it holds what was there before. The larger one lives as long as any of its parts.
 */
const SLAB_SAMPLES = 4096;

export class SampleSlab {
  #slab = new ArrayBuffer(0);
  #at = 0;

  take(count: number): Float32Array<ArrayBuffer> {
    if (count > SLAB_SAMPLES / 4) return new Float32Array(count);
    const bytes = count * Float32Array.BYTES_PER_ELEMENT;
    if (this.#at + bytes > this.#slab.byteLength) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_SAMPLES * Float32Array.BYTES_PER_ELEMENT).buffer;
      this.#at = 0;
    }
    const samples = new Float32Array(this.#slab, this.#at, count);
    this.#at += bytes;
    return samples;
  }
}
