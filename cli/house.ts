import { pino } from 'pino';
import type { Clock } from '../actors/core/clock.ts';
import { createLogger, createRandom, engineOnClock, RealClock, VirtualClock } from '../actors/core/index.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { Random } from '../actors/core/random.ts';
import { createRuntime } from '../actors/index.ts';
import {
  Recorder,
  type RecordingTarget,
  recordedClock,
  recordedEngine,
  recordedRuntime,
} from '../actors/recording/index.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import { TURN_PRESETS } from '../actors/turn-taking/index.ts';
import { createEngine, type Engine, type EngineKind, fastestEngine } from '../kernels/engine/index.ts';
import type { Config } from './config/schema.ts';
import { resolveModelDirectory } from './model-directory.ts';
import { modelHash } from './replay/model-hash.ts';
import { keptSettings } from './replay/what-if.ts';

/** A running runtime and everything it was given. */
export interface House {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly sessionDefaults: Partial<SessionSettings>;
  readonly seeded: boolean;
  close(): Promise<void>;
}

/**
 * The one place where clock, randomness, engine and logger are chosen and handed down.
 *
 * @param recordings given, every conversation is recorded there
 * @param open how the engine is made, `openEngine` where nothing is said
 */
export async function openHouse(
  config: Config,
  time: 'real' | 'virtual',
  recordings?: (log: Logger) => RecordingTarget,
  open = openEngine,
): Promise<House> {
  const { path, seeded } = resolveModelDirectory(config.model, config.seed);
  const log = createLogger(pino({ level: config.logLevel }, pino.destination(2)));
  const target = recordings?.(log);
  const clock = time === 'real' ? new RealClock() : new VirtualClock();
  const random = createRandom(config.seed);
  const engine = engineOnClock(await open(config, path, log), clock);
  const runtime = target
    ? recorded(config, path, engine, clock, time, target, log)
    : openRuntime(config, engine, clock, log);
  const close = async () => {
    await runtime.close();
    await engine.close();
  };
  return { clock, random, log, engine, runtime, sessionDefaults: sessionDefaults(config), seeded, close };
}

export async function openEngine(config: Config, modelDirectory: string, log: Logger): Promise<Engine> {
  const { threads, ranks, weights } = config;
  return createEngine({ kind: kindOf(config, log), modelDirectory, threads, ranks, weights });
}

function kindOf({ engine }: Config, log: Logger): EngineKind {
  if (engine !== 'auto') return engine;
  const { kind, reason } = fastestEngine();
  if (reason) log.warn({ reason }, 'no native kernels');
  return kind;
}

export function openRuntime(config: Config, engine: Engine, clock: Clock, log: Logger): Runtime {
  const { maxSessions, maxBatch, prefillTokenBudget } = config;
  const limits = { maxSessions, maxBatch, prefillTokenBudget };
  return createRuntime({ engine, clock, random: createRandom(config.seed), log, limits });
}

function recorded(
  config: Config,
  modelDirectory: string,
  engine: Engine,
  clock: Clock,
  time: 'real' | 'virtual',
  target: RecordingTarget,
  log: Logger,
): Runtime {
  const model = { name: engine.model.name, hash: modelHash(modelDirectory) };
  const names = { config: keptSettings(config), model, engine: engine.kind, clock: time };
  const recorder = new Recorder(clock, target, names, log);
  const runtime = openRuntime(config, recordedEngine(engine, recorder), recordedClock(clock, recorder), log);
  return recordedRuntime(runtime, recorder);
}

export function sessionDefaults(config: Config): Partial<SessionSettings> {
  const {
    truncateAt,
    maxReplySteps,
    maxTokensPerPicture,
    prefixPaddingMs,
    endpointSilenceMs,
    speculateSilenceMs,
  } = config;
  return {
    truncateAt,
    maxReplySteps,
    maxTokensPerPicture,
    ...(config.babbleGuard === 'off' && { babble: null }),
    turnDetection: {
      mode: 'vad',
      threshold: config.vadThreshold,
      prefixPaddingMs,
      endpointSilenceMs,
      speculateSilenceMs,
      createResponse: true,
      interruptResponse: true,
      meaning: null,
      ...(config.turnPreset !== 'none' && TURN_PRESETS[config.turnPreset]),
    },
  };
}
