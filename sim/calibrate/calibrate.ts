/**
 * Measures what the steps of a live engine cost on this machine, as the event loop sees them: with the way to the
 * worker thread and back. Then all components at once, for what the threads take from each other, and how late timers
 * are.
 */
import { type Clock, RealClock } from '../../actors/core/index.ts';
import type { Engine } from '../../kernels/engine/index.ts';
import type { LinearCosts } from '../engines/cost-law.ts';
import { LoadMeter } from '../live/load-meter.ts';
import { quantile } from '../statistics/estimates.ts';
import { type FitQuality, fitCosts, type MeasuredStep } from './fit.ts';
import { type Workload, workloads } from './workloads.ts';

export interface CalibrateOptions {
  /** Timed steps of each kind. */
  readonly repetitions: number;
  /** How long all components work at once. */
  readonly togetherMs: number;
  /** Share of the whole, 0–1. */
  readonly onProgress?: (share: number) => void;
}

export interface MeasuredKind {
  readonly component: string;
  readonly label: string;
  readonly n: number;
  readonly medianMs: number;
  readonly p5Ms: number;
  readonly p95Ms: number;
}

export interface Calibration {
  readonly costs: LinearCosts;
  readonly kinds: readonly MeasuredKind[];
  readonly quality: readonly FitQuality[];
  /** Milliseconds of work, as measured alone, that are done in a millisecond when all components work at once. */
  readonly parallelism: number;
  /** How late a timer of 20 ms is while they do: the 5 %, 15 % … 95 % quantiles. */
  readonly timerLateMs: readonly number[];
}

const WARM_UPS = 3;
const TIMER_MS = 20;
const QUANTILES = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];
const MOST_OF_PROGRESS = 0.95;

/** @throws what a component's step throws; a component that the model lacks is left out */
export async function calibrate(engine: Engine, options: CalibrateOptions): Promise<Calibration> {
  const clock = new RealClock();
  const meter = new Meter(engine, clock);
  const kinds: MeasuredKind[] = [];
  const present: Workload[] = [];
  const all = workloads(meter.engine);
  for (const [i, workload] of all.entries()) {
    const times = await timed(workload, meter, options.repetitions);
    options.onProgress?.((MOST_OF_PROGRESS * (i + 1)) / all.length);
    if (!times) continue;
    present.push(workload);
    kinds.push(kindOf(workload, times));
  }
  const { costs, quality } = fitCosts(meter.steps);
  const together = await workTogether(present, kinds, clock, options.togetherMs);
  options.onProgress?.(1);
  return { costs, kinds, quality, ...together };
}

/** The engine with a stop-watch. */
class Meter {
  readonly engine: Engine;
  readonly steps: MeasuredStep[] = [];
  readonly #meter: LoadMeter;
  readonly #clock: Clock;

  constructor(engine: Engine, clock: Clock) {
    this.#meter = new LoadMeter(engine, (load, step) => this.#time(load, step));
    this.#clock = clock;
    this.engine = this.#meter.engine;
  }

  /** Set while steps are timed. */
  isOn = false;

  async #time<T>(load: MeasuredStep['load'], step: () => PromiseLike<T>): Promise<T> {
    const beganMs = this.#clock.nowMs();
    const answer = await step();
    if (this.isOn) this.steps.push({ load, ms: this.#clock.nowMs() - beganMs });
    return answer;
  }
}

/** Milliseconds of each step; null where the model has no such component. */
async function timed(workload: Workload, meter: Meter, repetitions: number): Promise<number[] | null> {
  try {
    await workload.prepare();
    for (let i = 0; i < WARM_UPS; i++) await workload.next();
  } catch (error) {
    if ((error as { code?: string }).code === 'engine.component-missing') return null;
    throw error;
  }
  const before = meter.steps.length;
  meter.isOn = true;
  for (let i = 0; i < repetitions; i++) await workload.next();
  meter.isOn = false;
  workload.finish();
  return meter.steps.slice(before).map(({ ms }) => ms);
}

function kindOf({ component, label }: Workload, times: readonly number[]): MeasuredKind {
  const sorted = [...times].sort((a, b) => a - b);
  const [medianMs, p5Ms, p95Ms] = [0.5, 0.05, 0.95].map(q => quantile(sorted, q));
  return { component, label, n: times.length, medianMs, p5Ms, p95Ms };
}

/** The components of a reply being spoken while others talk, each one step after the other. */
async function workTogether(
  all: readonly Workload[],
  kinds: readonly MeasuredKind[],
  clock: Clock,
  durationMs: number,
): Promise<Pick<Calibration, 'parallelism' | 'timerLateMs'>> {
  const chosen = ['languageModel', 'audioEncoder', 'ganDecoder'].flatMap(component => {
    const at = all.findIndex(workload => workload.component === component);
    return at < 0 ? [] : [{ workload: all[at], aloneMs: kinds[at].medianMs }];
  });
  for (const { workload } of chosen) await workload.prepare();
  const lateMs: number[] = [];
  const beganMs = clock.nowMs();
  const isOver = () => clock.nowMs() - beganMs >= durationMs;
  const watch = () => {
    const dueMs = clock.nowMs() + TIMER_MS;
    clock.setTimer(TIMER_MS, () => {
      lateMs.push(clock.nowMs() - dueMs);
      if (!isOver()) watch();
    });
  };
  watch();
  let workMs = 0;
  const work = chosen.map(async ({ workload, aloneMs }) => {
    while (!isOver()) {
      await workload.next();
      workMs += aloneMs;
    }
    workload.finish();
  });
  await Promise.all(work);
  const sorted = lateMs.sort((a, b) => a - b);
  return {
    parallelism: workMs / (clock.nowMs() - beganMs),
    timerLateMs: sorted.length > 0 ? QUANTILES.map(q => quantile(sorted, q)) : [],
  };
}
