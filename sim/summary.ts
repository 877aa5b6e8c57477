/** The figures of a run, each with n and a 95 % interval. */
import type { RunResult } from './results.ts';
import {
  type Estimate,
  mean,
  meanEstimate,
  quantile,
  quantileEstimate,
  shareEstimate,
} from './statistics/estimates.ts';

export interface Summary {
  readonly firstAudioMs: Quantiles;
  readonly afterEndpointMs: Quantiles;
  readonly bargeInSilenceMs: Quantiles;
  /** Of the pauses inside turns: how many were taken for the end. */
  readonly falseEndpointsPerPause: Estimate;
  /** Of the speculations: how many were for nothing. */
  readonly wastedSpeculations: Estimate;
  /** Mean of each cause over the answered turns, in the order of time. */
  readonly waterfall: readonly { readonly cause: string; readonly ms: Estimate }[];
  /** Time averages of a run depend on one another: each run is one value, and one run has no interval. */
  readonly devices: readonly DeviceSummary[];
  readonly dollarsPerMinute: Estimate | null;
}

export interface DeviceSummary {
  readonly name: string;
  /** 0–1. */
  readonly utilisation: Estimate;
  readonly meanWaitMs: Estimate;
  readonly meanQueue: Estimate;
  readonly meanBatch: Estimate;
  readonly largestBatch: number;
  /** Of all runs. */
  readonly jobs: number;
}

export interface Quantiles {
  readonly p50: Estimate;
  readonly p95: Estimate;
  readonly mean: Estimate;
}

/** Of one run: turns count as independent. */
function summarise(run: RunResult): Summary {
  const { turns, bargeIns, counts } = run;
  const silences = bargeIns.flatMap(({ silenceMs }) => (silenceMs === null ? [] : [silenceMs]));
  return {
    firstAudioMs: quantiles(turns.map(turn => turn.firstAudioMs)),
    afterEndpointMs: quantiles(turns.map(turn => turn.afterEndpointMs)),
    bargeInSilenceMs: quantiles(silences),
    falseEndpointsPerPause: shareEstimate(Math.min(counts.falseEndpoints, counts.pauses), counts.pauses),
    wastedSpeculations: shareEstimate(counts.rollbacks, counts.speculations),
    waterfall: causes(run).map(cause => ({
      cause,
      ms: meanEstimate(turns.map(turn => msOf(turn.entries, cause))),
    })),
    ...machines([run]),
  };
}

/** A mean of shares lies between 0 and 1, whatever Student's distribution makes of a few of them. */
function within01({ n, value, interval }: Estimate): Estimate {
  return { n, value, interval: interval && [Math.max(0, interval[0]), Math.min(1, interval[1])] };
}

function machines(runs: readonly RunResult[]): Pick<Summary, 'devices' | 'dollarsPerMinute'> {
  const costs = runs.flatMap(({ dollarsPerMinute }) => (dollarsPerMinute === null ? [] : [dollarsPerMinute]));
  const devices = runs[0].devices.map(({ name }, i) => {
    const each = runs.map(run => run.devices[i]);
    return {
      name,
      utilisation: within01(meanEstimate(each.map(device => device.utilisation))),
      meanWaitMs: meanEstimate(each.map(device => device.meanWaitMs)),
      meanQueue: meanEstimate(each.map(device => device.meanQueue)),
      meanBatch: meanEstimate(each.map(device => device.meanBatch)),
      largestBatch: Math.max(...each.map(device => device.largestBatch)),
      jobs: each.reduce((sum, device) => sum + device.jobs, 0),
    };
  });
  return { devices, dollarsPerMinute: costs.length > 0 ? meanEstimate(costs) : null };
}

/** Of several runs: each run is one value, so that nothing is assumed about the turns within. */
export function summariseReplications(runs: readonly RunResult[]): Summary {
  if (runs.length === 1) return summarise(runs[0]);
  const over = (value: (run: RunResult) => number) =>
    meanEstimate(runs.map(value).filter(each => !Number.isNaN(each)));
  const overQuantiles = (values: (run: RunResult) => readonly number[]): Quantiles => ({
    p50: over(run => sortedQuantile(values(run), 0.5)),
    p95: over(run => sortedQuantile(values(run), 0.95)),
    mean: over(run => mean(values(run))),
  });
  const all = [...new Set(runs.flatMap(causes))];
  return {
    firstAudioMs: overQuantiles(run => run.turns.map(turn => turn.firstAudioMs)),
    afterEndpointMs: overQuantiles(run => run.turns.map(turn => turn.afterEndpointMs)),
    bargeInSilenceMs: overQuantiles(run =>
      run.bargeIns.flatMap(({ silenceMs }) => (silenceMs === null ? [] : [silenceMs])),
    ),
    falseEndpointsPerPause: within01(
      over(({ counts }) => Math.min(counts.falseEndpoints, counts.pauses) / counts.pauses),
    ),
    wastedSpeculations: within01(over(({ counts }) => counts.rollbacks / counts.speculations)),
    waterfall: all.map(cause => ({
      cause,
      ms: over(run => mean(run.turns.map(turn => msOf(turn.entries, cause)))),
    })),
    ...machines(runs),
  };
}

function quantiles(values: readonly number[]): Quantiles {
  return {
    p50: quantileEstimate(values, 0.5),
    p95: quantileEstimate(values, 0.95),
    mean: meanEstimate(values),
  };
}

function sortedQuantile(values: readonly number[], share: number): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    share,
  );
}

/** In the order in which they first occur; the way down comes last. */
function causes({ turns }: RunResult): string[] {
  const found = new Set(turns.flatMap(({ entries }) => entries.map(({ cause }) => cause)));
  const hasDownlink = found.delete('downlink');
  return [...found, ...(hasDownlink ? ['downlink'] : [])];
}

function msOf(entries: readonly { readonly cause: string; readonly ms: number }[], cause: string): number {
  return entries.reduce((sum, entry) => sum + (entry.cause === cause ? entry.ms : 0), 0);
}
