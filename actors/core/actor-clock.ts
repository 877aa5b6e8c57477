import type { SchedulerLike } from 'rxjs';
import type { Clock, Timer, XStateClock } from './clock.ts';

/**
 * The clock that an actor receives. Its timers, XState's among them, belong to the actor: what they call runs to
 * completion like a message, what it throws reaches the supervisor, and a stop or restart cancels them.
 */
export class ActorClock implements Clock {
  readonly scheduler: SchedulerLike;
  readonly xstate: XStateClock;
  readonly #clock: Clock;
  readonly #run: (callback: () => void) => void;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, run: (callback: () => void) => void) {
    this.#clock = clock;
    this.#run = run;
    this.scheduler = clock.scheduler;
    this.xstate = {
      setTimeout: (callback, delayMs) => this.setTimer(delayMs, callback),
      clearTimeout: timer => (timer as Timer | undefined)?.cancel(),
    };
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new ActorTimer(this.#clock, this.#timers, delayMs, () => this.#run(callback));
  }

  settle<T>(work: Promise<T>, costMs?: number): Promise<T> {
    return this.#clock.settle(work, costMs);
  }

  cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
  }
}

class ActorTimer implements Timer {
  readonly #pending: Set<Timer>;
  readonly #inner: Timer;

  constructor(clock: Clock, pending: Set<Timer>, delayMs: number, callback: () => void) {
    this.#pending = pending;
    this.#inner = clock.setTimer(delayMs, () => {
      pending.delete(this);
      callback();
    });
    pending.add(this);
  }

  cancel(): void {
    this.#pending.delete(this);
    this.#inner.cancel();
  }
}
