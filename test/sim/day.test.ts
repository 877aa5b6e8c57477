/** A day of calls: who finds a line, what replicas come and go, and stretches in which all is said. */
import { describe, expect, it } from 'vitest';
import { dayText } from '../../cli/sim/day-report.ts';
import { jsonReport } from '../../cli/sim/json-report.ts';
import { createRandom } from '../../actors/core/index.ts';
import { callFlow, type CallFlow, type CallFlowOptions } from '../../sim/day/call-flow.ts';
import { runDay } from '../../sim/day/run-day.ts';
import { runExperiment } from '../../sim/experiments.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const HOUR_MS = 3_600_000;
const ALWAYS = { sessions: 1000, least: 1, most: 1, spare: 0, startS: 0, idleS: 0, failureS: 0 };
const NO_REDIAL = { share: 0, afterS: 1 };

function flow(change: Partial<CallFlowOptions>, seed = 'flow'): CallFlow {
  return callFlow({
    ...{
      load: { callsPerMinute: 10, callMinutes: 2, lines: 20, curve: [] },
      rule: ALWAYS,
      redial: NO_REDIAL,
    },
    ...{ lostAtMs: [], partMs: HOUR_MS, toMs: 24 * HOUR_MS, stretches: [], random: createRandom(seed) },
    ...change,
  });
}
const total = ({ parts }: CallFlow, of: (part: CallFlow['parts'][number]) => number) =>
  parts.reduce((sum, part) => sum + of(part), 0);

/** Of so many erlangs on so many lines, the share that is refused. */
function erlangB(erlangs: number, lines: number): number {
  let blocked = 1;
  for (let line = 1; line <= lines; line++) blocked = (erlangs * blocked) / (line + erlangs * blocked);
  return blocked;
}

describe('calls of a day', () => {
  it('are refused as often as Erlang has it', () => {
    const day = flow({ toMs: 100 * HOUR_MS });
    const share = total(day, part => part.refused) / total(day, part => part.dialled);
    expect(Math.abs(share / erlangB(20, 20) - 1)).toBeLessThan(0.08);
    const carried = total(day, part => part.callMs) / (100 * HOUR_MS);
    expect(Math.abs(carried / (20 * (1 - erlangB(20, 20))) - 1)).toBeLessThan(0.03);
  });

  it('follow the curve, and come again where they were refused and whoever dials has patience', () => {
    const load = { callsPerMinute: 5, callMinutes: 2, lines: 20, curve: [{ atS: 43_200, factor: 4 }] };
    const [once, again] = [flow({ load }), flow({ load, redial: { share: 0.9, afterS: 20 } })];
    const [morning, afternoon] = [once.parts.slice(0, 12), once.parts.slice(12)];
    const dialled = (parts: CallFlow['parts']) => parts.reduce((sum, part) => sum + part.dialled, 0);
    expect(dialled(afternoon) / dialled(morning)).toBeGreaterThan(3.6);
    expect(dialled(afternoon) / dialled(morning)).toBeLessThan(4.4);
    expect(total(again, part => part.dialled)).toBeGreaterThan(1.5 * total(once, part => part.dialled));
    expect(Math.max(...again.parts.map(({ mostCalls }) => mostCalls))).toBe(20);
  });

  it('are those under way in a stretch, each with its replica', () => {
    const stretches = [5, 20].map(hour => ({ fromMs: hour * HOUR_MS, toMs: hour * HOUR_MS + 60_000 }));
    const { calls } = flow({ stretches });
    calls.forEach((own, i) => {
      expect(own.length).toBeGreaterThan(15);
      for (const { fromMs, toMs } of own) {
        expect(fromMs).toBeLessThan(stretches[i].toMs);
        expect(toMs).toBeGreaterThan(stretches[i].fromMs);
      }
    });
  });
});

