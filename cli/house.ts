import { pino } from 'pino';
import type { Clock } from '../actors/core/clock.ts';
import { createLogger, createRandom, engineOnClock, RealClock, VirtualClock } from '../actors/core/index.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { Random } from '../actors/core/random.ts';
import { createRuntime } from '../actors/index.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import { createEngine, type Engine, fastestEngine } from '../kernels/engine/index.ts';
import type { Config } from './config/schema.ts';
import { resolveModelDirectory } from './model-directory.ts';

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

/** The one place where clock, randomness, engine and logger are chosen and handed down. */
export async function openHouse(config: Config, time: 'real' | 'virtual'): Promise<House> {
  const { path, seeded } = resolveModelDirectory(config.model, config.seed);
  const log = createLogger(pino({ level: config.logLevel }, pino.destination(2)));
  const clock = time === 'real' ? new RealClock() : new VirtualClock();
  const random = createRandom(config.seed);
  const fastest = fastestEngine();
  if (config.engine === 'auto' && fastest.reason) log.warn({ reason: fastest.reason }, 'no native kernels');
  const kind = config.engine === 'auto' ? fastest.kind : config.engine;
  const { threads, ranks } = config;
  const engine = engineOnClock(await createEngine({ kind, modelDirectory: path, threads, ranks }), clock);
  const { maxSessions, maxBatch, prefillTokenBudget } = config;
  const runtime = createRuntime({
    engine,
    clock,
    random,
    log,
    limits: { maxSessions, maxBatch, prefillTokenBudget },
  });
  const close = async () => {
    await runtime.close();
    await engine.close();
  };
  return { clock, random, log, engine, runtime, sessionDefaults: sessionDefaults(config), seeded, close };
}

function sessionDefaults(config: Config): Partial<SessionSettings> {
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
    turnDetection: {
      mode: 'vad',
      threshold: config.vadThreshold,
      prefixPaddingMs,
      endpointSilenceMs,
      speculateSilenceMs,
      createResponse: true,
      interruptResponse: true,
    },
  };
}
