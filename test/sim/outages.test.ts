/** A host that is lost takes its caches with it; sessions that fail are never passed over in silence. */
import { describe, expect, it } from 'vitest';
import { textReport } from '../../cli/sim/text-report.ts';
import { runExperiment } from '../../sim/experiments.ts';
import { checkNoneFailed, failedCalls } from '../../sim/failures.ts';
import type { RunResult } from '../../sim/results.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const SMALL = {
  name: 'outage',
  durationS: 50,
  warmUpS: 5,
  load: { sessions: 4 },
  people: { noisesPerMinute: 0 },
  transport: { kind: 'websocket', packetMs: 100 },
  engine: { law: 'linear', languageModel: { stepMs: 8, perPrefillPositionMs: 0.1 } },
};
const withOutages = (outages: { atS: number; forS: number }[]) =>
  parseScenario({ ...SMALL, engine: { ...SMALL.engine, outages } });
const slowest = ({ turns }: RunResult) => Math.max(...turns.map(({ firstAudioMs }) => firstAudioMs));

describe('a host that is lost', () => {
  it('for no time costs nobody’s call, and what it had cached is prefilled again', async () => {
    const [calm, lost] = await Promise.all([
      runScenario(withOutages([]), 1),
      runScenario(withOutages([{ atS: 25, forS: 0 }]), 1),
    ]);
    expect(lost.counts.failed).toBe(0);
    expect(lost.turns.length).toBeGreaterThan(15);
    const earlyTurns = (run: RunResult) => run.turns.filter(({ atMs }) => atMs < 20_000);
    expect(earlyTurns(lost)).toEqual(earlyTurns(calm));
    expect(lost.devices[0]).not.toEqual(calm.devices[0]);
  });

  it('for less than the runtime waits makes somebody wait so long, and ends no call', async () => {
    const times = [20, 26, 32, 38].map(atS => ({ atS, forS: 3 }));
    const run = await runScenario(withOutages(times), 1);
    expect(run.counts.failed).toBe(0);
    expect(slowest(run)).toBeGreaterThan(1500);
    expect(slowest(run)).toBeLessThan(3000 + 1500);
  });

  it('for longer ends the calls that wait; the report counts them, and they are what was asked for', async () => {
    const run = await runScenario(withOutages([{ atS: 25, forS: 12 }]), 1);
    expect(run.counts.failed).toBeGreaterThan(0);
    expect(run.failures[0].reason).toMatch(/^engine\.component-down/);
    expect(failedCalls([run])).toBeNull();
  });
});

describe('sessions that fail unasked', () => {
  it('stand above the figures, and the run does not end well', async () => {
    const points = await runExperiment(SMALL, { seed: 1, replications: 1 });
    const [{ runs }] = points;
    expect(textReport(points, null)).not.toMatch('FAILED');
    const failures = [{ reason: 'actor.failed: why', calls: 3, isWanted: false }];
    const broken = points.map(point => ({ ...point, runs: [{ ...runs[0], failures }] }));
    expect(textReport(broken, null).split('\n')[1]).toMatch('SESSIONS FAILED: 3 of 4');
    expect(() => checkNoneFailed(failedCalls(broken[0].runs))).toThrow(
      /failed: 3, of: 4.*actor\.failed: why/,
    );
    expect(() => checkNoneFailed(failedCalls(runs))).not.toThrow();
  });
});
