import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { checkDelay, schedulerOf, xstateClockOf } from '../core/clock-faces.ts';
import { VirtualClock } from '../core/virtual-clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
  /** Once time runs freely. */
  timer: Timer | null;
}

/**
 * Virtual time that first follows a recording, entry by entry: the recording says which timer fires when, also how late
 * the machine was. Set free, it goes on by itself as any virtual clock.
 */
export class ReplayClock implements Clock {
  readonly scheduler = schedulerOf(
    () => this.nowMs(),
    (delayMs, callback) => this.setTimer(delayMs, callback),
  );
  readonly xstate = xstateClockOf((delayMs, callback) => this.setTimer(delayMs, callback));
  readonly #onSet: (dueMs: number) => void;
  readonly #pending = new Map<number, Pending>();
  #virtual: VirtualClock | null = null;
  #nowMs: number;
  #timers = 0;

  constructor(startMs: number, onSet: (dueMs: number) => void) {
    this.#nowMs = startMs;
    this.#onSet = onSet;
  }

  nowMs(): number {
    return this.#virtual?.nowMs() ?? this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#virtual) return this.#virtual.setTimer(delayMs, callback);
    checkDelay(delayMs);
    const id = this.#timers++;
    const pending: Pending = { dueMs: this.#nowMs + delayMs, callback, timer: null };
    this.#pending.set(id, pending);
    this.#onSet(pending.dueMs);
    return {
      cancel: () => {
        this.#pending.delete(id);
        pending.timer?.cancel();
      },
    };
  }

  settle<T>(work: PromiseLike<T>, costMs?: number): Promise<T> {
    if (this.#virtual) return this.#virtual.settle(Promise.resolve(work), costMs);
    throw new RuntimeError(
      'replay.settle',
      'While a recording is followed its entries settle work, nobody else.',
    );
  }

  /** Following: moves to the time of an entry. */
  follow(atMs: number): void {
    this.#nowMs = atMs;
  }

  /** Following: fires the nth timer. Returns false when it is not set. */
  fire(id: number): boolean {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.callback();
    return pending !== undefined;
  }

  /** Forgets what was set: the recording counts from its first entry. */
  startCounting(): void {
    this.#pending.clear();
    this.#timers = 0;
  }

  /** From here on timers fire when they are due. */
  setFree(): VirtualClock {
    const virtual = new VirtualClock();
    virtual.runUntilSync(this.#nowMs);
    this.#virtual = virtual;
    for (const [id, pending] of this.#pending) {
      pending.timer = virtual.setTimer(Math.max(0, pending.dueMs - this.#nowMs), () => {
        this.#pending.delete(id);
        pending.callback();
      });
    }
    return virtual;
  }
}
