/**
 * A runtime under the virtual clock with the scripted engine, a person who speaks by schedule, and a record of what the
 * language model's cache really holds, taken at the engine and not from the runtime's own books.
 */
import {
  createRandom,
  engineOnClock,
  type StepCosts,
  type SupervisedEngine,
  superviseEngine,
  VirtualClock,
  warmUp,
} from '../../actors/core/index.ts';
import {
  createRuntime,
  type Memory,
  type RuntimeLimits,
  type Session,
  type SessionEvent,
  type SessionSettings,
  type Tool,
} from '../../actors/index.ts';
import type { Engine, LanguageModelWork, StreamId } from '../../kernels/engine/index.ts';
import { FaultyEngine, type FaultyOptions } from './faulty-engine.ts';
import { pushAudio } from './told.ts';
import { characterTokenizer, type ZeroLatencyOptions, zeroLatencyEngine } from './zero-latency-engine.ts';

export type EventOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>;

export interface RigOptions extends ZeroLatencyOptions {
  readonly costs?: StepCosts;
  readonly limits?: Partial<RuntimeLimits>;
  /** The engine's components may be struck (`rig.faulty`), and are supervised. */
  readonly tools?: readonly Tool[];
  readonly faults?: FaultyOptions;
  readonly memory?: Partial<Memory>;
  /** A caption head that hears a word, named by its number, in every fifth vector. */
  readonly captions?: boolean;
  /** A caption head that hears, in each utterance's second vector, what `rig.word` says; the runtime is told of it. */
  readonly words?: boolean;
  /** The detector takes what is no louder for silence; absent: digital silence alone. */
  readonly quietBelow?: number;
}

/** Speech in the rig is a constant level; the detector hears nothing else. */
const SPEECH_LEVEL = 0.1;
const RATE = 16_000;

export class SessionRig {
  readonly clock = new VirtualClock();
  readonly caches = new Map<StreamId, { textId: number; semantic: number }[]>();
  readonly runtime;
  /** With `faults`: what strikes, and what the log says. */
  readonly faulty: FaultyEngine | null;
  readonly lines: string[] = [];
  word = '';
  readonly #engine: Engine;
  readonly #supervised: SupervisedEngine | null;

  constructor(options: RigOptions = {}) {
    const { quietBelow = 0 } = options;
    const scripted = zeroLatencyEngine(options);
    const hearing = options.words ? withWords(scripted, () => this.word) : scripted;
    const engine = this.#recording(options.captions ? withCaptions(hearing) : hearing);
    const timed = engineOnClock(engine, this.clock, options.costs);
    this.faulty = options.faults ? new FaultyEngine(timed, this.clock, options.faults) : null;
    const line = (values: object, text: string) => void this.lines.push(`${text} ${JSON.stringify(values)}`);
    const log = { debug() {}, info: line, warn: line, error: line };
    const supervision = { clock: this.clock, log, stepDeadlineMs: 250 };
    this.#supervised = this.faulty ? superviseEngine(this.faulty.engine, supervision) : null;
    const given = this.#supervised ?? { engine: timed };
    this.#engine = given.engine;
    this.runtime = createRuntime({
      ...given,
      log,
      clock: this.clock,
      random: createRandom(1),
      limits: options.limits,
      ...(options.tools && { tools: options.tools }),
      ...(options.memory && { memory: options.memory }),
      voiceActivityDetector: () => ({ frame: samples => (Math.abs(samples[0]) <= quietBelow ? 0 : 1) }),
    });
  }

