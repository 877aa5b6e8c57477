/**
 * Brings packets into order for an ear that needs no steady play-out: the model's. What is in order passes at once;
 * only what stands behind a hole waits, for as long as the arrivals scatter, then the hole is lost. A sequence without
 * a hole whose media time jumps is silence that was not sent (hold, discontinuous transmission), not loss. A packet of
 * no duration takes a number of the sequence and carries no sound (a key, RFC 4733). Pure: the caller brings the time
 * and asks again at `dueAtMs`.
 */
import { ArrivalJitter } from './arrival-jitter.ts';
import { ArrivalLateness } from './arrival-lateness.ts';

export interface Packet {
  /** Rises by one a packet; does not wrap (`SequenceUnwrapper`). */
  readonly sequence: number;
  /** Where the packet begins in the stream's own time. */
  readonly mediaMs: number;
  readonly durationMs: number;
  readonly payload: Buffer;
}

export type Heard =
  /**
   * It came at that time, so much later than the soonest of its stream, and may have waited since then for those before
   * it.
   */
  | {
      readonly type: 'sound';
      readonly payload: Buffer;
      readonly arrivalMs: number;
      readonly lateMs: number;
    }
  /** So much was sent and did not come. */
  | { readonly type: 'lost'; readonly ms: number }
  /** So much was not sent. */
  | { readonly type: 'gap'; readonly ms: number };

export interface JitterCounts {
  lost: number;
  /** Came after they were given up. */
  late: number;
  duplicate: number;
  /** Came behind a later one, and in time. */
  reordered: number;
  /** Gave way because too many waited. */
  overflowed: number;
}

interface HeldPacket {
  readonly packet: Packet;
  readonly arrivalMs: number;
  readonly lateMs: number;
}

/** The least and the most that a hole is waited for. */
const WAIT_MS = { least: 20, most: 200 };
/** Of the jitter: deviations of real networks are seldom larger. */
const JITTERS = 4;
const MAX_HELD_PACKETS = 64;
/** Sequences further apart are another stream: its sender began anew. */
const RESTART_AFTER = 1000;
/** Rounded timestamps are no gap. */
const GAP_MS = 30;

export class JitterBuffer {
  readonly counts: JitterCounts = { lost: 0, late: 0, duplicate: 0, reordered: 0, overflowed: 0 };
  readonly #jitter = new ArrivalJitter();
  readonly #lateness = new ArrivalLateness();
  /** Behind a hole, by sequence, with their arrival. */
  readonly #held = new Map<number, HeldPacket>();
  #next: number | null = null;
  /** Where the stream's time stands. */
  #mediaMs = 0;
  /** Lost before packets without sound. */
  #missing = 0;

  /** How long a hole is waited for now. */
  get waitMs(): number {
    return Math.min(WAIT_MS.most, WAIT_MS.least + JITTERS * this.#jitter.ms);
  }

  /** When `due` has something to give though nothing comes; null: never. */
  get dueAtMs(): number | null {
    if (this.#held.size === 0) return null;
    let first = Number.POSITIVE_INFINITY;
    for (const { arrivalMs } of this.#held.values()) first = Math.min(first, arrivalMs);
    return first + this.waitMs;
  }

  push(packet: Packet, nowMs: number): Heard[] {
    const heard: Heard[] = [];
    if (this.#next === null || Math.abs(packet.sequence - this.#next) > RESTART_AFTER) {
      heard.push(...this.drain());
      this.#restart(packet);
    }
    const next = this.#next!;
    const { sequence } = packet;
    if (sequence < next) {
      this.counts.late += 1;
      return [];
    }
    if (this.#held.has(sequence)) {
      this.counts.duplicate += 1;
      return [];
    }
    let lateMs = 0;
    if (packet.durationMs > 0) {
      this.#jitter.arrived(packet.mediaMs, nowMs);
      lateMs = this.#lateness.arrived(packet.mediaMs, nowMs);
    }
    if (sequence === next) {
      if (this.#held.size > 0) this.counts.reordered += 1;
      this.#take(packet, nowMs, lateMs, heard);
    } else this.#held.set(sequence, { packet, arrivalMs: nowMs, lateMs });
    this.#takeInOrder(heard);
    if (this.#held.size > MAX_HELD_PACKETS) {
      this.counts.overflowed += 1;
      this.#skipHole(heard);
    }
    return heard;
  }

  /** What need not wait any longer. */
  due(nowMs: number): Heard[] {
    const heard: Heard[] = [];
    while (this.#held.size > 0 && this.dueAtMs! <= nowMs + 1e-6) this.#skipHole(heard);
    return heard;
  }

  /** All that waits: the stream is over. */
  drain(): Heard[] {
    const heard: Heard[] = [];
    while (this.#held.size > 0) this.#skipHole(heard);
    return heard;
  }

  /**
   * Nothing comes, and so much time has passed: it is silence now, and the stream is further by as much when it goes
   * on.
   */
  fill(ms: number): Heard[] {
    if (this.#next !== null) this.#mediaMs += ms;
    return [{ type: 'gap', ms }];
  }

  /** What comes next is another stream, whatever its numbers. */
  restart(): Heard[] {
    const heard = this.drain();
    this.#next = null;
    return heard;
  }

  #restart({ sequence, mediaMs }: Packet): void {
    this.#missing = 0;
    this.#jitter.restart();
    this.#lateness.restart();
    this.#next = sequence;
    this.#mediaMs = mediaMs;
  }

  #takeInOrder(heard: Heard[]): void {
    while (this.#held.size > 0) {
      const one = this.#held.get(this.#next!);
      if (!one) return;
      this.#held.delete(this.#next!);
      this.#take(one.packet, one.arrivalMs, one.lateMs, heard);
    }
  }

  /** The next one of the sequence. */
  #take(packet: Packet, arrivalMs: number, lateMs: number, heard: Heard[]): void {
    this.#next! += 1;
    const { mediaMs, durationMs, payload } = packet;
    if (durationMs === 0) return;
    this.#lose(this.#missing, packet, heard);
    const gapMs = mediaMs - this.#mediaMs;
    if (gapMs > GAP_MS) {
      heard.push({ type: 'gap', ms: gapMs });
      this.#jitter.restart();
    }
    // Time that goes back is a sender's clock set anew.
    this.#mediaMs = mediaMs + durationMs;
    heard.push({ type: 'sound', payload, arrivalMs, lateMs });
  }

  /** The hole before the first that waits is lost. */
  #skipHole(heard: Heard[]): void {
    const first = Math.min(...this.#held.keys());
    const missing = first - this.#next!;
    const { packet } = this.#held.get(first)!;
    this.counts.lost += missing;
    // Where no sound follows at once, how much is missing is known when it does.
    if (packet.durationMs === 0) this.#missing += missing;
    else this.#lose(this.#missing + missing, packet, heard);
    this.#next = first;
    this.#takeInOrder(heard);
  }

  /** As long as it was in the stream's time, at most as many packets of this length: the rest was not sent. */
  #lose(missing: number, packet: Packet, heard: Heard[]): void {
    this.#missing = 0;
    const ms = Math.min(Math.max(0, packet.mediaMs - this.#mediaMs), missing * packet.durationMs);
    if (ms > 0) heard.push({ type: 'lost', ms });
    this.#mediaMs += ms;
  }
}
