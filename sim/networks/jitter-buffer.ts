/**
 * The receiver's buffer at packet granularity, after the first model of docs/spec/latency-data.md §5.2: the target is the 95th
 * percentile of the relative delay of the last 30 s, at least one packet, and it moves by at most one packet in 500 ms.
 */
const WINDOW_MS = 30_000;
const RESIZE_MS = 500;
const TARGET = 0.95;
const MAX_PACKETS = 60;

export class JitterBuffer {
  depthPackets: number;
  concealed = 0;
  readonly #packetMs: number;
  /** Arrival of each packet sent, by number; null = lost. Those played are dropped. */
  readonly #arrivals: (number | null)[] = [];
  #firstKept = 0;
  readonly #delays: number[] = [];
  #tick = 0;

  constructor(packetMs: number, startPackets: number) {
    this.#packetMs = packetMs;
    this.depthPackets = startPackets;
  }

  /** The next packet, sent at `sentMs`, arrives then. */
  arrives(sentMs: number, arrivalMs: number | null): void {
    this.#arrivals.push(arrivalMs);
    if (arrivalMs === null) return;
    this.#delays.push(arrivalMs - sentMs);
    if (this.#delays.length * this.#packetMs > WINDOW_MS) this.#delays.shift();
  }

  /**
   * Once per packet time: the numbers of the packets to play now, −1 where one is concealed. Two when the buffer shrinks,
   * a concealed one when it grows.
   */
  play(nowMs: number): number[] {
    this.#tick += 1;
    const before = this.#firstKept;
    const due = this.#tick - this.depthPackets;
    const played: number[] = [];
    for (let packet = before; packet < due && packet < this.#firstKept + this.#arrivals.length; packet++) {
      const arrivalMs = this.#arrivals[packet - before];
      const isThere = arrivalMs !== null && arrivalMs <= nowMs;
      if (!isThere) this.concealed += 1;
      played.push(isThere ? packet : -1);
    }
    this.#arrivals.splice(0, played.length);
    this.#firstKept += played.length;
    if (this.#tick % Math.ceil(RESIZE_MS / this.#packetMs) === 0) this.#resize();
    return played.length > 0 || due <= 0 ? played : [-1];
  }

  #resize(): void {
    const sorted = [...this.#delays].sort((a, b) => a - b);
    if (sorted.length === 0) return;
    const targetMs = sorted[Math.floor((sorted.length - 1) * TARGET)];
    const target = Math.min(MAX_PACKETS, Math.max(1, Math.ceil(targetMs / this.#packetMs) + 1));
    this.depthPackets += Math.sign(target - this.depthPackets);
  }
}
