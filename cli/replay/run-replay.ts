/** A recording through the product's actors again: as it was, or with something changed. */
import { silentLogger } from '../../actors/core/index.ts';
import {
  type Divergence,
  type Recording,
  type ReplayResult,
  type ReplayWorld,
  recordedEvents,
  replay,
} from '../../actors/recording/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { fitCosts, type MeasuredStep } from '../../sim/calibrate/fit.ts';
import { linearLaw } from '../../sim/engines/cost-law.ts';
import { costMs, LoadMeter } from '../../sim/live/load-meter.ts';
import { stepTimes } from '../../sim/live/step-times.ts';
import { openEngine, openRuntime } from '../house.ts';
import { resolveModelDirectory } from '../model-directory.ts';
import { readEngineFile } from '../sim/engine-file.ts';
import { Listener } from '../talk/listener.ts';
import { type ReplayComparison, compare } from './comparison.ts';
import { modelHash } from './model-hash.ts';
import type { WhatIf } from './what-if.ts';

export interface ReplayOptions {
  /** Nothing was changed: it must come out to the bit. */
  readonly isUnchanged: boolean;
  /** Another model than the recorded one is meant. */
  readonly allowsOtherModel: boolean;
  readonly onProgress: (share: number) => void;
}

export interface ReplayOutcome {
  readonly comparison: ReplayComparison;
  readonly divergence: Divergence | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly endReason: string | null;
  /** What each session's caller heard, in the order in which they opened. */
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly outputSampleRate: number;
  readonly engine: string;
}

/** @throws RuntimeError `replay.other-model`, `recording.invalid`, and what loading the model throws */
export async function runReplay(
  recording: Recording,
  { config, costs, changeSettings }: WhatIf,
  options: ReplayOptions,
): Promise<ReplayOutcome> {
  const { path } = resolveModelDirectory(config.model, config.seed);
  if (!options.allowsOtherModel) checkModel(recording, path);
  const scenario = costs === null ? null : readEngineFile(costs);
  const engine = await openEngine(config, path, silentLogger);
  try {
    const meter = new LoadMeter(engine);
    const before = [...recordedEvents(recording)];
    const passes = options.isUnchanged || scenario ? 1 : 2;
    const progress = progressOf(recording, before.at(-1)?.atMs, passes, options.onProgress);
    const measured: MeasuredStep[] = [];
    const asRecorded = { config, meter, progress: progress(0), measured };
    if (passes === 2) await pass(recording, asRecorded);
    const law = linearLaw(fitCosts(measured).costs);
    const listeners = new Map<string, Listener>();
    const { outputSampleRate } = engine.model;
    const world: Partial<ReplayWorld> = {
      ...(!options.isUnchanged && { changeSettings }),
      ...(scenario && { hasOtherCosts: true }),
      stepMs: clock =>
        scenario
          ? stepTimes(scenario, meter, clock)
          : (_component, batch) => costMs(law, meter.loadOf(batch)),
      onSession: (session, clock) =>
        void listeners.set(session.id, new Listener(session, clock, outputSampleRate)),
    };
    const result = await pass(recording, { ...asRecorded, progress: progress(passes - 1), world });
    const { events, ...rest } = result;
    return { ...rest, comparison: compare(before, events), listeners, outputSampleRate, engine: engine.kind };
  } finally {
    await engine.close();
  }
}

function pass(
  recording: Recording,
  given: {
    readonly config: WhatIf['config'];
    readonly meter: LoadMeter;
    readonly measured: MeasuredStep[];
    readonly progress: (atMs: number) => void;
    readonly world?: Partial<ReplayWorld>;
  },
): Promise<ReplayResult> {
  const { config, meter, measured, progress, world } = given;
  return replay(recording, {
    engine: meter.engine,
    openRuntime: (engine, clock, tools) => openRuntime(config, engine, clock, silentLogger, undefined, tools),
    onStep: (_component, batch) => {
      const load = meter.loadOf(batch);
      return ms => void measured.push({ load, ms });
    },
    onProgress: progress,
    stepMs: () => () => 0,
    hasOtherCosts: false,
    ...world,
  });
}

function progressOf(
  { header }: Recording,
  endMs: number | undefined,
  passes: number,
  onProgress: (share: number) => void,
) {
  const lengthMs = Math.max(1, (endMs ?? 0) - header.startedAtMs);
  return (pass: number) => (atMs: number) =>
    onProgress(Math.min(1, (pass + (atMs - header.startedAtMs) / lengthMs) / passes));
}

function checkModel({ header }: Recording, path: string): void {
  const found = modelHash(path);
  if (found === header.model.hash) return;
  const values = { model: path, recorded: header.model.hash, found };
  const remedy =
    'Give the model it was recorded with, or --set model=DIR to ask what this one would have done.';
  throw new RuntimeError('replay.other-model', 'The recording was made with other weights.', values, remedy);
}
