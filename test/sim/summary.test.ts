import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../sim/results.ts';
import { summariseReplications } from '../../sim/summary.ts';

const COUNTS = { pauses: 10, falseEndpoints: 0, speculations: 4, rollbacks: 0 } as RunResult['counts'];
const DEVICE = {
  name: 'd',
  servers: 1,
  jobs: 3,
  meanWaitMs: 1,
  meanQueue: 0,
  meanBatch: 2,
  largestBatch: 2,
};

function run(counts: Partial<RunResult['counts']>, utilisation: number, largestBatch: number): RunResult {
  const devices = [{ ...DEVICE, utilisation, largestBatch }];
  const counted = { ...COUNTS, ...counts };
  const rest = { turns: [], bargeIns: [], gantt: [], conversationMinutes: 1, dollarsPerMinute: 0.5 };
  return { scenario: 's', seed: '1', fromMs: 0, toMs: 1, counts: counted, devices, ...rest };
}

describe('replications', () => {
  const runs = [run({ falseEndpoints: 9 }, 0.99, 3), run({ falseEndpoints: 1 }, 0.2, 8)];

  it('leave a share between nothing and all', () => {
    const { falseEndpointsPerPause } = summariseReplications(runs);
    expect(falseEndpointsPerPause).toEqual({ n: 2, value: 0.5, interval: [0, 1] });
  });

  it('count in the figures of devices, each run as one value', () => {
    const [device] = summariseReplications(runs).devices;
    expect(device).toMatchObject({ name: 'd', largestBatch: 8, jobs: 6 });
    expect(device.utilisation).toMatchObject({ n: 2, interval: [0, 1] });
    expect(device.utilisation.value).toBeCloseTo(0.595);
    expect(device.meanWaitMs).toEqual({ n: 2, value: 1, interval: [1, 1] });
  });

  it('of which there is only one give no interval to an average over time', () => {
    const { devices, dollarsPerMinute } = summariseReplications(runs.slice(0, 1));
    expect(devices[0].utilisation).toEqual({ n: 1, value: 0.99, interval: null });
    expect(dollarsPerMinute).toEqual({ n: 1, value: 0.5, interval: null });
  });
});
