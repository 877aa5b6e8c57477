/**
 * The language model on SGLang servers (docs/spec/remote.md §1). A server keeps nothing between requests: the
 * sequences live here as their positions. Steps that predict nothing are remembered and answered at once; the first
 * that does sends all of it as finished vectors and asks for a whole reply, whose steps then answer those that follow.
 * What is cut, closed or ended here is aborted there.
 *
 * A reply that broke off is asked for again from its beginning and must be the same as far as it is known.
 *
 * The server feeds its codes back whatever is wanted. What comes after a step that is text without speech (a reply
 * of text alone, a tool call) it can therefore say only of a context that ends with that step: each such step is a
 * request of its own, and costs what the context costs.
 */
import type { Embedder } from '../../components/language-model/index.ts';
import type { RuntimeError } from '../../errors.ts';
import { type Channel, engineClosed } from '../channel.ts';
import type { LanguageModelAnswer, LanguageModelWork, SamplingRequest, StreamId } from '../engine.ts';
import type { ComponentState, ServingHost } from '../lifecycle.ts';
import { ABSENT } from '../positions.ts';
import type { StreamCommand } from '../service.ts';
import type { StateListener, SupervisedChannel } from '../supervised-channels.ts';
import { generateBody } from './generate-body.ts';
import type { SglangTimers } from './http.ts';
import { MadeReply, type Prediction } from './made-reply.ts';
import { PositionLog } from './position-log.ts';
import type { MadeStep } from './reply-steps.ts';
import { type OnServer, type SglangServer, SglangServers } from './servers.ts';
import { MOST_NEW_TOKENS, SGLANG_DEFAULTS, type SglangSettings } from './settings.ts';
import { WrittenVectors } from './written-vectors.ts';

/** Far more than there are sessions. */
const STEPS_APART = 4096;

export interface SglangOptions {
  /** Each `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly addresses: readonly string[];
  readonly embedder: Embedder;
  readonly timers: SglangTimers;
  /** Unique among all that ask the server. */
  readonly newId: () => string;
  readonly settings?: Partial<SglangSettings>;
  readonly onServer?: OnServer | undefined;
}

interface KeptSequence {
  readonly log: PositionLog;
  reply: MadeReply | null;
  /** Where its last reply was made. */
  home: SglangServer | null;
}

/** A prediction, and for whose turn. */
interface WantedStep {
  readonly sample: SamplingRequest;
  readonly traceparent: string | undefined;
}

export class SglangChannel implements Channel<LanguageModelWork, LanguageModelAnswer>, SupervisedChannel {
  /** Its streams live here and are never lost. */
  readonly incarnation = 0;
  readonly isReady = true;
  readonly stepsApart = STEPS_APART;
  readonly #options: SglangOptions;
  readonly #settings: SglangSettings;
  readonly #servers: SglangServers;
  readonly #written: WrittenVectors;
  readonly #sequences = new Map<StreamId, KeptSequence>();
  readonly #running = new Map<MadeReply, SglangServer>();
  /** Replies that wait for a server to serve, or for a place there. */
  readonly #queue = new Map<MadeReply, KeptSequence>();
  #supervisor: StateListener | null = null;
  /** What new replies fail with while a supervisor says so. */
  #refusal: RuntimeError | null = null;
  #told: ComponentState = 'starting';
  #isClosed = false;

  /** Resolves when a server is healthy. @throws (rejects) RuntimeError `sglang.down` */
  static async open(options: SglangOptions): Promise<SglangChannel> {
    const channel = new SglangChannel(options);
    try {
      await channel.#servers.open();
    } catch (error) {
      await channel.close();
      throw error;
    }
    return channel;
  }

