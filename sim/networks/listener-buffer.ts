import { DelayHistogram } from './delay-histogram.ts';

/** Moves by at most one packet in this time while somebody speaks; between two replies it moves at once. */
const RESIZE_MS = 500;

/**
 * The listener's adaptive buffer for paced audio (docs/spec/latency-data.md §5.2): each packet sounds at its place in
 * the sender's time plus a depth that follows the delays of the last 30 s. What is not there by then is concealed.
 */
export class ListenerBuffer {
  readonly #packetMs: number;
  readonly #delays: DelayHistogram;
  #depthPackets: number;
  /** Where the sound sent so far ends in the sender's time. */
  #mediaEndMs = Number.NEGATIVE_INFINITY;
  #resizedMs = Number.NEGATIVE_INFINITY;
  /** When the newest packet would have sounded, where it did not come in time. */
  #missedMs: number | null = null;

  constructor(packetMs: number, startPackets: number) {
    this.#packetMs = packetMs;
    this.#delays = new DelayHistogram(packetMs);
    this.#depthPackets = startPackets;
  }

  /** A packet sent now. Returns when it sounds; null where it is concealed. */
  place(sentMs: number, lengthMs: number, arrivalMs: number | null): number | null {
    const isNew = sentMs > this.#mediaEndMs;
    const mediaMs = Math.max(sentMs, this.#mediaEndMs);
    this.#mediaEndMs = mediaMs + lengthMs;
    this.#resize(mediaMs, isNew);
    if (arrivalMs !== null) this.#delays.add(arrivalMs - mediaMs);
    const dueMs = mediaMs + this.#depthPackets * this.#packetMs;
    const isThere = arrivalMs !== null && arrivalMs <= dueMs;
    this.#missedMs = isThere ? null : dueMs;
    return isThere ? dueMs : null;
  }

  /**
   * The next packet, to be asked before it is placed: when the one before sounds after all, which it carries as well;
   * null where it does not.
   */
  repaired(arrivalMs: number | null): number | null {
    const missedMs = this.#missedMs;
    return missedMs !== null && arrivalMs !== null && arrivalMs <= missedMs ? missedMs : null;
  }

  #resize(mediaMs: number, isNew: boolean): void {
    const target = this.#delays.target();
    if (target === null || (!isNew && mediaMs - this.#resizedMs < RESIZE_MS)) return;
    this.#resizedMs = mediaMs;
    this.#depthPackets = isNew ? target : this.#depthPackets + Math.sign(target - this.#depthPackets);
  }
}