describe('replicas', () => {
  const rule = { sessions: 5, least: 1, most: 6, spare: 0.2, startS: 300, idleS: 600, failureS: 0 };
  const load = {
    ...{ callsPerMinute: 2, callMinutes: 2, lines: 100 },
    curve: [
      { atS: 28_800, factor: 5 },
      { atS: 64_800, factor: 1 },
    ],
  };

  it('come late for a rush, which costs calls, and go after it', () => {
    const [slow, quick] = [flow({ load, rule }), flow({ load, rule: { ...rule, startS: 0 } })];
    expect(total(slow, part => part.refused)).toBeGreaterThan(total(quick, part => part.refused));
    const mean = ({ fromMs, replicaMs, toMs }: CallFlow['parts'][number]) => replicaMs / (toMs - fromMs);
    expect(mean(slow.parts[12])).toBeGreaterThan(2 * mean(slow.parts[4]));
    expect(mean(slow.parts[22])).toBeLessThan(mean(slow.parts[12]) / 2);
    for (const part of slow.parts) expect(mean(part)).toBeLessThan(6 + 1e-9);
  });

  it('that fail take their calls with them, no others, and are replaced', () => {
    const day = flow({ load, rule: { ...rule, startS: 60 }, lostAtMs: [12.5 * HOUR_MS] });
    expect(day.parts.filter(({ lost }) => lost > 0)).toHaveLength(1);
    expect(day.parts[12].lost).toBeGreaterThan(0);
    expect(day.parts[12].lost).toBeLessThanOrEqual(5);
    const often = flow({ load, rule: { ...rule, failureS: 7200 } });
    expect(often.parts.filter(({ lost }) => lost > 0).length).toBeGreaterThan(8);
  });
});

describe('a day', () => {
  const small = {
    ...{ name: 'day', durationS: 1800, warmUpS: 3 },
    load: { callsPerMinute: 4, callMinutes: 1, lines: 8 },
    people: { noisesPerMinute: 0 },
    transport: { kind: 'websocket', packetMs: 200 },
    engine: { law: 'linear', languageModel: { stepMs: 8 }, dollarsPerHour: 2 },
    day: { everyS: 900, forS: 14, replicas: { sessions: 3 } },
  };
  const options = { seed: 1, replications: 1 };

  it('has a line each part, with what was said in its stretch, and the same bytes again', async () => {
    const [once, again] = [await runDay(small, options), await runDay(small, options)];
    expect(jsonReport(again.points, null, again.day)).toBe(jsonReport(once.points, null, once.day));
    expect(once.points.map(({ value }) => value)).toEqual(['00:00', '00:15']);
    // Each replica that had calls is a run of its own.
    expect(once.points[0].runs.length).toBeGreaterThan(1);
    expect(once.points[0].runs.reduce((sum, run) => sum + run.turns.length, 0)).toBeGreaterThan(1);
    const { dollarsPerMinute, replicaHours, conversationHours } = once.day;
    const price = (2 * replicaHours.value) / (conversationHours.value * 60);
    expect(dollarsPerMinute!.value).toBeCloseTo(price, 9);
    expect(dayText(once.day).split('\n')).toHaveLength(2 + 2 + 4);
  });

  it('is no side of a comparison, and one of calls alone', async () => {
    await expect(runExperiment(small, options)).rejects.toThrow(/neither compared nor searched/);
    expect(() => parseScenario({ ...small, load: { sessions: 3 } })).toThrow(/load/);
    expect(() => parseScenario({ ...small, capacity: {} })).toThrow(/capacity/);
    expect(() => parseScenario({ ...small, day: { everyS: 60, forS: 90 } })).toThrow(/forS/);
  });
});

it('calls of a log come and go as it says', async () => {
  const calls = [
    { atS: 1, forS: 8 },
    { atS: 5, forS: 100 },
  ];
  const content = {
    ...{ name: 'log', durationS: 20, warmUpS: 0, load: { calls } },
    ...{ engine: { law: 'linear' }, transport: { kind: 'websocket', packetMs: 200 } },
  };
  const [{ runs }] = await runExperiment(content, { seed: 1, replications: 1 });
  expect(runs[0].counts.calls).toBe(2);
  expect(runs[0].conversationMinutes * 60).toBeCloseTo(8 + 15, 6);
});
