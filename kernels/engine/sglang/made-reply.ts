/**
 * One reply that the server makes: the request, its steps as they come, and what of them is asked for. The server goes
 * on by itself, so what our side recorded of each step is compared with what the server went on from.
 *
 *   asked ──► running ──► over (finished, failed, or ended by us: then the server is told)
 */
import { RuntimeError } from '../../errors.ts';
import type { ContextHandover } from '../engine.ts';
import { ABSENT } from '../positions.ts';
import { cut, diverged, down, endedEarly, slow } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { SglangHttp, SglangTimers } from './http.ts';
import { type IdLimits, type MadeStep, ReplySteps } from './reply-steps.ts';
import { PATHS, type SglangSettings } from './settings.ts';

/** Where nothing listens at all: the server's own failure, not the reply's. */
const NOT_THERE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

export interface Prediction {
  readonly step: MadeStep;
  /** With the reply's first. */
  readonly handover?: ContextHandover;
}

export interface MadeReplyOptions {
  readonly rid: string;
  readonly timers: SglangTimers;
  readonly settings: SglangSettings;
  readonly limits: IdLimits;
  /** Positions of its context. */
  readonly base: number;
  readonly speaks: boolean;
  readonly body: Iterator<string | Uint8Array>;
  /** Of the turn that is answered. */
  readonly traceparent: string | undefined;
  /** It takes no place at the server any more; why, where it failed. */
  readonly over: (error: RuntimeError | null) => void;
}

interface Asking {
  /** What is in our context of the reply. */
  readonly recorded: readonly MadeStep[];
  readonly resolve: (prediction: Prediction | null) => void;
  readonly reject: (error: RuntimeError) => void;
}

/** Whom it is asked of. */
interface ReplyServer {
  /** For messages. */
  readonly address: string;
  readonly http: SglangHttp;
}

export class MadeReply {
  readonly base: number;
  readonly speaks: boolean;
  readonly #options: MadeReplyOptions;
  readonly #events: EventStream;
  readonly #steps: ReplySteps;
  #asking: Asking | null = null;
  #server: ReplyServer | null = null;
  #error: RuntimeError | null = null;
  #breakOff: (() => void) | null = null;
  #isOver = false;
  /** Recorded steps that were compared with those made. */
  #agreed = 0;
  #handover: ContextHandover | null = null;
  #begunAtMs = 0;
  #sent: { readonly bytes: number; readonly atMs: number } | null = null;
  #bound: { cancel(): void } | null = null;

  constructor(options: MadeReplyOptions) {
    this.base = options.base;
    this.speaks = options.speaks;
    this.#options = options;
    this.#events = new EventStream(options.settings.maxEventBytes);
    this.#steps = new ReplySteps(options.limits, options.speaks);
  }

  /** False: it has failed, and did not come so far. */
  canGive(steps: number): boolean {
    return this.#error === null || this.#steps.length > steps;
  }

