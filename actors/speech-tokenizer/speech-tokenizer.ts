import { completedFrame } from '../../kernels/components/language-model/index.ts';
import { CODEBOOKS, type Engine } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { type ActorDefinition, type Delivery, NEVER_GIVEN_UP } from '../core/actor.ts';
import {
  type Emit,
  type EngineDesk,
  engineBehaviour,
  failuresAfter,
  type Plan,
  Quarantine,
} from '../core/engine-actor.ts';
import type { Address, Envelope } from '../core/message.ts';
import type { EncodeRequest, RecordedStep, SpeechTokenizerOutput, SpeechTokenizerPorts } from './messages.ts';

export interface SpeechTokenizerDeps {
  readonly engine: Engine;
  readonly maxBatch: number;
}

const CAPACITY = 1024;
/** Encode requests of one session that may wait. */
const MAX_REQUESTS = 64;
const MAX_FAILURES = 2;
const MAX_AUDIO_MS = 120_000;
/** What the engine takes at once (docs/spec/model.md §4.1): 30 s, whole code frames. */
const MAX_PIECE_MS = 30_000;

type SpeechWork = { readonly samples: Float32Array };
type SpeechAnswer = { readonly codes: Int32Array; readonly frames: number };

/** A reply whose steps are becoming frames. */
interface Alignment {
  readonly generationId: string;
  previous: Extract<RecordedStep, { type: 'step' }> | null;
  frames: number;
}

/** An encode request on its way through the engine, piece by piece. */
interface Encoding {
  readonly address: Address;
  readonly request: EncodeRequest;
  readonly codes: Int32Array[];
  encoded: number;
  failures: number;
}

interface Queue {
  readonly encodings: Encoding[];
  isInFlight: boolean;
}

/** The speech-tokenizer actor. One per process. */
export function speechTokenizerActor(
  deps: SpeechTokenizerDeps,
): ActorDefinition<SpeechTokenizerPorts, SpeechTokenizerOutput> {
  return {
    name: 'speech-tokenizer',
    ports: {
      steps: { capacity: CAPACITY, overflow: 'fail', fenced: true },
      encode: { capacity: CAPACITY, overflow: 'fail', fenced: false },
      control: { capacity: CAPACITY, overflow: 'never-drop', fenced: false },
    },
    supervision: NEVER_GIVEN_UP,
    behaviour: engineBehaviour(
      (_context, emit) => new SpeechTokenizerDesk(deps, emit),
      batch => deps.engine.speechTokenizer.step(batch),
    ),
  };
}

class SpeechTokenizerDesk implements EngineDesk<SpeechTokenizerPorts, SpeechWork, SpeechAnswer> {
  readonly #maxBatch: number;
  readonly #samplesPerMs: number;
  readonly #emit: Emit<SpeechTokenizerOutput>;
  /** By session, which has one reply at a time. */
  readonly #alignments = new Map<string, Alignment>();
  /** By session; those served last stand last. */
  readonly #queues = new Map<string, Queue>();
  readonly #quarantine = new Quarantine();

  constructor({ engine, maxBatch }: SpeechTokenizerDeps, emit: Emit<SpeechTokenizerOutput>) {
    this.#maxBatch = maxBatch;
    this.#samplesPerMs = engine.model.inputSampleRate / 1000;
    this.#emit = emit;
  }

  receive({ port, message }: Delivery<SpeechTokenizerPorts>): void {
    if (port === 'steps') this.#align(message);
    else if (port === 'encode') this.#request(message);
    else {
      this.#alignments.delete(message.session);
      this.#queues.delete(message.session);
    }
  }

  plan(): Plan<SpeechWork, SpeechAnswer>[] {
    if (this.#queues.size === 0) return [];
    const wanting = [...this.#queues].filter(([, queue]) => !queue.isInFlight && queue.encodings.length > 0);
    const chosen = this.#quarantine.choose(wanting, ([, queue]) => queue.encodings[0].failures > 0);
    return chosen.slice(0, this.#maxBatch).map(([session, queue]) => {
      this.#queues.delete(session);
      this.#queues.set(session, queue);
      return this.#planPiece(session, queue);
    });
  }

  stop(): void {
    this.#queues.clear();
  }

  #align(message: Envelope<RecordedStep>): void {
    const { session, body } = message;
    const { generationId } = body;
    let alignment = this.#alignments.get(session);
    if (alignment?.generationId !== generationId) alignment = { generationId, previous: null, frames: 0 };
    if (body.type === 'end') {
      this.#alignments.delete(session);
      this.#emit(message, { type: 'end', generationId, frames: alignment.frames });
      return;
    }
    const { previous } = alignment;
    if (!previous) this.#alignments.set(session, alignment);
    const codes = completedFrame(previous, body);
    alignment.previous = body;
    if (!codes || !previous) return;
    alignment.frames++;
    this.#emit(message, { type: 'frame', generationId, step: previous.index, codes });
  }

  #request(message: Envelope<EncodeRequest>): void {
    const { session, body } = message;
    const queue = this.#queues.get(session) ?? { encodings: [], isInFlight: false };
    this.#queues.set(session, queue);
    const audioMs = body.samples.length / this.#samplesPerMs;
    const encoding: Encoding = { address: message, request: body, codes: [], encoded: 0, failures: 0 };
    if (audioMs > MAX_AUDIO_MS) {
      const values = { audioMs: Math.round(audioMs), maxAudioMs: MAX_AUDIO_MS };
      this.#fail(encoding, new RuntimeError('speech-tokenizer.too-long', 'The audio is too long.', values));
    } else if (queue.encodings.length >= MAX_REQUESTS) {
      const values = { waiting: MAX_REQUESTS };
      this.#fail(encoding, new RuntimeError('speech-tokenizer.backlog', 'Too much audio waits.', values));
    } else queue.encodings.push(encoding);
  }

  #planPiece(session: string, queue: Queue): Plan<SpeechWork, SpeechAnswer> {
    const encoding = queue.encodings[0];
    const { samples } = encoding.request;
    const end = Math.min(samples.length, encoding.encoded + MAX_PIECE_MS * this.#samplesPerMs);
    queue.isInFlight = true;
    const settle = (): boolean => {
      queue.isInFlight = false;
      return this.#queues.get(session) === queue;
    };
    return {
      work: { samples: samples.slice(encoding.encoded, end) },
      answered: answer => {
        if (!settle() || answer === null) return;
        encoding.codes.push(answer.codes);
        encoding.encoded = end;
        encoding.failures = 0;
        if (end < samples.length) return;
        queue.encodings.shift();
        this.#finish(encoding);
      },
      failed: error => {
        if (!settle()) return;
        encoding.failures = failuresAfter(encoding.failures, error);
        if (encoding.failures < MAX_FAILURES) return;
        queue.encodings.shift();
        this.#fail(encoding, error);
      },
    };
  }

  #finish({ address, request, codes: pieces }: Encoding): void {
    const codes = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      codes.set(piece, at);
      at += piece.length;
    }
    const { requestId } = request;
    this.#emit(address, { type: 'encoded', requestId, codes, frames: codes.length / CODEBOOKS });
  }

  #fail({ address, request }: Encoding, { code, message }: RuntimeError): void {
    this.#emit(address, { type: 'failed', requestId: request.requestId, code, message });
  }
}
