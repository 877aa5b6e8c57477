import type { EngineLifecycle } from './lifecycle.ts';
import type { ToolTemplate } from '../tokenizer/tool-template.ts';
import type { Positions } from './positions.ts';

/**
 * What does the arithmetic. Actors know only this file: the reference engine (TypeScript), `cpu` (C++), `cuda`,
 * `remote` and the simulator's `modelled` engine all answer it, and nothing else knows which one it got.
 *
 * Rules common to every component:
 * - `open()` and `close()` are synchronous and cheap; ids are never reused within an engine.
 * - `step(batch)` resolves with one answer per work item, in order; a thenable is enough (the modelled engine answers
 *   from the clock's own event). A batch holds at most one item per stream.
 *   Items of one stream execute in the order of the `step` calls.
 * - After `close(stream)` queued work of that stream is dropped: its answers are `null`.
 * - A step that fails rejects with a `RuntimeError`; no other stream is harmed.
 */
export interface Engine {
  readonly kind: EngineKind;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly languageModel: LanguageModelEngine;
  readonly audioEncoder: AudioEncoderEngine;
  readonly visionEncoder: VisionEncoderEngine;
  readonly speechTokenizer: SpeechTokenizerEngine;
  readonly ganDecoder: GanDecoderEngine;
  /**
   * Where components can fail apart from their caller. Faces of an engine (its steps on a clock, recorded, counted)
   * have none: supervise what is innermost.
   */
  readonly lifecycle?: EngineLifecycle;
  close(): Promise<void>;
}

export type EngineKind = 'reference' | 'cpu' | 'cuda' | 'remote' | 'modelled';
export type StreamId = number;

/** Everything the actors need to know of a model; read from its directory (docs/spec/model.md §11), never assumed. */
export interface ModelDescription {
  readonly name: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  /** 32 + codebook entries. */
  readonly codeVocabSize: number;
  readonly maxPositions: number;
  readonly tokens: SpecialTokens;
  /** Always 16000 in, 24000 out for the 24 kHz codec; carried so that no actor hard-codes them. */
  readonly inputSampleRate: number;
  readonly outputSampleRate: number;
  /** Samples of one code frame at the output rate (1440 = 60 ms). */
  readonly samplesPerCodeFrame: number;
  /** Milliseconds of audio per encoder vector (80). */
  readonly audioVectorMs: number;
  /**
   * Milliseconds of audio that the first encoder vector is made of (95); another is complete every `audioVectorMs`.
   * Less audio than that gives the encoder nothing to do. Absent: not known, so any audio may.
   */
  readonly firstAudioVectorMs?: number;
  readonly codeFrameMs: number;
  /** Code frames the decoder must see ahead before it emits one (3). */
  readonly decoderLookaheadFrames: number;
  /** Of the largest picture that the vision encoder looks at; larger ones it makes smaller. */
  readonly maxPicturePixels?: number;
  /** The audio encoder has a caption head: it tells words as it hears them. */
  readonly hearsWords?: boolean;
  /** How it is told of tools and calls them; null or absent: it was taught none. */
  readonly toolTemplate?: ToolTemplate | null;
}

/** Text ids with a role (docs/spec/model.md §1.1, §1.10). */
export interface SpecialTokens {
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  readonly audioBegin: number;
  readonly audioEnd: number;
  readonly audioPad: number;
  readonly imagePad: number;
  readonly pause: number;
  /** First token of the answer to an utterance that is not finished (`wait_token_id`); null in a model without one. */
  readonly wait: number | null;
  /** Of the tags that a tool call is written with (docs/spec/tools.md §1); none in a model that spells them. */
  readonly toolTags?: readonly number[];
}

export interface Tokenizer {
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
}

// ─── language model ────────────────────────────────────────────────────────────────────────────────────────────

export interface LanguageModelEngine {
  /** A new sequence with an empty KV cache. */
  open(): StreamId;
  close(sequence: StreamId): void;
  /** Cuts the cache to `length` positions (rollback, docs/spec/model.md §1.5). Ordered with `step` calls. */
  truncate(sequence: StreamId, length: number): void;
  step(batch: readonly LanguageModelWork[]): PromiseLike<(LanguageModelAnswer | null)[]>;
  /**
   * Present where each reply is made whole by another server (docs/spec/remote.md §1): none is wanted of the sequence
   * any more, and a step under way is answered without a prediction, at once. Such an engine is given each step by
   * itself, keeps its own deadlines, and what fails costs the reply.
   */
  endReply?(sequence: StreamId): void;
}

/** For whose turn a work is done (W3C trace context): a host of the component tells its part of the trace. */
interface Traced {
  readonly traceparent?: string;
}

export interface LanguageModelWork extends Traced {
  readonly sequence: StreamId;
  /** Appended to the cache; at least one position. */
  readonly positions: Positions;
  /** Present when the last position's prediction is wanted. */
  readonly sample?: SamplingRequest;
}

