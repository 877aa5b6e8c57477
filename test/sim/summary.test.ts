import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../sim/results.ts';
import { summariseReplications } from '../../sim/summary.ts';

const DEVICE = {
  name: 'd',
  servers: 1,
  jobs: 3,
  meanWaitMs: 1,
  meanQueue: 0,
  meanBatch: 2,
  largestBatch: 2,
  kinds: [],
  slices: Array.from({ length: 20 }, (_, i) => 1 + (i % 2)).map(jobs => ({
    jobs,
    utilisation: 0.5,
    waitMs: jobs,
    meanQueue: 0,
    batch: 2,
  })),
};
const TURN = { session: 's', atMs: 0, isCutOff: false, asksAgain: null };

function run(pausesTaken: number, utilisation: number, largestBatch: number): RunResult {
  return {
    scenario: 's',
    seed: '1',
    fromMs: 0,
    toMs: 1,
    meanCallMs: null,
    patienceMs: 6000,
    turns: [],
    said: [{ ...TURN, pauses: 10, pausesTaken }],
    speculated: [],
    bargeIns: [],
    listening: [],
    counts: { stutters: 0 } as RunResult['counts'],
    failures: [],
    errors: [],
    devices: [{ ...DEVICE, utilisation, largestBatch }],
    pace: 0.25,
    memory: null,
    gantt: [],
    conversationMinutes: 1,
    dollarsPerMinute: 0.5,
    wattHoursPerMinute: null,
  };
}

it('how busy devices are in one run of a few call lengths has no interval', () => {
  const short = { ...run(9, 0.9, 3), toMs: 10_000, meanCallMs: 1000 };
  expect(summariseReplications([short]).devices[0].utilisation.interval).toBeNull();
  const long = { ...short, toMs: 16_000 };
  expect(summariseReplications([long]).devices[0].utilisation.interval).not.toBeNull();
});

describe('replications', () => {
  const runs = [run(9, 0.99, 3), run(1, 0.2, 8)];

  it('leave a share between nothing and all', () => {
    const { pausesTakenForTheEnd } = summariseReplications(runs);
    expect(pausesTakenForTheEnd).toEqual({ n: 2, value: 0.5, interval: [0, 1] });
  });

  it('count in the figures of devices, each run as one value', () => {
    const [device] = summariseReplications(runs).devices;
    expect(device).toMatchObject({ name: 'd', largestBatch: 8, jobs: 6 });
    expect(device.utilisation).toMatchObject({ n: 2, interval: [0, 1] });
    expect(device.utilisation.value).toBeCloseTo(0.595);
    expect(device.meanWaitMs).toEqual({ n: 2, value: 1, interval: [1, 1] });
  });

  it('of which there is only one have batch means for a device, and no interval for a price', () => {
    const { devices, dollarsPerMinute, headroom } = summariseReplications(runs.slice(0, 1));
    expect(devices[0].utilisation).toEqual({ n: 1, value: 0.99, interval: [0.99, 0.99] });
    expect(dollarsPerMinute).toEqual({ n: 1, value: 0.5, interval: null });
    expect(headroom?.value).toBe(0.75);
  });
});