  /** As a server does before it listens. */
  async warmUp(): Promise<void> {
    await Promise.all([warmUp(this.#engine), this.clock.runFor(100)]);
    this.#supervised?.keepStandby();
  }

  open(settings: Partial<SessionSettings> = {}, id?: string): Caller {
    return new Caller(this, this.runtime.openSession(settings, { id }));
  }

  /** The text of the one cache that begins like this. */
  contextOf(start: string): string {
    for (const [sequence, cache] of this.caches) {
      const ids = characterTokenizer.encode(start);
      if (ids.every((id, i) => cache[i]?.textId === id)) return this.contextText(sequence);
    }
    return '';
  }

  /** What a sequence's cache says; a code step without text is nothing, `~` a vector of audio, `#` one of a picture. */
  contextText(sequence: StreamId = 1): string {
    const cache = this.caches.get(sequence) ?? [];
    return cache
      .map(({ textId }) =>
        textId < 0 ? '' : textId >= 200 ? characterTokenizer.decode([textId]) : (NAMES[textId] ?? ''),
      )
      .join('');
  }

  #recording(engine: Engine): Engine {
    const { caches } = this;
    const inner = engine.languageModel;
    return {
      ...engine,
      languageModel: {
        open: () => {
          const sequence = inner.open();
          caches.set(sequence, []);
          return sequence;
        },
        close: sequence => {
          inner.close(sequence);
          caches.delete(sequence);
        },
        truncate: (sequence, length) => {
          inner.truncate(sequence, length);
          const cache = caches.get(sequence);
          if (cache) cache.length = length;
        },
        step: async (batch: readonly LanguageModelWork[]) => {
          for (const { sequence, positions } of batch) {
            const cache = caches.get(sequence);
            positions.textIds.forEach((textId, i) => {
              cache?.push({ textId, semantic: positions.codes[i * 4] });
            });
          }
          return inner.step(batch);
        },
      },
    };
  }
}

function withWords(engine: Engine, word: () => string): Engine {
  const heard = captioned(engine, index => (index === 1 && word() !== '' ? word() : null));
  return { ...heard, model: { ...engine.model, hearsWords: true } };
}

/** Words as the ear hears them: one for every fifth vector. */
export function withCaptions(engine: Engine): Engine {
  return captioned(engine, index => (index % 5 === 0 ? `w${index}` : null));
}

function captioned(engine: Engine, wordAt: (index: number) => string | null): Engine {
  const inner = engine.audioEncoder;
  const { hiddenSize } = engine.model;
  return {
    ...engine,
    audioEncoder: {
      open: () => inner.open(),
      close: stream => inner.close(stream),
      fork: stream => inner.fork(stream),
      step: async batch =>
        (await inner.step(batch)).map(answer => {
          if (!answer) return null;
          // The scripted encoder's vectors carry their index.
          const indices = Array.from({ length: answer.count }, (_, i) => answer.vectors[i * hiddenSize]);
          const captions = indices.flatMap((index, vector) => {
            const text = wordAt(index);
            return text === null ? [] : [{ vector, text }];
          });
          return { ...answer, captions };
        }),
    },
  };
}

const NAMES: Record<number, string> = {
  2: '</longcat_s>',
  134: '<audio>',
  135: '</audio>',
  137: '</pause>',
  136: '~',
  142: '#',
};

/** One person: pushes 20 ms (or `packetMs`) of audio at a time, speaking when told to. */
export class Caller {
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  readonly #rig: SessionRig;
  #speaks = false;
  #gainDb = 0;

  constructor(rig: SessionRig, session: Session) {
    this.#rig = rig;
    this.session = session;
    session.events$.subscribe(event => this.events.push(event));
  }

  /** Keeps pushing audio for `durationMs` and lets the time pass. */
  async say(durationMs: number, gainDb = 0): Promise<void> {
    this.#speaks = true;
    this.#gainDb = gainDb;
    await this.#push(durationMs);
  }

  async silence(durationMs: number): Promise<void> {
    this.#speaks = false;
    await this.#push(durationMs);
  }

  /** Time passes without audio. */
  async wait(durationMs: number): Promise<void> {
    await this.#rig.clock.runFor(durationMs);
  }

  all<T extends SessionEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  last<T extends SessionEvent['type']>(type: T): EventOf<T> | undefined {
    return this.all(type).at(-1);
  }

  get state(): string {
    return this.last('state')?.state ?? 'idle';
  }

  get states(): string[] {
    return this.all('state').map(({ state }) => state);
  }

  get audioMs(): number {
    return this.all('response.audio').reduce((sum, { samples }) => sum + samples.length, 0) / 24;
  }

  async #push(durationMs: number): Promise<void> {
    for (let at = 0; at < durationMs; at += 20) {
      await this.#rig.clock.runFor(20);
      pushAudio(this.session, packet(this.#speaks, 20, this.#gainDb));
    }
  }
}

const packets = new Map<string, Float32Array>();

/** The same array each time: nobody keeps what is pushed. */
export function packet(speaks: boolean, ms: number, gainDb = 0): Float32Array {
  const key = `${speaks} ${ms} ${gainDb}`;
  const known = packets.get(key);
  if (known) return known;
  const made = new Float32Array((ms * RATE) / 1000).fill(speaks ? SPEECH_LEVEL * 10 ** (gainDb / 20) : 0);
  packets.set(key, made);
  return made;
}
