/** The figures of a run, each with n and a 95 % interval. */
import type { RunResult } from './results.ts';
import {
  clusteredQuantile,
  clusteredRatio,
  clusteredShare,
  clusteredWait,
  type Observation,
  quantileOverRuns,
} from './statistics/clustered.ts';
import { type Estimate, mean, meanEstimate, sliceInterval } from './statistics/estimates.ts';
import { rareExcess } from './statistics/rare.ts';

export interface Summary {
  readonly firstAudioMs: Quantiles;
  readonly afterEndpointMs: Quantiles;
  readonly bargeInSilenceMs: Quantiles;
  /** Of the pauses inside turns: how many were taken for the end. */
  readonly pausesTakenForTheEnd: Estimate;
  /** Of the turns: how many were taken to be over before they were, in a pause or where sound was lost. */
  readonly turnsCutOff: Estimate;
  /** Of the turns: how many say once more what was not answered, or not understood. */
  readonly askedAgain: Estimate;
  /** Of the speculations: how many were for nothing. */
  readonly wastedSpeculations: Estimate;
  /** Breaks in replies that a caller hears, a minute. */
  readonly stuttersPerMinute: Estimate;
  /** What a caller would say of the line, 1–4.5 (E-model). */
  readonly opinion: Estimate;
  /** Mean of each cause over the answered turns, in the order of time. */
  readonly waterfall: readonly { readonly cause: string; readonly ms: Estimate }[];
  readonly devices: readonly DeviceSummary[];
  /** Share of the time that the sound of a step lasts which is left after the step. */
  readonly headroom: Estimate | null;
  /** Each run is one value, and one run has no interval. */
  readonly dollarsPerMinute: Estimate | null;
  readonly wattHoursPerMinute: Estimate | null;
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

/** What each figure is formed of, in one run. */
const MEASURES = {
  firstAudioMs: (run: RunResult) => run.turns.map(turn => ({ ...turn, value: turn.firstAudioMs })),
  afterEndpointMs: (run: RunResult) => run.turns.map(turn => ({ ...turn, value: turn.afterEndpointMs })),
  bargeInSilenceMs: (run: RunResult) =>
    run.bargeIns.flatMap(one => (one.silenceMs === null ? [] : [{ ...one, value: one.silenceMs }])),
} as const;

const SHARES = {
  pausesTakenForTheEnd: (run: RunResult) =>
    run.said.map(turn => ({ ...turn, value: turn.pausesTaken, size: turn.pauses })),
  turnsCutOff: (run: RunResult) => run.said.map(turn => ({ ...turn, value: turn.isCutOff ? 1 : 0 })),
  askedAgain: (run: RunResult) => run.said.map(turn => ({ ...turn, value: turn.asksAgain === null ? 0 : 1 })),
  wastedSpeculations: (run: RunResult) =>
    run.speculated.map(turn => ({ ...turn, value: turn.rollbacks, size: turn.speculations })),
} as const;

/** Of one run: intervals allow for what sessions and stretches of time have in common. */
function summarise(run: RunResult): Summary {
  const span = { fromMs: run.fromMs, toMs: run.toMs };
  const quantiles = (of: readonly Observation[], greatestMs: number): Quantiles => ({
    p50: clusteredQuantile(of, 0.5, span),
    p95: clusteredQuantile(of, 0.95, span),
    mean: Number.isFinite(greatestMs) ? clusteredWait(of, span, greatestMs) : clusteredRatio(of, span),
  });
  return {
    firstAudioMs: quantiles(MEASURES.firstAudioMs(run), run.patienceMs),
    afterEndpointMs: quantiles(MEASURES.afterEndpointMs(run), run.patienceMs),
    bargeInSilenceMs: quantiles(MEASURES.bargeInSilenceMs(run), Number.POSITIVE_INFINITY),
    ...mapped(SHARES, measure => clusteredShare(measure(run), span)),
    stuttersPerMinute: meanEstimate([stuttersPerMinute(run)]),
    opinion: meanEstimate(run.listening.map(({ opinion }) => opinion)),
    waterfall: causes(run).map(cause => ({
      cause,
      ms: notNegative(causeEstimate(run, cause, span)),
    })),
    devices: run.devices.map(device => ofOneRun(device, isLongEnough(run))),
    headroom: run.pace === null ? null : meanEstimate([1 - run.pace]),
    dollarsPerMinute: run.dollarsPerMinute === null ? null : meanEstimate([run.dollarsPerMinute]),
    wattHoursPerMinute: run.wattHoursPerMinute === null ? null : meanEstimate([run.wattHoursPerMinute]),
  };
}

function causeEstimate(run: RunResult, cause: string, span: Parameters<typeof clusteredRatio>[1]): Estimate {
  const of = run.turns.map(turn => ({ ...turn, value: msOf(turn.entries, cause) }));
  // What is rare, and a long wait where it happens.
  return cause === 'noise' ? clusteredWait(of, span, run.patienceMs) : clusteredRatio(of, span);
}

/**
 * How busy devices are follows how many calls there are, which takes a call's length to forget: a run of few says
 * little of it.
 */
const LEAST_CALL_LENGTHS = 16;

function isLongEnough({ fromMs, meanCallMs, toMs }: RunResult): boolean {
  return meanCallMs === null || toMs - fromMs >= LEAST_CALL_LENGTHS * meanCallMs;
}

/** Consecutive parts of the window: batch means, with what neighbours have in common. */
function ofOneRun(device: RunResult['devices'][number], hasIntervals: boolean): DeviceSummary {
  const { largestBatch, jobs, name, slices } = device;
  const overTime = (value: number, parts: readonly number[]): Estimate =>
    notNegative({ n: 1, value, interval: hasIntervals ? sliceInterval(value, parts) : null });
  const working = slices.filter(slice => slice.jobs > 0);
  const perJob = (value: number, of: (slice: (typeof slices)[number]) => number) =>
    overTime(
      value,
      working.map(slice => of(slice) / slice.jobs),
    );
  return {
    name,
    utilisation: within01(
      overTime(
        device.utilisation,
        slices.map(({ utilisation }) => utilisation),
      ),
    ),
    meanWaitMs: perJob(device.meanWaitMs, ({ waitMs }) => waitMs),
    meanQueue: overTime(
      device.meanQueue,
      slices.map(({ meanQueue }) => meanQueue),
    ),
    meanBatch: perJob(device.meanBatch, ({ batch }) => batch),
    largestBatch,
    jobs,
  };
}

/** No cause takes less than no time, whatever Student's distribution makes of a few. */
function notNegative({ n, value, interval }: Estimate): Estimate {
  return { n, value, interval: interval && [Math.max(0, interval[0]), interval[1]] };
}

/** A mean of shares lies between 0 and 1, whatever Student's distribution makes of a few of them. */
function within01({ n, value, interval }: Estimate): Estimate {
  return { n, value, interval: interval && [Math.max(0, interval[0]), Math.min(1, interval[1])] };
}

/** Of several runs: each run is one value, so that nothing is assumed about the turns within. */
export function summariseReplications(runs: readonly RunResult[]): Summary {
  if (runs.length === 1) return summarise(runs[0]);
  const over = (value: (run: RunResult) => number) =>
    meanEstimate(runs.map(value).filter(each => Number.isFinite(each)));
  const overQuantiles = (
    measure: (run: RunResult) => readonly { value: number }[],
    greatestMs: number,
  ): Quantiles => {
    const values = runs.map(run => measure(run).map(({ value }) => value));
    const ofMeans = meanEstimate(values.map(mean).filter(each => Number.isFinite(each)));
    return {
      p50: quantileOverRuns(values, 0.5),
      p95: quantileOverRuns(values, 0.95),
      mean: Number.isFinite(greatestMs) ? withRare(ofMeans, values.flat(), greatestMs) : ofMeans,
    };
  };
  const { patienceMs } = runs[0];
  const costs = runs.filter(run => run.dollarsPerMinute !== null);
  return {
    firstAudioMs: overQuantiles(MEASURES.firstAudioMs, patienceMs),
    afterEndpointMs: overQuantiles(MEASURES.afterEndpointMs, patienceMs),
    bargeInSilenceMs: overQuantiles(MEASURES.bargeInSilenceMs, Number.POSITIVE_INFINITY),
    ...mapped(SHARES, measure => within01(over(run => ratioOf(measure(run))))),
    stuttersPerMinute: over(stuttersPerMinute),
    opinion: over(run => mean(run.listening.map(({ opinion }) => opinion))),
    waterfall: [...new Set(runs.flatMap(causes))].map(cause => ({
      cause,
      ms: notNegative(over(run => mean(run.turns.map(turn => msOf(turn.entries, cause))))),
    })),
    devices: runs[0].devices.map((_, i) => ofSeveralRuns(runs.map(run => run.devices[i]))),
    headroom: runs.every(run => run.pace === null) ? null : over(run => 1 - (run.pace ?? Number.NaN)),
    dollarsPerMinute: costs.length > 0 ? over(run => run.dollarsPerMinute ?? Number.NaN) : null,
    wattHoursPerMinute: runs.every(run => run.wattHoursPerMinute === null)
      ? null
      : over(run => run.wattHoursPerMinute ?? Number.NaN),
  };
}

/** Student's bounds of a few runs are even; what rare long waits they may have missed lies above. */
function withRare({ interval, n, value }: Estimate, all: readonly number[], greatestMs: number): Estimate {
  if (!interval) return { n, value, interval };
  const [low, high] = interval;
  return { n, value, interval: [low, value + Math.hypot(high - value, rareExcess(all, greatestMs).moreBy)] };
}

/** A quantile of the time to first audio, as the summary of these runs would have it. */
export function firstAudioEstimate(runs: readonly RunResult[], share: number): Estimate {
  if (runs.length === 1) {
    const [run] = runs;
    return clusteredQuantile(MEASURES.firstAudioMs(run), share, { fromMs: run.fromMs, toMs: run.toMs });
  }
  return quantileOverRuns(
    runs.map(run => run.turns.map(turn => turn.firstAudioMs)),
    share,
  );
}

function ofSeveralRuns(each: readonly RunResult['devices'][number][]): DeviceSummary {
  const over = (value: (device: RunResult['devices'][number]) => number) => meanEstimate(each.map(value));
  return {
    name: each[0].name,
    utilisation: within01(over(device => device.utilisation)),
    meanWaitMs: over(device => device.meanWaitMs),
    meanQueue: over(device => device.meanQueue),
    meanBatch: over(device => device.meanBatch),
    largestBatch: Math.max(...each.map(device => device.largestBatch)),
    jobs: each.reduce((sum, device) => sum + device.jobs, 0),
  };
}

function ratioOf(observations: readonly { readonly value: number; readonly size?: number }[]): number {
  const size = observations.reduce((sum, each) => sum + (each.size ?? 1), 0);
  return size === 0 ? Number.NaN : observations.reduce((sum, each) => sum + each.value, 0) / size;
}

function stuttersPerMinute({ conversationMinutes, counts }: RunResult): number {
  return conversationMinutes > 0 ? counts.stutters / conversationMinutes : Number.NaN;
}

function mapped<K extends string, V, R>(of: Readonly<Record<K, V>>, each: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, each(value as V)])) as Record<
    K,
    R
  >;
}

/** In the order in which they first occur; what comes after the person's last word stands first, the way down last. */
function causes({ turns }: RunResult): string[] {
  const found = new Set(turns.flatMap(({ entries }) => entries.map(({ cause }) => cause)));
  const [hasNoise, hasDownlink] = [found.delete('noise'), found.delete('downlink')];
  return [...(hasNoise ? ['noise'] : []), ...found, ...(hasDownlink ? ['downlink'] : [])];
}

function msOf(entries: readonly { readonly cause: string; readonly ms: number }[], cause: string): number {
  return entries.reduce((sum, entry) => sum + (entry.cause === cause ? entry.ms : 0), 0);
}
