/**
 * Delays of the last 30 s, counted in packets, after the first model of docs/spec/latency-data.md §5.2: the 95th
 * percentile in constant time.
 */
const WINDOW_MS = 30_000;
const TARGET = 0.95;
const MAX_PACKETS = 60;

export class DelayHistogram {
  readonly #packetMs: number;
  readonly #counts = new Int32Array(MAX_PACKETS + 1);
  /** The packets of the window, as a ring. */
  readonly #ring: Uint8Array;
  #next = 0;
  #count = 0;

  constructor(packetMs: number) {
    this.#packetMs = packetMs;
    this.#ring = new Uint8Array(Math.max(1, Math.floor(WINDOW_MS / packetMs)));
  }

  add(delayMs: number): void {
    const packets = Math.min(MAX_PACKETS, Math.max(0, Math.ceil(delayMs / this.#packetMs)));
    if (this.#count === this.#ring.length) this.#counts[this.#ring[this.#next]] -= 1;
    else this.#count += 1;
    this.#ring[this.#next] = packets;
    this.#counts[packets] += 1;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  /** Packets that a buffer should hold: the 95th percentile of the delay, and one more; null before the first delay. */
  target(): number | null {
    if (this.#count === 0) return null;
    let left = Math.floor((this.#count - 1) * TARGET);
    let packets = 0;
    while (left >= this.#counts[packets]) left -= this.#counts[packets++];
    return Math.min(MAX_PACKETS, Math.max(1, packets + 1));
  }
}
