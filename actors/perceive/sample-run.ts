/**
 * Stretches of audio that follow one another, joined when they are taken. Those that lie side by side in one packet
 * stay where they are.
 */
export class SampleRun {
  readonly #earlier: Float32Array[] = [];
  #packet: Float32Array | null = null;
  #from = 0;
  #to = 0;

  /** Samples [from, to) of the packet. */
  add(packet: Float32Array, from: number, to: number): void {
    if (packet === this.#packet && from === this.#to) {
      this.#to = to;
      return;
    }
    if (this.#packet) this.#earlier.push(this.#last(this.#packet));
    this.#packet = packet;
    this.#from = from;
    this.#to = to;
  }

  /** Everything since the last time; null when there is nothing. */
  take(): Float32Array | null {
    if (!this.#packet) return null;
    const last = this.#last(this.#packet);
    this.#packet = null;
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

  #last(packet: Float32Array): Float32Array {
    const isWhole = this.#from === 0 && this.#to === packet.length;
    return isWhole ? packet : packet.subarray(this.#from, this.#to);
  }
}
