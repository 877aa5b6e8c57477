import { type Clock, integer, type Random, withTimers } from '../../actors/core/index.ts';

/**
 * A virtual clock whose timers are as late as a live process's: each by one of the measured latenesses, drawn. A timer
 * of 0 ms is not late, in a live process it runs in the next turn as well.
 */
export function lateTimers(clock: Clock, random: Random, latenessMs: readonly number[]): Clock {
  if (latenessMs.length === 0) return clock;
  return withTimers(clock, (delayMs, callback) => {
    const lateMs = delayMs > 0 ? latenessMs[integer(random, latenessMs.length)] : 0;
    return clock.setTimer(delayMs + lateMs, callback);
  });
}
