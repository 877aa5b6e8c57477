/** What RxJS and XState see of a clock. Both faces are thin: every delay is a timer of the clock itself. */
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock, Timer, XStateClock } from './clock.ts';

type SetTimer = (delayMs: number, callback: () => void) => Timer;
type DueWork<T> = (this: SchedulerAction<T>, state?: T) => void;

/** An RxJS scheduler whose delays are the clock's timers. A delay of Infinity never happens, one below 0 is 0. */
export function schedulerOf(nowMs: () => number, setTimer: SetTimer): SchedulerLike {
  return {
    now: nowMs,
    schedule: <T>(work: DueWork<T>, delayMs = 0, state?: T): Subscription =>
      new ClockAction<T>(setTimer, work).schedule(state, delayMs),
  };
}

/** The `clock` option of XState v5's `createActor`. */
export function xstateClockOf(setTimer: SetTimer): XStateClock {
  return {
    setTimeout: (callback, delayMs) => setTimer(delayMs, callback),
    clearTimeout: id => (id as Timer | undefined)?.cancel(),
  };
}

/** The same clock with other timers, for all that it serves. */
export function withTimers(clock: Clock, setTimer: SetTimer): Clock {
  const nowMs = () => clock.nowMs();
  return {
    nowMs,
    setTimer,
    settle: (work, costMs) => clock.settle(work, costMs),
    scheduler: schedulerOf(nowMs, setTimer),
    xstate: xstateClockOf(setTimer),
  };
}

/** Error `clock.bad-delay` unless the delay is a finite number ≥ 0. */
export function checkDelay(delayMs: number): void {
  if (delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY) return;
  throw new RuntimeError(
    'clock.bad-delay',
    'A timer needs a finite delay of at least 0 ms.',
    { delayMs },
    'Check the arithmetic that led to this delay.',
  );
}

/** Runs its work once, and again each time the work (or anyone later) calls `schedule` on it. */
class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #setTimer: SetTimer;
  readonly #work: DueWork<T>;
  readonly #fire: () => void;
  #state: T | undefined;
  #timer: Timer | null = null;

  constructor(setTimer: SetTimer, work: DueWork<T>) {
    super();
    this.#setTimer = setTimer;
    this.#work = work;
    this.#fire = this.#execute.bind(this);
  }

  schedule(state?: T, delayMs = 0): Subscription {
    if (this.closed) return this;
    this.#state = state;
    this.#timer?.cancel();
    this.#timer =
      delayMs === Number.POSITIVE_INFINITY ? null : this.#setTimer(Math.max(0, delayMs), this.#fire);
    return this;
  }

  override unsubscribe(): void {
    if (this.closed) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = undefined;
    super.unsubscribe();
  }

  #execute(): void {
    this.#timer = null;
    try {
      this.#work(this.#state);
    } catch (error) {
      this.unsubscribe();
      throw error;
    }
  }
}
