import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Milliseconds per call: median and quartiles over the rounds. */
export interface Measured {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Until the machine code of all that is called is made and the threads that make it are quiet. */
const WARM_UP_MS = 300;

/**
 * This thread does nothing else, so the process's CPU time is the call's, with the threads that collect its garbage.
 */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** For what several threads compute. */
export const wallMs = (): number => performance.now();

function repeatFor(ms: number, call: () => void, nowMs: () => number): void {
  const start = nowMs();
  do call();
  while (nowMs() - start < ms);
}

/** Calls in alternation, so that a change of the machine's pace meets all of them alike; each long enough to time. */
export function measure(
  calls: readonly (() => void)[],
  rounds = 15,
  nowMs: () => number = cpuMs,
  atLeastMs = 25,
): Measured[] {
  // What was there before is not these calls' to collect. Not in every round: that would throw away compiled code.
  collectGarbage();
  const repeats = calls.map(call => {
    repeatFor(WARM_UP_MS, call, nowMs);
    const start = nowMs();
    call();
    const once = Math.max(nowMs() - start, 1e-3);
    return Math.min(Math.max(Math.ceil(atLeastMs / once), 1), 2000);
  });
  const times = calls.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    calls.forEach((call, c) => {
      const start = nowMs();
      for (let i = 0; i < repeats[c]; i++) call();
      times[c].push((nowMs() - start) / repeats[c]);
    });
  }
  return times.map(samples => {
    samples.sort((a, b) => a - b);
    const at = (share: number) => samples[Math.floor(share * (samples.length - 1))];
    return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
  });
}

export function showTime({ median, lower, upper }: Measured): string {
  const digits = median < 10 ? 3 : 1;
  return `${median.toFixed(digits)} ms [${lower.toFixed(digits)}–${upper.toFixed(digits)}]`;
}
