import type { SchedulerLike } from 'rxjs';
import type { Clock, Timer, XStateClock } from './clock.ts';

/**
 * The clock that an actor receives. Its timers, XState's among them, belong to the actor: what they call runs to completion like a
 * message, what it throws reaches the supervisor, and a stop or restart cancels them.
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
    const inner = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      this.#run(callback);
    });
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  settle<T>(work: Promise<T>, costMs?: number): Promise<T> {
    return this.#clock.settle(work, costMs);
  }

  cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
  }
}
