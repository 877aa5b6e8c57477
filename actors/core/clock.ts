/**
 * Time enters the runtime through this interface and nowhere else (ARCHITECTURE.md §1). `RealClock` is the machine's
 * clock; `VirtualClock` is an event heap ordered by (time, sequence). Both also serve RxJS (`scheduler`) and
 * XState (`xstate`).
 */
import type { SchedulerLike } from 'rxjs';

export interface Clock {
  /** Milliseconds since the clock started; monotonic, fractional. */
  nowMs(): number;
  /** Runs `callback` after `delayMs` (≥ 0). Same due time: in the order of scheduling. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * The answer of work done outside the clock (an engine). Real clock: the promise itself. Virtual clock: resolves at
   * now + `costMs`, and the event loop waits for the promise before anything later happens, so that the order of
   * events never depends on how fast the host is.
   */
  settle<T>(work: PromiseLike<T>, costMs?: number): Promise<T>;
  readonly scheduler: SchedulerLike;
  readonly xstate: XStateClock;
}

export interface Timer {
  cancel(): void;
}

/** What XState v5 asks of a clock. */
export interface XStateClock {
  setTimeout(callback: (...args: unknown[]) => void, delayMs: number): unknown;
  clearTimeout(id: unknown): void;
}
