/** Sessions that failed though the scenario has nothing fail: the figures of such a run are not what they seem. */
import { RuntimeError } from '../kernels/errors.ts';
import type { RunResult } from './results.ts';

export interface Failed {
  readonly calls: number;
  readonly of: number;
  /** The commonest first. */
  readonly reasons: readonly string[];
}

/** Null where none did. */
export function failedCalls(runs: readonly Pick<RunResult, 'counts' | 'failures'>[]): Failed | null {
  const failures = runs.flatMap(run => run.failures).filter(({ isWanted }) => !isWanted);
  if (failures.length === 0) return null;
  const sorted = [...failures].sort((a, b) => b.calls - a.calls);
  return {
    calls: failures.reduce((sum, { calls }) => sum + calls, 0),
    of: runs.reduce((sum, { counts }) => sum + counts.calls, 0),
    reasons: [...new Set(sorted.map(({ reason }) => reason))],
  };
}

/** @throws RuntimeError `simulation.sessions-failed` */
export function checkNoneFailed(failed: Failed | null): void {
  if (!failed) return;
  throw new RuntimeError(
    'simulation.sessions-failed',
    'Sessions failed within the simulation, so that its figures are of those that were left.',
    { failed: failed.calls, of: failed.of, because: failed.reasons.slice(0, 3).join('; ') },
    'Mend what the reason names in the scenario; it may be a fault of the runtime.',
  );
}
