/**
 * One timer for all calls' packets. A period of 20 ms is divided into slots, each call has one, and a slot's calls send
 * together: so a thousand calls wake the process 500 times a second, not 50 000 times, and no two slots pile up on each
 * other. Due times are multiples of the slot from the wheel's beginning: a late wake-up delays its own packets and no
 * later ones.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';

export const PERIOD_MS = 20;
const SLOT_MS = 2;
const SLOTS = PERIOD_MS / SLOT_MS;
/** What was missed by more is not made good: a burst of old packets helps nobody. */
const MAX_LATE_MS = 200;

export interface WheelMember {
  /**
   * `dueAtMs`: when it should have been called, so that what was missed can be counted. May throw: that is the member's
   * own end.
   */
  tick(dueAtMs: number): void;
  fault(error: unknown): void;
}

export class PaceWheel {
  /** Told of every wake-up: how late it was, and for how many members. */
  onTurn: ((lateMs: number, members: number) => void) | null = null;
  readonly #clock: Timers;
  readonly #startMs: number;
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<WheelMember>());
  /** The slot that is due next, counted from the beginning. */
  #next = 0;
  #size = 0;
  #timer: Timer | null = null;

  constructor(clock: Timers) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  get size(): number {
    return this.#size;
  }

  /** From now on, once a period; the way out is what is returned. */
  join(member: WheelMember): () => void {
    let slot = 0;
    for (let n = 1; n < SLOTS; n++) if (this.#slots[n].size < this.#slots[slot].size) slot = n;
    this.#slots[slot].add(member);
    this.#size += 1;
    if (!this.#timer) this.#next = Math.ceil((this.#clock.nowMs() - this.#startMs) / SLOT_MS);
    this.#arm();
    return () => {
      if (!this.#slots[slot].delete(member)) return;
      this.#size -= 1;
      if (this.#size > 0) return;
      this.#timer?.cancel();
      this.#timer = null;
    };
  }

  #arm(): void {
    if (this.#timer || this.#size === 0) return;
    while (this.#slots[this.#next % SLOTS].size === 0) this.#next += 1;
    this.#timer = this.#clock.setTimer(Math.max(0, this.#dueAtMs - this.#clock.nowMs()), () => this.#turn());
  }

  get #dueAtMs(): number {
    return this.#startMs + this.#next * SLOT_MS;
  }

  #turn(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#dueAtMs > MAX_LATE_MS) {
      const periods = Math.floor((nowMs - this.#dueAtMs) / PERIOD_MS);
      this.#next += periods * SLOTS;
    }
    for (; this.#dueAtMs <= nowMs + 1e-6; this.#next++) {
      const slot = this.#slots[this.#next % SLOTS];
      const dueAtMs = this.#dueAtMs;
      if (slot.size > 0) this.onTurn?.(nowMs - dueAtMs, slot.size);
      for (const member of slot) {
        try {
          member.tick(dueAtMs);
        } catch (error) {
          member.fault(error);
        }
      }
    }
    this.#arm();
  }
}
