/** Calls that come and go at a rate that follows a curve. */
import type { Scenario } from './scenarios/schema.ts';

export type Calls = Extract<Scenario['load'], { readonly callsPerMinute: number }>;

/** How many times the rate it is at this time. */
export function factorAt({ curve }: Calls, atMs: number): number {
  const past = curve.filter(({ atS }) => atS * 1000 <= atMs);
  return past.reduce((latest, each) => (each.atS >= latest.atS ? each : latest), { atS: -1, factor: 1 })
    .factor;
}

export function greatestFactor(load: Calls): number {
  return Math.max(...load.curve.map(({ factor }) => factor), factorAt(load, 0));
}