  begin(server: ReplyServer): void {
    if (this.#isOver) return;
    const { timers, body, traceparent } = this.#options;
    this.#begunAtMs = timers.nowMs();
    this.#server = server;
    const listener = {
      sent: (bytes: number) => {
        this.#sent = { bytes, atMs: timers.nowMs() };
      },
      data: (bytes: Uint8Array) => this.#hear(bytes),
      ended: () => this.#ended(),
      failed: (error: Error) => this.#fail(this.#named(error)),
    };
    this.#breakOff = server.http.stream(PATHS.generate, body, listener, traceparent);
  }

  /**
   * The step after those that are recorded; null when the reply was ended meanwhile.
   * @throws (rejects) RuntimeError `sglang.*`
   */
  next(recorded: readonly MadeStep[]): Promise<Prediction | null> {
    return new Promise((resolve, reject) => {
      this.#asking = { recorded, resolve, reject };
      this.#answer();
    });
  }

  /** It is not wanted any more: the server stops at its next step. */
  end(): void {
    this.#stop();
    this.#asking?.resolve(null);
    this.#asking = null;
  }

  fail(error: RuntimeError): void {
    this.#fail(error);
  }

  #hear(bytes: Uint8Array): void {
    const before = this.#steps.length;
    try {
      for (const event of this.#events.push(bytes)) this.#steps.push(event);
    } catch (error) {
      this.#fail(error as RuntimeError);
      return;
    }
    if (this.#steps.length > before) {
      if (before === 0) this.#firstStep();
      this.#bound?.cancel();
      this.#bound = null;
    }
    // The stream itself may stay open for a while: nothing comes after this.
    if (this.#events.isDone) this.#finished();
    this.#answer();
  }

  #ended(): void {
    if (!this.#events.isDone && this.#steps.finish === null)
      this.#fail(this.#named(new Error('it ended without an end')));
    else this.#finished();
    this.#answer();
  }

  #firstStep(): void {
    const { timers } = this.#options;
    const nowMs = timers.nowMs();
    const { bytes = 0, atMs = nowMs } = this.#sent ?? {};
    this.#handover = {
      positions: this.base,
      cachedPositions: Math.min(this.#steps.cachedPositions, this.base),
      bytes,
      sendMs: atMs - this.#begunAtMs,
      prefillMs: nowMs - atMs,
    };
  }

  #answer(): void {
    if (!this.#asking) return;
    const { recorded, resolve } = this.#asking;
    for (; this.#agreed < Math.min(recorded.length, this.#steps.length); this.#agreed++) {
      if (!agree(recorded[this.#agreed], this.#steps.at(this.#agreed))) {
        this.#fail(diverged(this.#options.rid, this.#agreed));
        return;
      }
    }
    if (this.#steps.length > recorded.length) {
      this.#bound?.cancel();
      this.#bound = null;
      this.#asking = null;
      const handover = recorded.length === 0 && this.#handover ? { handover: this.#handover } : {};
      resolve({ step: this.#steps.at(recorded.length), ...handover });
    } else if (this.#error) this.#refuse(this.#error);
    else if (this.#isOver)
      this.#fail(endedEarly(this.#options.rid, this.#steps.length, this.#steps.finish ?? '[DONE]'));
    else this.#wait();
  }

  /** For the next step to come, whoever asks for it. */
  #wait(): void {
    if (this.#bound) return;
    const { timers, settings, rid } = this.#options;
    const { firstStepMs, perPositionMs, nextStepMs } = settings;
    const ms = this.#steps.length === 0 ? firstStepMs + perPositionMs * this.base : nextStepMs;
    this.#bound = timers.setTimer(ms, () => this.#fail(slow(rid, this.#steps.length, ms)));
  }

  /** What it has made until then is still told. */
  #fail(error: RuntimeError): void {
    if (this.#error) return;
    this.#error = error;
    this.#stop();
    this.#refuse(error);
  }

  #refuse(error: RuntimeError): void {
    this.#asking?.reject(error);
    this.#asking = null;
  }

  #finished(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#bound?.cancel();
    this.#options.over(this.#error);
  }

  /** Hanging up is noticed late over there: it is told. */
  #stop(): void {
    const wasRunning = this.#breakOff !== null && !this.#isOver;
    this.#finished();
    if (!wasRunning) return;
    this.#breakOff?.();
    const { rid, settings } = this.#options;
    this.#server?.http.ask('POST', PATHS.abort, settings.abortMs, { rid }).catch(() => {});
  }

  #named(error: Error): RuntimeError {
    if (error instanceof RuntimeError) return error;
    const { rid } = this.#options;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && NOT_THERE.has(code)) return down(this.#server!.address, error.message);
    return cut(rid, this.#steps.length, error.message);
  }
}

/** What we recorded as absent was not asked of the server: a filler there. */
function agree(ours: MadeStep, theirs: MadeStep): boolean {
  const same = (our: number, their: number) => our === ABSENT || our === their;
  return same(ours.text, theirs.text) && ours.codes.every((code, i) => same(code, theirs.codes[i]));
}