/** docs/spec/model.md §1.8. Histories are the last 30 entries, newest last; `ABSENT` entries are ignored. */
export interface SamplingRequest {
  readonly textHistory: Int32Array;
  /** One per codebook. */
  readonly codeHistories: readonly Int32Array[];
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  /** Uniform in [0, 1); the caller's random stream decides, so that runs repeat. Unused when topK is 1. */
  readonly draw: number;
  /** Asks for `waitProbability`; of use for the first step of a reply. */
  readonly wantsWait?: boolean;
  /** False for text-only replies: the audio heads are skipped and `codes` is four times `CODE_PAD`. */
  readonly speech: boolean;
}

export interface LanguageModelAnswer {
  /** Positions in the cache after this work. */
  readonly length: number;
  /**
   * Present when `sample` was asked for: the text candidate and the four code candidates, before the state machine of
   * docs/spec/model.md §1.9.
   */
  readonly sampled?: {
    /** Never the wait token: it is an estimate, not a word. */
    readonly text: number;
    readonly codes: readonly [number, number, number, number];
    /**
     * P(the user goes on), from the text logits before sampling; null in a model without a wait token, absent where not
     * asked for.
     */
    readonly waitProbability?: number | null;
    /** With the first step of a reply that another server makes: what it cost to give that server the context. */
    readonly handover?: ContextHandover;
    /** From another host: what the way there and back took of the step, in milliseconds. */
    readonly hopMs?: number;
  };
}

/** A context sent to a server that keeps none, and computed there anew. */
export interface ContextHandover {
  readonly positions: number;
  /** Of them, those that the server says it had. */
  readonly cachedPositions: number;
  readonly bytes: number;
  /** From the request's beginning until its last byte was taken, */
  readonly sendMs: number;
  /** and from there until the first step came back. */
  readonly prefillMs: number;
}

// ─── encoders ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface AudioEncoderEngine {
  open(): StreamId;
  close(stream: StreamId): void;
  /**
   * A copy of a stream's state after all work submitted so far; speculation finishes the copy and keeps the original.
   */
  fork(stream: StreamId): StreamId;
  step(batch: readonly AudioEncoderWork[]): PromiseLike<(AudioEncoderAnswer | null)[]>;
}

export interface AudioEncoderWork extends Traced {
  readonly stream: StreamId;
  /** 16 kHz mono in [−1, 1]; any length, also 0. */
  readonly samples: Float32Array;
  /** Ends the utterance: look-ahead layers are flushed with zeros and the stream accepts no more. */
  readonly finish: boolean;
}

export interface AudioEncoderAnswer {
  /** [vectors × hidden], projected; the vectors that became complete with this work. */
  readonly vectors: Float32Array;
  readonly count: number;
  /** Words heard in these vectors; absent where the model has no caption head. */
  readonly captions?: readonly Caption[];
}

/** A word of a live caption and the vector, counted within the answer, at which it was recognised. */
export interface Caption {
  readonly vector: number;
  readonly text: string;
  /** Of the head at that vector, 0–1. */
  readonly confidence?: number;
}

/** 8-bit RGB, row-major, no alpha. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export type PictureFormat = 'png' | 'jpeg' | 'webp';

/** A picture as it came. It is unpacked when it is encoded, and not before. */
export interface PictureFile {
  readonly format: PictureFormat;
  /** As it is looked at. */
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

export type Picture = RgbImage | PictureFile;

export const isPictureFile = (picture: Picture): picture is PictureFile => 'bytes' in picture;

export interface VisionEncoderEngine<P extends Picture = Picture> {
  step(batch: readonly VisionEncoderWork<P>[]): PromiseLike<(VisionEncoderAnswer | null)[]>;
}

export interface VisionEncoderWork<P extends Picture = Picture> {
  /**
   * One frame unit: a still image (duplicated in time) or a pair of frames (docs/spec/model.md §2.3). A file that
   * cannot be unpacked fails with `picture.unreadable` or `picture.unsupported`.
   */
  readonly frames: readonly [P] | readonly [P, P];
  /** Upper bound for the tokens of this unit, reached by interpolation (docs/spec/model.md §2.8); 0 = none. */
  readonly maxTokens: number;
}

export interface VisionEncoderAnswer {
  /** [tokens × hidden] after the projector. */
  readonly vectors: Float32Array;
  readonly count: number;
  /** Token grid [rows, columns] after width merge and interpolation. */
  readonly grid: readonly [number, number];
}

// ─── speech ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SpeechTokenizerEngine {
  /** Encodes whole utterances (≤ 30 s each) to codes without the id offset (docs/spec/model.md §4). */
  step(
    batch: readonly { readonly samples: Float32Array }[],
  ): PromiseLike<({ readonly codes: Int32Array; readonly frames: number } | null)[]>;
}

export interface GanDecoderEngine {
  open(): StreamId;
  close(stream: StreamId): void;
  step(batch: readonly GanDecoderWork[]): PromiseLike<(GanDecoderAnswer | null)[]>;
}

export interface GanDecoderWork extends Traced {
  readonly stream: StreamId;
  /** [frames × 4] codebook values without the id offset; may be empty. */
  readonly codes: Int32Array;
  /** Flushes the look-ahead with zero frames; the stream accepts no more. */
  readonly finish: boolean;
}

export interface GanDecoderAnswer {
  /** Output-rate mono samples in [−1, 1]; a multiple of `samplesPerCodeFrame`. */
  readonly samples: Float32Array;
}
