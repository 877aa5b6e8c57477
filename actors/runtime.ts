/**
 * Everything that the sessions of one process share: the engine-owning actors, the clock, the limits. Answers of the
 * actors are handed to the session that they are addressed to; what fails ends its session only.
 */
import type { Engine } from '../kernels/engine/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { audioEncoderActor } from './audio-encoder/index.ts';
import {
  ActorSystem,
  type Clock,
  Demultiplexer,
  type Logger,
  type Random,
  silentLogger,
  spawn,
} from './core/index.ts';
import type { Address } from './core/message.ts';
import { ganDecoderActor } from './gan-decoder/index.ts';
import type { RuntimeHealth } from './health.ts';
import { languageModelActor } from './language-model/index.ts';
import { DEFAULT_MEMORY, type Memory } from './memory.ts';
import { createBandEnergyDetector, type VoiceActivityDetectorFactory } from './perceive/index.ts';
import type { Speaker } from './play-out/index.ts';
import { runtimeHealth } from './runtime-health.ts';
import type { Pipeline, SharedOutputs } from './session/line.ts';
import { LiveSession } from './session.ts';
import type {
  Runtime,
  RuntimeLimits,
  Session,
  SessionOptions,
  SessionSettings,
  Tool,
} from './session-api.ts';
import { checkTools } from './tools/index.ts';
import { visionEncoderActor } from './vision-encoder/index.ts';

export interface RuntimeOptions {
  /** Answers must arrive through the clock: wrap it with `engineOnClock` under a virtual one. */
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
  /** What is left out has the value of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<RuntimeLimits>;
  /** How the engine's components are, where it is supervised (`superviseEngine`). */
  readonly health?: RuntimeHealth;
  /**
   * Our own band-energy detector, with our echo gate before it, unless told otherwise: who listens for himself knows
   * his own echo.
   */
  readonly voiceActivityDetector?: VoiceActivityDetectorFactory;
  /** Tools of all sessions (docs/tools.md). Error `tool.invalid`. */
  readonly tools?: readonly Tool[];
  /** What a model is to know still of a long call (docs/tools.md); what is left out is that of `DEFAULT_MEMORY`. */
  readonly memory?: Partial<Memory>;
}

/**
 * Beyond a limit: a session is refused (`runtime.full`), a turn ends, an item is refused (`items.full`), the oldest
 * sound is forgotten.
 */
export const DEFAULT_LIMITS: RuntimeLimits = {
  maxSessions: 64,
  maxBatch: 32,
  prefillTokenBudget: 512,
  maxBufferedSpeechMs: 120_000,
  maxItems: 1000,
  maxSoundSamples: 600 * 24_000,
};

export function createRuntime(options: RuntimeOptions): Runtime {
  return new LiveRuntime(options);
}

class LiveRuntime implements Runtime {
  readonly limits: RuntimeLimits;
  readonly callsTools: boolean;
  readonly health: RuntimeHealth;
  readonly #options: RuntimeOptions;
  readonly #memory: Memory;
  readonly #system: ActorSystem;
  readonly #pipeline: Pipeline;
  readonly #shared: SharedOutputs;
  readonly #sessions = new Map<string, LiveSession>();
  #opened = 0;
  #closed = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#memory = { ...DEFAULT_MEMORY, ...options.memory };
    const { clock, random, log = silentLogger, tools = [] } = options;
    checkTools(tools);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.callsTools = Boolean(options.engine.model.toolTemplate);
    this.#system = new ActorSystem({ clock, random, log });
    this.health = runtimeHealth(this.#system, options.health);
    this.#pipeline = this.#spawnPipeline();
    this.#shared = sharedOutputs(this.#pipeline);
    this.#system.failures$.subscribe(({ session, error }) => this.#sessions.get(session)?.fail(error));
    this.#system.restarts$.subscribe(({ actor, sessions }) => {
      for (const session of sessions) this.#sessions.get(session)?.actorRestarted(actor);
    });
  }

  get sessions(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  openSession(settings: Partial<SessionSettings> = {}, options: SessionOptions = {}): Session {
    const { maxSessions } = this.limits;
    if (this.#closed) throw new RuntimeError('runtime.closed', 'The runtime is closed.');
    if (this.#sessions.size >= maxSessions) {
      const remedy = 'Try again when one has ended, or raise the limit.';
      throw new RuntimeError('runtime.full', 'No more sessions can be opened.', { maxSessions }, remedy);
    }
    this.#opened += 1;
    const { id: sessionId = `sess_${this.#opened}`, speaker = null } = options;
    const tools = [...(this.#options.tools ?? []), ...(options.tools ?? [])];
    checkTools(tools);
    if (this.#sessions.has(sessionId)) {
      const remedy = 'Choose another id or leave it out.';
      throw new RuntimeError('session.duplicate', 'A session with this id exists.', { sessionId }, remedy);
    }
    const session = this.#createSession(sessionId, settings, speaker, tools);
    this.#sessions.set(sessionId, session);
    return session;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const session of [...this.#sessions.values()]) session.close('runtime closed');
    this.#system.stop();
  }

  #createSession(
    id: string,
    settings: Partial<SessionSettings>,
    speaker: Speaker | null,
    tools: readonly Tool[],
  ): LiveSession {
    const { engine, voiceActivityDetector = createBandEnergyDetector } = this.#options;
    const deps = {
      id,
      model: engine.model,
      tokenizer: engine.tokenizer,
      system: this.#system,
      pipeline: this.#pipeline,
      shared: this.#shared,
      limits: this.limits,
      detector: voiceActivityDetector(engine.model.inputSampleRate),
      rejectsEcho: this.#options.voiceActivityDetector === undefined,
      speaker,
      tools,
      memory: this.#memory,
      onEnded: () => {
        this.#sessions.delete(id);
        this.#system.forget(id);
      },
    };
    return new LiveSession(deps, settings);
  }

  #spawnPipeline(): Pipeline {
    const { engine } = this.#options;
    const { maxBatch, prefillTokenBudget } = this.limits;
    const { epochs } = this.#system;
    const limits = { maxBatch, prefillTokenBudget };
    const ganDecoder = spawn(ganDecoderActor({ engine, epochs, maxBatch }), this.#system);
    const languageModel = spawn(
      languageModelActor({ engine, epochs, limits, reminder: this.#memory.reminder, records: new Map() }),
      this.#system,
    );
    const visionEncoder = spawn(visionEncoderActor({ engine, maxBatch }), this.#system);
    const audioEncoder = spawn(audioEncoderActor({ engine, maxBatch }), this.#system);
    return { audioEncoder, visionEncoder, languageModel, ganDecoder, epochs };
  }
}

const sessionOf = ({ session }: Address): string => session;

function sharedOutputs({ audioEncoder, visionEncoder, languageModel, ganDecoder }: Pipeline): SharedOutputs {
  return {
    audioEncoder: new Demultiplexer(audioEncoder.output$, sessionOf),
    visionEncoder: new Demultiplexer(visionEncoder.output$, sessionOf),
    languageModel: new Demultiplexer(languageModel.output$, sessionOf),
    ganDecoder: new Demultiplexer(ganDecoder.output$, sessionOf),
  };
}
