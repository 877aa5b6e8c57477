/** What a timer of one connection throws is that connection's own end, not the process's. */
import type { Clock, Timer } from '../../actors/core/clock.ts';

/** The part of the clock that a connection needs. */
export type Timers = Pick<Clock, 'nowMs' | 'setTimer'>;

/** The clock, whose callbacks of this owner may throw. */
export function guardedTimers(clock: Clock, onFault: (error: unknown) => void): Timers {
  const guarded = (callback: () => void) => () => {
    try {
      callback();
    } catch (error) {
      onFault(error);
    }
  };
  return {
    nowMs: () => clock.nowMs(),
    setTimer: (delayMs: number, callback: () => void): Timer => clock.setTimer(delayMs, guarded(callback)),
  };
}
