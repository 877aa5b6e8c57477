import {
  CODEBOOKS,
  type GanDecoderAnswer,
  type GanDecoderEngine,
  type GanDecoderWork,
  type StreamId,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { traceparentOf } from '../../kernels/trace-context.ts';
import { type Emit, failuresAfter, type Plan } from '../core/engine-actor.ts';
import type { Address } from '../core/message.ts';
import type { GanDecoderOutput } from './messages.ts';

/** Frames decoded in one step at most, so that a long backlog of one reply does not hold up the others. */
const MAX_FRAMES_PER_STEP = 16;
const MAX_FAILURES = 3;
/** A spoken sentence or two; more are welcome. */
const FIRST_FRAMES = 128;

/**
 * One reply at the decoder. All its code frames are kept (16 bytes each), so that a new stream can be fed from the
 * start after a failure; sound that has been emitted is not emitted again.
 */
export class ReplySpeech {
  readonly generationId: string;
  readonly address: Address;
  /** The lower, the earlier it is served. */
  place = 0;
  readonly #traceparent: string;
  readonly #engine: GanDecoderEngine;
  readonly #samplesPerFrame: number;
  readonly #emit: Emit<GanDecoderOutput>;
  #frames = 0;
  #codes = new Int32Array(FIRST_FRAMES * CODEBOOKS);
  #stream: StreamId | null = null;
  /** Frames given to the stream, frames it has answered, frames emitted. */
  #submitted = 0;
  #decoded = 0;
  #emitted = 0;
  #isEnding = false;
  /** Its last step is not yet answered. */
  isInFlight = false;
  #isOver = false;
  #failures = 0;

  constructor(
    generationId: string,
    address: Address,
    engine: GanDecoderEngine,
    samplesPerFrame: number,
    emit: Emit<GanDecoderOutput>,
  ) {
    this.generationId = generationId;
    this.address = address;
    this.#traceparent = traceparentOf(address.session, address.turn);
    this.#engine = engine;
    this.#samplesPerFrame = samplesPerFrame;
    this.#emit = emit;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isSuspect(): boolean {
    return this.#failures > 0;
  }

  get wantsStep(): boolean {
    return !this.isInFlight && !this.#isOver && (this.#submitted < this.#frames || this.#isEnding);
  }

  push(codes: readonly number[]): void {
    if (this.#isEnding) return;
    const at = this.#frames * CODEBOOKS;
    this.#frames += 1;
    if (at === this.#codes.length) {
      const grown = new Int32Array(2 * at);
      grown.set(this.#codes);
      this.#codes = grown;
    }
    for (let i = 0; i < CODEBOOKS; i++) this.#codes[at + i] = codes[i];
  }

  end(): void {
    this.#isEnding = true;
  }

  close(): void {
    this.#isOver = true;
    this.#frames = 0;
    if (this.#stream !== null) this.#engine.close(this.#stream);
    this.#stream = null;
  }

  /** The next work, where `wantsStep`; null when the engine gives no stream, the reply has failed then. */
  plan(): Plan<GanDecoderWork, GanDecoderAnswer> | null {
    try {
      this.#stream ??= this.#engine.open();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#fail(error);
      return null;
    }
    const from = this.#submitted;
    this.#submitted = Math.min(this.#frames, from + MAX_FRAMES_PER_STEP);
    const codes = this.#codes.subarray(from * CODEBOOKS, this.#submitted * CODEBOOKS);
    this.isInFlight = true;
    const finish = this.#isEnding && this.#submitted === this.#frames;
    return new SpeechPlan(this, { stream: this.#stream, codes, finish, traceparent: this.#traceparent });
  }

  /** For the plan: its work was done; null where its stream was closed meanwhile. */
  answered({ stream, finish }: GanDecoderWork, answer: GanDecoderAnswer | null): void {
    this.isInFlight = false;
    if (answer === null || stream !== this.#stream) return;
    this.#failures = 0;
    this.#deliver(answer.samples, finish);
  }

  /** For the plan: the engine failed at it. */
  failed(error: RuntimeError): void {
    this.isInFlight = false;
    if (this.#isOver) return;
    this.#failures = failuresAfter(this.#failures, error);
    if (this.#failures > MAX_FAILURES) {
      this.#fail(error);
      return;
    }
    if (this.#stream !== null) this.#engine.close(this.#stream);
    this.#stream = null;
    this.#submitted = 0;
    this.#decoded = 0;
  }

  #deliver(samples: Float32Array, finish: boolean): void {
    const count = samples.length / this.#samplesPerFrame;
    const repeated = Math.min(count, this.#emitted - this.#decoded);
    this.#decoded += count;
    const { generationId } = this;
    if (count > repeated) {
      this.#emitted += count - repeated;
      const fresh = repeated === 0 ? samples : samples.subarray(repeated * this.#samplesPerFrame);
      this.#emit(this.address, { type: 'speech', generationId, samples: fresh });
    }
    if (!finish || this.#isOver) return;
    this.close();
    this.#emit(this.address, { type: 'end', generationId, samples: this.#emitted * this.#samplesPerFrame });
  }

  #fail({ code, message }: RuntimeError): void {
    this.close();
    this.#emit(this.address, { type: 'failed', generationId: this.generationId, code, message });
  }
}

class SpeechPlan implements Plan<GanDecoderWork, GanDecoderAnswer> {
  readonly work: GanDecoderWork;
  readonly #reply: ReplySpeech;

  constructor(reply: ReplySpeech, work: GanDecoderWork) {
    this.#reply = reply;
    this.work = work;
  }

  answered(answer: GanDecoderAnswer | null): void {
    this.#reply.answered(this.work, answer);
  }

  failed(error: RuntimeError): void {
    this.#reply.failed(error);
  }
}