  private constructor(options: SglangOptions) {
    this.#options = options;
    this.#settings = { ...SGLANG_DEFAULTS, ...options.settings };
    this.#written = new WrittenVectors(options.embedder, this.#settings);
    const { addresses, timers, onServer } = options;
    this.#servers = new SglangServers({
      ...{ addresses, timers, settings: this.#settings, ...(onServer && { onServer }) },
      changed: (state, error) => this.#changed(state, error),
    });
  }

  get state(): ComponentState {
    return this.#servers.state;
  }

  /** Those that serve, and how many of the sequences had their last reply there. */
  get hosts(): readonly ServingHost[] {
    const homes = [...this.#sequences.values()].map(({ home }) => home);
    const serving = this.#servers.all.filter(({ health }) => health.state === 'ready');
    return serving.map(server => ({
      host: server.address,
      streams: homes.filter(home => home === server).length,
      isLeaving: false,
    }));
  }

  wake(): void {}

  connect(): void {}

  supervise(supervisor: StateListener): void {
    this.#supervisor = supervisor;
  }

  start(): void {
    this.#servers.start();
  }

  /** Replies that run there go on: each has its own bounds. New ones wait. */
  giveUp(error: RuntimeError): void {
    this.#servers.lost(error);
  }

  refuse(error: RuntimeError): void {
    this.#refusal = error;
    for (const reply of this.#queue.keys()) reply.fail(error);
  }

  apply(command: StreamCommand): void {
    const { op, stream } = command;
    if (op === 'open')
      this.#sequences.set(stream, {
        log: new PositionLog(this.#options.embedder.pads, this.#written),
        ...{ reply: null, home: null },
      });
    const sequence = this.#sequences.get(stream);
    if (!sequence || op === 'open') return;
    if (op !== 'truncate' || command.length < sequence.log.length) endReply(sequence);
    if (op === 'truncate') sequence.log.truncate(command.length);
    if (op !== 'close') return;
    sequence.log.truncate(0);
    this.#sequences.delete(stream);
  }

  step(batch: readonly LanguageModelWork[]): Promise<(LanguageModelAnswer | null)[]> {
    return Promise.all(batch.map(work => this.#step(work)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const reply of [...this.#queue.keys(), ...this.#running.keys()]) reply.fail(engineClosed());
    await this.#servers.close();
  }

  async #step(work: LanguageModelWork): Promise<LanguageModelAnswer | null> {
    const { sequence: stream, positions, sample, traceparent } = work;
    if (this.#isClosed) throw engineClosed();
    const sequence = this.#sequences.get(stream);
    if (!sequence) return null;
    this.#options.embedder.check(positions);
    sequence.log.append(positions);
    const { length } = sequence.log;
    if (!sample) {
      endReply(sequence);
      return { length };
    }
    const made = await this.#ask(sequence, { sample, traceparent });
    return made
      ? { length, sampled: { ...made.step, waitProbability: null, ...handoverOf(made) } }
      : { length };
  }

  #ask(sequence: KeptSequence, asked: WantedStep): Promise<Prediction | null> {
    const { log } = sequence;
    const { sample } = asked;
    const recorded = log.reply();
    const last = recorded.at(-1);
    if (!sample.speech || (last && isSilent(last))) {
      endReply(sequence);
      sequence.reply = this.#newReply(sequence, log.length, asked, 1);
      return sequence.reply.next([]);
    }
    const { reply: old } = sequence;
    if (old && (!old.canGive(recorded.length) || !old.speaks)) endReply(sequence);
    sequence.reply ??= this.#newReply(sequence, log.length - recorded.length, asked, MOST_NEW_TOKENS);
    return sequence.reply.next(recorded);
  }

  #newReply(
    sequence: KeptSequence,
    base: number,
    { sample, traceparent }: WantedStep,
    steps: number,
  ): MadeReply {
    const { embedder, timers, newId } = this.#options;
    const rid = newId();
    const request = { rid, context: sequence.log.upTo(base), length: base, sample, steps };
    const reply: MadeReply = new MadeReply({
      ...{ rid, timers, settings: this.#settings },
      ...{ limits: embedder, base, speaks: sample.speech, traceparent },
      body: generateBody(request, this.#written, embedder.maxPositions),
      over: error => this.#over(reply, error),
    });
    this.#queue.set(reply, sequence);
    if (this.#refusal) reply.fail(this.#refusal);
    else if (!this.#supervisor) this.start();
    this.#admit();
    return reply;
  }

  #admit(): void {
    for (const [reply, sequence] of this.#queue) {
      const server = this.#servers.choose(sequence.home);
      if (!server) return;
      sequence.home = server;
      this.#queue.delete(reply);
      this.#running.set(reply, server);
      server.running.add(reply);
      reply.begin(server);
    }
  }

  #over(reply: MadeReply, error: RuntimeError | null): void {
    const server = this.#running.get(reply);
    this.#queue.delete(reply);
    this.#running.delete(reply);
    server?.running.delete(reply);
    if (server && error && !this.#isClosed) this.#servers.failed(server, error);
    this.#admit();
  }

  #changed(state: ComponentState, error: RuntimeError | null): void {
    if (state === 'ready') this.#refusal = null;
    if (state !== this.#told) this.#supervisor?.(state, error);
    this.#told = state;
    if (state === 'ready') this.#admit();
  }
}

function endReply(sequence: KeptSequence): void {
  sequence.reply?.end();
  sequence.reply = null;
}

const handoverOf = ({ handover }: Prediction) => (handover ? { handover } : {});

/** The server never makes such a step: it goes on from the codes that it would have spoken. */
const isSilent = ({ codes }: MadeStep): boolean => codes.every(code => code === ABSENT);
