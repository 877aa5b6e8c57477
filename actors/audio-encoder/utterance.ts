import type {
  AudioEncoderAnswer,
  AudioEncoderEngine,
  AudioEncoderWork,
  Caption,
  ModelDescription,
  StreamId,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { traceparentOf } from '../../kernels/trace-context.ts';
import { type Emit, failuresAfter, type Plan } from '../core/engine-actor.ts';
import type { Address } from '../core/message.ts';
import type { AudioEncoderOutput } from './messages.ts';

const SAMPLES_PER_SECOND = 16_000;
/** Audio kept to feed a new stream after a failure. */
const MAX_KEPT_SAMPLES = 30 * SAMPLES_PER_SECOND;
/** Of one step: minutes of audio that came at once must not keep the other sessions of the batch waiting. */
const MAX_STEP_SAMPLES = 4 * SAMPLES_PER_SECOND;
const MAX_FAILURES = 3;

type AudioPlan = Plan<AudioEncoderWork, AudioEncoderAnswer>;

interface Speculation {
  readonly id: number;
  readonly address: Address;
  /** Samples of the utterance that it covers. */
  readonly at: number;
  state: 'waiting' | 'flushing' | 'done';
  isCommitted: boolean;
  fork: StreamId | null;
}

/** What is to be known of the encoder. */
type Encoder = Pick<
  ModelDescription,
  'hiddenSize' | 'inputSampleRate' | 'audioVectorMs' | 'firstAudioVectorMs'
>;

/**
 * One utterance at the engine: a stream, and during a speculation a finished copy of it. While a speculation stands the
 * original is not fed: its next vectors are wanted only after a rollback, and then they catch up. Audio waits here
 * until it completes a vector: packets of 20 ms are a step each otherwise, and three of four steps give nothing. What
 * waits is bounded by who sends it: a turn and an item hold so much and no more.
 */
export class Utterance {
  readonly utteranceId: string;
  /** The lower, the earlier it is served. */
  place = 0;
  /** Whose it is. */
  readonly session: string;
  readonly #engine: AudioEncoderEngine;
  readonly #encoder: Encoder;
  readonly #emit: Emit<AudioEncoderOutput>;
  #address: Address;
  /** Of the newest turn that was asked for. */
  #trace: { readonly turn: number; readonly parent: string } | null = null;
  #stream: StreamId | null = null;
  /** The utterance's audio from sample `#keptFrom` on. */
  readonly #chunks: Float32Array[] = [];
  #keptFrom = 0;
  #received = 0;
  #submitted = 0;
  /** Vectors emitted as true, and those that the present stream has produced (fewer while it catches up). */
  #emitted = 0;
  #produced = 0;
  #speculation: Speculation | null = null;
  #isEnding = false;
  /** Its last step is not yet answered. */
  isInFlight = false;
  #failures = 0;
  #isOver = false;

  constructor(
    utteranceId: string,
    address: Address,
    engine: AudioEncoderEngine,
    encoder: Encoder,
    emit: Emit<AudioEncoderOutput>,
  ) {
    this.utteranceId = utteranceId;
    this.session = address.session;
    this.#address = address;
    this.#engine = engine;
    this.#encoder = encoder;
    this.#emit = emit;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isSuspect(): boolean {
    return this.#failures > 0;
  }

  /** Its sound's turn may yet begin: what is encoded before counts for the one before. */
  get #traceparent(): string {
    const { turn } = this.#address;
    if (this.#trace?.turn !== turn) this.#trace = { turn, parent: traceparentOf(this.session, turn) };
    return this.#trace.parent;
  }

  push(address: Address, samples: Float32Array): void {
    if (this.#isEnding || this.#speculation?.isCommitted) return;
    this.#address = address;
    this.#chunks.push(samples);
    this.#received += samples.length;
  }

  speculate(address: Address, id: number): void {
    if (this.#isEnding) return;
    this.#dropFork();
    this.#speculation = { id, address, at: this.#received, state: 'waiting', isCommitted: false, fork: null };
  }

  rollback(id: number): void {
    if (this.#speculation?.id !== id || this.#speculation.isCommitted) return;
    this.#dropFork();
    this.#speculation = null;
  }

  commit(id: number): void {
    if (this.#speculation?.id !== id) return;
    this.#speculation.isCommitted = true;
    if (this.#speculation.state === 'done') this.close();
  }

  end(address: Address): void {
    if (this.#speculation?.isCommitted) return;
    this.#dropFork();
    this.#speculation = null;
    this.#address = address;
    this.#isEnding = true;
  }

  close(): void {
    this.#isOver = true;
    this.#chunks.length = 0;
    this.#dropFork();
    if (this.#stream !== null) this.#engine.close(this.#stream);
    this.#stream = null;
  }

  /** False when there is nothing to do, or the last step is not yet answered. */
  get wantsStep(): boolean {
    if (this.isInFlight || this.#isOver) return false;
    if (this.#isEnding || this.#speculation?.state === 'waiting') return true;
    const end = this.#end;
    return this.#submitted < end && this.#vectorsIn(end) > this.#vectorsIn(this.#submitted);
  }

  /** The next work, where `wantsStep`; null when the engine gives no stream, the utterance has failed then. */
  plan(): AudioPlan | null {
    try {
      this.#stream ??= this.#engine.open();
      const end = this.#end;
      const speculation = this.#speculation;
      if (!speculation || this.#submitted < end) return this.#planPush(this.#stream, end);
      return this.#planFlush(this.#stream, speculation);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#fail(error);
      return null;
    }
  }

  /**
   * Vectors that so many samples of the utterance complete; every sample is taken for one where the model does not say.
   */
  #vectorsIn(samples: number): number {
    const { inputSampleRate, audioVectorMs, firstAudioVectorMs } = this.#encoder;
    if (firstAudioVectorMs === undefined) return samples;
    const ms = (samples * 1000) / inputSampleRate;
    return Math.max(0, Math.floor((ms - firstAudioVectorMs) / audioVectorMs) + 1);
  }

  /** Samples that the original may be fed now. */
  get #end(): number {
    return this.#speculation?.at ?? this.#received;
  }

  #planPush(stream: StreamId, wanted: number): AudioPlan {
    const end = Math.min(wanted, this.#submitted + MAX_STEP_SAMPLES);
    const samples = this.#audio(this.#submitted, end);
    const finish = this.#isEnding && end === this.#received;
    this.#submitted = end;
    this.isInFlight = true;
    return {
      work: { stream, samples, finish, traceparent: this.#traceparent },
      answered: answer => {
        this.isInFlight = false;
        if (answer === null || stream !== this.#stream) return;
        this.#failures = 0;
        this.#forget();
        this.#emitTrue(answer, finish);
        if (finish) this.close();
      },
      failed: error => this.#retry(error),
    };
  }

  #planFlush(stream: StreamId, speculation: Speculation): AudioPlan {
    const fork = this.#engine.fork(stream);
    speculation.fork = fork;
    speculation.state = 'flushing';
    this.isInFlight = true;
    return {
      work: {
        ...{ stream: fork, samples: new Float32Array(0), finish: true },
        traceparent: this.#traceparent,
      },
      answered: answer => {
        this.isInFlight = false;
        if (answer === null || speculation !== this.#speculation) return;
        this.#failures = 0;
        speculation.state = 'done';
        this.#emit(speculation.address, {
          type: 'vectors',
          utteranceId: this.utteranceId,
          speculationId: speculation.id,
          vectors: answer.vectors,
          count: answer.count,
          firstIndex: this.#emitted,
          captions: answer.captions ?? [],
          last: true,
        });
        if (speculation.isCommitted) this.close();
      },
      failed: error => this.#retry(error),
    };
  }

  /** Emits what is new: after a failure the stream repeats what has been emitted before. */
  #emitTrue(answer: AudioEncoderAnswer, last: boolean): void {
    const repeated = Math.min(answer.count, this.#emitted - this.#produced);
    this.#produced += answer.count;
    const count = answer.count - repeated;
    if (count === 0 && !last) return;
    const firstIndex = this.#emitted;
    this.#emitted += count;
    const vectors = answer.vectors.subarray(repeated * this.#encoder.hiddenSize);
    const { utteranceId } = this;
    this.#emit(this.#address, {
      type: 'vectors',
      utteranceId,
      speculationId: null,
      vectors,
      count,
      firstIndex,
      captions: captionsFrom(answer.captions ?? [], repeated),
      last,
    });
  }

  #retry(error: RuntimeError): void {
    this.isInFlight = false;
    if (this.#isOver) return;
    this.#failures = failuresAfter(this.#failures, error);
    if (this.#failures > MAX_FAILURES || this.#keptFrom > 0) {
      this.#fail(error);
      return;
    }
    this.#dropFork();
    if (this.#speculation) this.#speculation.state = 'waiting';
    if (this.#stream !== null) this.#engine.close(this.#stream);
    this.#stream = null;
    this.#submitted = 0;
    this.#produced = 0;
  }

  #fail({ code, message }: RuntimeError): void {
    this.close();
    this.#emit(this.#address, { type: 'failed', utteranceId: this.utteranceId, code, message });
  }

  #dropFork(): void {
    if (this.#speculation?.fork == null) return;
    this.#engine.close(this.#speculation.fork);
    this.#speculation.fork = null;
  }

  /** Beyond what is kept for a retry, audio that was encoded is forgotten. */
  #forget(): void {
    if (this.#submitted <= MAX_KEPT_SAMPLES) return;
    while (this.#chunks.length > 0 && this.#keptFrom + this.#chunks[0].length <= this.#submitted) {
      this.#keptFrom += this.#chunks.shift()!.length;
    }
  }

  /** Samples [from, to) of the utterance: a chunk itself where they are one, else a copy. */
  #audio(from: number, to: number): Float32Array {
    const last = this.#chunks.at(-1);
    if (last && to === this.#received && to - from === last.length) return last;
    const samples = new Float32Array(to - from);
    let base = this.#keptFrom;
    for (const chunk of this.#chunks) {
      const [first, end] = [Math.max(from - base, 0), Math.min(to - base, chunk.length)];
      if (first < end) samples.set(chunk.subarray(first, end), base + first - from);
      base += chunk.length;
    }
    return samples;
  }
}

/** Captions of an answer without its first `skipped` vectors. */
function captionsFrom(captions: readonly Caption[], skipped: number): Caption[] {
  const kept = captions.filter(({ vector }) => vector >= skipped);
  return kept.map(caption => ({ ...caption, vector: caption.vector - skipped }));
}
