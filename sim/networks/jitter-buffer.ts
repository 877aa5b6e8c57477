import { DelayHistogram } from './delay-histogram.ts';

/**
 * The receiver's buffer at packet granularity, after the first model of docs/spec/latency-data.md §5.2: the target is
 * the 95th percentile of the relative delay of the last 30 s, at least one packet, and it moves by at most one packet
 * in 500 ms.
 */
const RESIZE_MS = 500;

/** What is played in one packet time. */
export interface PlayedPacket {
  /** Number of the packet; −1 where there is none: the buffer has just grown. */
  readonly packet: number;
  /** False: it is concealed. */
  readonly isThere: boolean;
}

const NOTHING: readonly PlayedPacket[] = [];
const STRETCHED: readonly PlayedPacket[] = [{ packet: -1, isThere: false }];

export interface JitterBufferOptions {
  /** Each packet carries the one before as well (Opus FEC, docs/spec/latency-data.md §5.5). */
  readonly repairs?: boolean;
}

export class SimulatedJitterBuffer {
  depthPackets: number;
  /** Packets of the sender that did not come in time. */
  concealed = 0;
  readonly #resizeTicks: number;
  /** Arrival of each packet sent, by number; null = lost. Those played are dropped. */
  readonly #arrivals: (number | null)[] = [];
  #firstKept = 0;
  readonly #delays: DelayHistogram;
  readonly #repairs: boolean;
  #tick = 0;

  constructor(packetMs: number, startPackets: number, { repairs = false }: JitterBufferOptions = {}) {
    this.#repairs = repairs;
    this.#resizeTicks = Math.ceil(RESIZE_MS / packetMs);
    this.#delays = new DelayHistogram(packetMs);
    this.depthPackets = startPackets;
  }

  /** The next packet, sent at `sentMs`, arrives then. */
  arrives(sentMs: number, arrivalMs: number | null): void {
    this.#arrivals.push(arrivalMs);
    if (arrivalMs !== null) this.#delays.add(arrivalMs - sentMs);
  }

  /** Once per packet time: what to play now. Two packets when the buffer shrinks, an invented one when it grows. */
  play(nowMs: number): readonly PlayedPacket[] {
    this.#tick += 1;
    const due = this.#tick - this.depthPackets;
    let played: readonly PlayedPacket[] = NOTHING;
    while (this.#firstKept < due && this.#arrivals.length > 0) {
      const arrivalMs = this.#arrivals.shift()!;
      const isThere = isBy(arrivalMs, nowMs) || (this.#repairs && isBy(this.#arrivals[0], nowMs));
      if (!isThere) this.concealed += 1;
      const one = { packet: this.#firstKept++, isThere };
      played = played.length === 0 ? [one] : [...played, one];
    }
    if (this.#tick % this.#resizeTicks === 0) {
      const target = this.#delays.target();
      if (target !== null) this.depthPackets += Math.sign(target - this.depthPackets);
    }
    return played.length > 0 || due <= 0 ? played : STRETCHED;
  }
}

function isBy(arrivalMs: number | null | undefined, nowMs: number): boolean {
  return arrivalMs !== null && arrivalMs !== undefined && arrivalMs <= nowMs;
}
