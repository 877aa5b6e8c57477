import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Clock } from '../actors/core/clock.ts';
import {
  createLogger,
  createRandom,
  engineOnClock,
  RealClock,
  superviseEngine,
  VirtualClock,
  warmUp,
} from '../actors/core/index.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { Random } from '../actors/core/random.ts';
import { createRuntime, DEFAULT_MEMORY, type Memory, type RuntimeHealth } from '../actors/index.ts';
import {
  packTool,
  Recorder,
  type RecordingTarget,
  recordedClock,
  recordedEngine,
  recordedRuntime,
  recordedTools,
} from '../actors/recording/index.ts';
import type { Runtime, SessionSettings, Tool } from '../actors/session-api.ts';
import { ENGINE_COMPONENTS, type Engine, type EngineKind, fastestEngine } from '../kernels/engine/index.ts';
import type { Config } from './config/schema.ts';
import { sessionDefaults } from './config/session-defaults.ts';
import { resolveModelDirectory } from './model-directory.ts';
import { type PlacingOptions, placedEngine } from './place.ts';
import { modelHash } from './replay/model-hash.ts';
import { keptSettings } from './replay/what-if.ts';
import { withTelemetry } from './telemetry.ts';
import { loadTools } from './tools/index.ts';

/** Weights of which a second copy is kept without being asked for. */
const MAX_STANDBY_BYTES = 256 << 20;

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
  const opened = await open(config, path, log);
  const { stepDeadlineMs } = config;
  // Beneath the recorder: what is recorded of a fault is a step that failed. A simulated run has no deadlines.
  const supervised = time === 'real' ? superviseEngine(opened, { clock, log, stepDeadlineMs }) : null;
  const engine = engineOnClock(supervised?.engine ?? opened, clock);
  if (time === 'real') await warmed(engine);
  supervised?.keepStandby();
  const health = supervised?.health;
  const closesEngine = async (error: unknown): Promise<never> => {
    await engine.close();
    throw error;
  };
  const tools = config.tools ? await loadTools(config.tools).catch(closesEngine) : [];
  const plain = target
    ? recorded(config, path, engine, clock, time, target, log, health, tools)
    : openRuntime(config, engine, clock, log, health, tools);
  const runtime = await withTelemetry(plain, config, clock, log).catch(async error => {
    await plain.close();
    await engine.close();
    throw error;
  });
  const close = async () => {
    await runtime.close();
    await engine.close();
  };
  return { clock, random, log, engine, runtime, sessionDefaults: sessionDefaults(config), seeded, close };
}

async function warmed(engine: Engine): Promise<void> {
  await warmUp(engine).catch(async error => {
    await engine.close();
    throw error;
  });
}

export async function openEngine(config: Config, modelDirectory: string, log: Logger): Promise<Engine> {
  const options = { ...computing(config), kind: kindOf(config, log), modelDirectory };
  return placedEngine(options, config.place, { ...config, onHost: told(log) });
}

/** For a process that others depend on: with a thread that stands by. */
export async function openServingEngine(
  config: Config,
  modelDirectory: string,
  log: Logger,
): Promise<Engine> {
  const isSmall = weightBytes(modelDirectory) <= MAX_STANDBY_BYTES;
  const standby = config.standby === 'on' || (config.standby === 'auto' && isSmall);
  // Conversations have no use for the speech tokenizer: it makes codes of recordings, for training.
  const isWanted = (name: string) => config.place.some(entry => entry.startsWith(`${name}=`));
  const components = ENGINE_COMPONENTS.filter(name => name !== 'speechTokenizer' || isWanted(name));
  const options = { ...computing(config), kind: kindOf(config, log), modelDirectory, standby, components };
  return placedEngine(options, config.place, { ...config, onHost: told(log) });
}

/** What of the settings says how the components compute. */
export const computing = ({ threads, ranks, weights, cache }: Config) => ({
  ...{ threads, ranks, weights },
  ...(cache !== 'auto' && { cache }),
});

const told =
  (log: Logger): PlacingOptions['onHost'] =>
  (component, host, what, why) =>
    why
      ? log.warn({ component, host, cause: why.message }, 'A host of a component was lost.')
      : log.info({ component, host, what }, 'A host of a component is here.');

function weightBytes(modelDirectory: string): number {
  const files = readdirSync(modelDirectory, { recursive: true, encoding: 'utf8' });
  const weights = files.filter(file => file.endsWith('.safetensors'));
  return weights.reduce((sum, file) => sum + statSync(join(modelDirectory, file)).size, 0);
}

export function kindOf({ engine }: Config, log: Logger): EngineKind {
  if (engine !== 'auto') return engine;
  const { kind, reason } = fastestEngine();
  if (reason) log.warn({ reason }, 'no native kernels');
  return kind;
}

export function openRuntime(
  config: Config,
  engine: Engine,
  clock: Clock,
  log: Logger,
  health?: RuntimeHealth,
  tools: readonly Tool[] = [],
): Runtime {
  const { maxSessions, maxBatch, prefillTokenBudget, remindAfterShare } = config;
  const limits = { maxSessions, maxBatch, prefillTokenBudget };
  const memory = remembering(remindAfterShare);
  const random = createRandom(config.seed);
  return createRuntime({ engine, clock, random, log, limits, memory, tools, ...(health && { health }) });
}

/** A share of 1 can never be exceeded. */
const remembering = (afterShare: number): Partial<Memory> => ({
  reminder: afterShare < 1 && DEFAULT_MEMORY.reminder ? { ...DEFAULT_MEMORY.reminder, afterShare } : null,
});

function recorded(
  config: Config,
  modelDirectory: string,
  engine: Engine,
  clock: Clock,
  time: 'real' | 'virtual',
  target: RecordingTarget,
  log: Logger,
  health: RuntimeHealth | undefined,
  tools: readonly Tool[],
): Runtime {
  const model = { name: engine.model.name, hash: modelHash(modelDirectory) };
  const told = tools.map(packTool);
  const names = { config: keptSettings(config), model, engine: engine.kind, tools: told, clock: time };
  const recorder = new Recorder(clock, target, names, log);
  const watched = recordedEngine(engine, recorder);
  const noted = recordedTools(tools, recorder);
  const runtime = openRuntime(config, watched, recordedClock(clock, recorder), log, health, noted);
  return recordedRuntime(runtime, recorder);
}
