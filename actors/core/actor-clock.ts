import type { SchedulerLike } from 'rxjs';
import type { Clock, Timer, XStateClock } from './clock.ts';
import { schedulerOf, xstateClockOf } from './clock-faces.ts';

/**
 * The clock that an actor receives. Its timers belong to the actor, XState's and those of RxJS's operators among them:
 * what they call waits for the actor's turn and runs to completion like a message, what it throws reaches the
 * supervisor, and a stop or restart cancels them. So the mailbox is a scheduler, and `observeOn(clock.scheduler)`
 * brings a stream from outside into it.
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
    const setTimer = (delayMs: number, callback: () => void) => this.setTimer(delayMs, callback);
    this.scheduler = schedulerOf(() => clock.nowMs(), setTimer);
    this.xstate = xstateClockOf(setTimer);
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new ActorTimer(this.#clock, this.#timers, delayMs, callback, this.#run);
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

  constructor(
    clock: Clock,
    pending: Set<Timer>,
    delayMs: number,
    callback: () => void,
    run: (callback: () => void) => void,
  ) {
    this.#pending = pending;
    this.#inner = clock.setTimer(delayMs, () => {
      pending.delete(this);
      run(callback);
    });
    pending.add(this);
  }

  cancel(): void {
    this.#pending.delete(this);
    this.#inner.cancel();
  }
}
