import type { CapacityResult } from '../../sim/capacity.ts';
import type { DayResult } from '../../sim/day/run-day.ts';
import type { Point } from '../../sim/experiments.ts';

/** The same text for the same results; times with a thousandth of a millisecond. */
export function jsonReport(
  points: readonly Point[],
  capacity: CapacityResult | null,
  day: DayResult | null = null,
): string {
  const report = {
    points: points.map(({ value, scenario, runs, summary }) => ({
      scenario: scenario.name,
      ...(scenario.sweep && { [scenario.sweep.path]: value }),
      summary,
      runs: runs.map(({ gantt: _, ...run }) => run),
    })),
    ...(capacity && { capacity }),
    ...(day && { day }),
  };
  const rounded = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(3)) : value;
  return JSON.stringify(report, rounded, 2);
}
