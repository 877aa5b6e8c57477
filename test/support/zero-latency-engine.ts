import {
  type AudioEncoderWork,
  CODE_END,
  CODE_OFFSET,
  CODE_PAD,
  type Engine,
  type GanDecoderWork,
  type LanguageModelWork,
  type ModelDescription,
  type StreamId,
  type ToolTemplate,
  type VisionEncoderWork,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { characterTokenizer, tagIds, withWholeTags } from './character-tokenizer.ts';
import { ScriptedCache } from './scripted-cache.ts';

export { characterTokenizer };

/** One spoken segment (docs/spec/model.md §1.7): the text without its closing token, and its code frames. */
export interface ScriptedSegment {
  readonly text: string;
  readonly frames: number;
  /** A tool call: text without speech, the last of a reply. */
  readonly call?: boolean;
}

export interface ZeroLatencyOptions {
  readonly seed?: number;
  /** The replies of every session, in turn; after the last one again from the first. */
  readonly replies?: readonly (readonly ScriptedSegment[])[];
  readonly hiddenSize?: number;
  readonly maxPositions?: number;
  /** Of the encoder, as `ModelDescription`; a vector is complete after every 80 ms. */
  readonly firstAudioVectorMs?: number;
  /** P(the user goes on) of each speculation in turn; absent: a model without a wait token. */
  readonly waits?: readonly number[];
  /** A model that knows tools. */
  readonly toolTemplate?: ToolTemplate;
  /** It writes the tags of a call as one token each, as nano does, and not by their characters. */
  readonly wholeTags?: boolean;
  /** Makes a component's nth step (from 0) reject, as a defect would. */
  readonly fails?: (component: ComponentName, step: number) => boolean;
  /** Sees every batch before it is answered. */
  readonly onStep?: (component: ComponentName, batch: readonly unknown[]) => void;
}

export type ComponentName =
  | 'languageModel'
  | 'audioEncoder'
  | 'visionEncoder'
  | 'speechTokenizer'
  | 'ganDecoder';

/** An engine for tests and for benchmarks of everything but arithmetic. */
export interface ZeroLatencyEngine extends Engine {
  /** Length of every open sequence's cache. */
  readonly sequenceLengths: ReadonlyMap<StreamId, number>;
  readonly openStreams: number;
}

const CODES = 256;
const AUDIO_LOOKAHEAD = 6;
const VECTOR_SAMPLES = 1280;
const CODE_FRAME_SAMPLES = 960;
const DEFAULT_REPLY: readonly ScriptedSegment[] = [{ text: 'Yes, I can hear you. Go on.', frames: 40 }];

/** Answers at once, with data of the right shapes that depend on the input and the seed only. */
export function zeroLatencyEngine(options: ZeroLatencyOptions = {}): ZeroLatencyEngine {
  const model = describe(options);
  const calls = new Map<ComponentName, number>();
  const begin = (component: ComponentName, batch: readonly unknown[]) => {
    const step = calls.get(component) ?? 0;
    calls.set(component, step + 1);
    options.onStep?.(component, batch);
    if (options.fails?.(component, step))
      throw new RuntimeError('engine.failed', 'A scripted failure.', { component, step });
  };
  const languageModel = new ScriptedLanguageModel(model, options, batch => begin('languageModel', batch));
  const audioEncoder = new CountingAudioEncoder(model, batch => begin('audioEncoder', batch));
  const ganDecoder = new CountingGanDecoder(model, batch => begin('ganDecoder', batch));
  return {
    kind: 'modelled',
    model,
    tokenizer: options.wholeTags ? { ...characterTokenizer, encode: withWholeTags } : characterTokenizer,
    languageModel,
    audioEncoder,
    ganDecoder,
    visionEncoder: {
      step: async (batch: readonly VisionEncoderWork[]) => {
        begin('visionEncoder', batch);
        return batch.map(({ maxTokens }) => {
          const count = Math.min(maxTokens || 8, 8);
          return {
            vectors: new Float32Array(count * model.hiddenSize).fill(0.5),
            count,
            grid: [1, count] as const,
          };
        });
      },
    },
    speechTokenizer: {
      step: async batch => {
        begin('speechTokenizer', batch);
        return batch.map(({ samples }) => {
          const frames = Math.ceil(samples.length / CODE_FRAME_SAMPLES);
          return { frames, codes: Int32Array.from({ length: frames * 4 }, (_, i) => i % CODES) };
        });
      },
    },
    close: async () => {},
    get sequenceLengths() {
      return languageModel.lengths;
    },
    get openStreams() {
      return languageModel.lengths.size + audioEncoder.size + ganDecoder.size;
    },
  };
}

function describe({
  firstAudioVectorMs,
  hiddenSize = 8,
  maxPositions = 4096,
  toolTemplate,
  waits,
  wholeTags,
}: ZeroLatencyOptions): ModelDescription {
  return {
    name: 'zero-latency',
    hiddenSize,
    vocabSize: 1024,
    codeVocabSize: CODE_OFFSET + CODES,
    maxPositions,
    tokens: {
      bos: 1,
      eos: 2,
      pad: 3,
      audioBegin: 134,
      audioEnd: 135,
      audioPad: 136,
      imagePad: 142,
      pause: 137,
      wait: waits ? 5 : null,
      ...(wholeTags && { toolTags: [...tagIds.values()] }),
    },
    inputSampleRate: 16_000,
    outputSampleRate: 24_000,
    samplesPerCodeFrame: 1440,
    audioVectorMs: 80,
    firstAudioVectorMs,
    codeFrameMs: 60,
    decoderLookaheadFrames: 3,
    toolTemplate: toolTemplate ?? null,
  };
}

type Begin = (batch: readonly unknown[]) => void;

/** Says the scripted replies: what comes next follows from the steps that stand at the end of the cache. */
class ScriptedLanguageModel {
  readonly #model: ModelDescription;
  readonly #options: ZeroLatencyOptions;
  readonly #begin: Begin;
  readonly #sequences = new Map<StreamId, ScriptedCache>();
  readonly #encoded = new WeakMap<ScriptedSegment, readonly number[]>();
  readonly #broken = new Set<StreamId>();
  #next = 1;
  #asked = 0;

  constructor(model: ModelDescription, options: ZeroLatencyOptions, begin: Begin) {
    this.#model = model;
    this.#options = options;
    this.#begin = begin;
  }

  get lengths(): Map<StreamId, number> {
    return new Map([...this.#sequences].map(([id, positions]) => [id, positions.length]));
  }

  open(): StreamId {
    this.#sequences.set(this.#next, new ScriptedCache());
    return this.#next++;
  }

  close(sequence: StreamId): void {
    this.#sequences.delete(sequence);
  }

  truncate(sequence: StreamId, length: number): void {
    const positions = this.#sequences.get(sequence);
    // As in a real engine, which is told and does not answer: the next step fails.
    if (!positions || length > positions.length) this.#broken.add(sequence);
    else positions.truncate(length);
  }

  async step(batch: readonly LanguageModelWork[]) {
    this.#begin(batch);
    return batch.map(({ sequence, positions, sample }) => {
      const cache = this.#sequences.get(sequence);
      if (!cache) return null;
      if (this.#broken.has(sequence))
        throw new RuntimeError('test.bad-truncate', 'Cut where there was nothing.', { sequence });
      const count = positions.textIds.length;
      if (count === 0) throw new RuntimeError('test.empty-work', 'Work without positions.', { sequence });
      for (let i = 0; i < count; i++) cache.push(positions.codes[i * 4] !== CODE_PAD);
      if (cache.length > this.#model.maxPositions)
        throw new RuntimeError('test.cache-full', 'The cache is full.', { length: cache.length });
      if (!sample) return { length: cache.length };
      return {
        length: cache.length,
        sampled: { ...this.#sample(cache, sample.speech), ...this.#wait(sample.wantsWait) },
      };
    });
  }

  #wait(isWanted = false) {
    const { waits } = this.#options;
    return isWanted ? { waitProbability: waits?.[this.#asked++ % waits.length] ?? null } : {};
  }

  #sample({ repliesBefore, stepsSince }: ScriptedCache, speech: boolean) {
    const scripts = this.#options.replies ?? [DEFAULT_REPLY];
    const segments = scripts[repliesBefore % scripts.length];
    return speech ? this.#speechStep(segments, stepsSince) : this.#textStep(segments, stepsSince);
  }

  #textStep(segments: readonly ScriptedSegment[], step: number) {
    const pad = [CODE_PAD, CODE_PAD, CODE_PAD, CODE_PAD] as [number, number, number, number];
    let at = step;
    for (const segment of segments) {
      const ids = this.#encode(segment);
      if (at < ids.length) return { text: ids[at], codes: pad };
      at -= ids.length;
    }
    return { text: this.#model.tokens.eos, codes: pad };
  }

  #speechStep(segments: readonly ScriptedSegment[], step: number) {
    const { eos, pause, pad } = this.#model.tokens;
    let start = 0;
    for (const [i, segment] of segments.entries()) {
      const ids = this.#encode(segment);
      const k = step - start;
      // What the heads say within a call is noise.
      if (segment.call && k >= 0) return { text: ids[k] ?? eos, codes: this.#codes(step) };
      // The closing token must come before the segment's last step.
      const steps = Math.max(segment.frames, ids.length + 1) + 1;
      if (k < steps) {
        const codes = this.#codes(step);
        if (k === steps - 1) codes[0] = CODE_END;
        const closing = i === segments.length - 1 ? eos : pause;
        return { text: ids[k] ?? (k === ids.length ? closing : pad), codes };
      }
      start += steps;
    }
    return { text: eos, codes: [CODE_END, CODE_END, CODE_END, CODE_END] as [number, number, number, number] };
  }

  #encode(segment: ScriptedSegment): readonly number[] {
    const known = this.#encoded.get(segment);
    if (known) return known;
    const made = (this.#options.wholeTags ? withWholeTags : characterTokenizer.encode)(segment.text);
    this.#encoded.set(segment, made);
    return made;
  }

  #codes(step: number): [number, number, number, number] {
    return [this.#code(step, 0), this.#code(step, 1), this.#code(step, 2), this.#code(step, 3)];
  }

  #code(step: number, codebook: number): number {
    const mixed = Math.imul((step + 1) * 4 + codebook + (this.#options.seed ?? 0) * 7919, 0x9e3779b1);
    return CODE_OFFSET + ((mixed >>> 16) % CODES);
  }
}

/** One vector per 80 ms, six behind, flushed at the end, as the exact streaming encoder does. */
class CountingAudioEncoder {
  readonly #model: ModelDescription;
  readonly #begin: Begin;
  readonly #samples = new Map<StreamId, number>();
  #next = 1;

  constructor(model: ModelDescription, begin: Begin) {
    this.#model = model;
    this.#begin = begin;
  }

  get size(): number {
    return this.#samples.size;
  }

  open(): StreamId {
    this.#samples.set(this.#next, 0);
    return this.#next++;
  }

  close(stream: StreamId): void {
    this.#samples.delete(stream);
  }

  fork(stream: StreamId): StreamId {
    this.#samples.set(this.#next, this.#samples.get(stream)!);
    return this.#next++;
  }

  async step(batch: readonly AudioEncoderWork[]) {
    this.#begin(batch);
    return batch.map(({ stream, samples, finish }) => {
      const before = this.#samples.get(stream);
      if (before === undefined) return null;
      const after = before + samples.length;
      this.#samples.set(stream, after);
      const from = vectorsReady(before, false);
      const count = vectorsReady(after, finish) - from;
      const { hiddenSize } = this.#model;
      const vectors = Float32Array.from(
        { length: count * hiddenSize },
        (_, i) => from + Math.floor(i / hiddenSize),
      );
      return { vectors, count };
    });
  }
}

function vectorsReady(samples: number, finished: boolean): number {
  const vectors = Math.floor(samples / VECTOR_SAMPLES);
  return finished ? vectors : Math.max(0, vectors - AUDIO_LOOKAHEAD);
}

/** One code frame of constant level per frame of codes, three behind. */
class CountingGanDecoder {
  readonly #model: ModelDescription;
  readonly #begin: Begin;
  readonly #waiting = new Map<StreamId, number[]>();
  #next = 1;

  constructor(model: ModelDescription, begin: Begin) {
    this.#model = model;
    this.#begin = begin;
  }

  get size(): number {
    return this.#waiting.size;
  }

  open(): StreamId {
    this.#waiting.set(this.#next, []);
    return this.#next++;
  }

  close(stream: StreamId): void {
    this.#waiting.delete(stream);
  }

  async step(batch: readonly GanDecoderWork[]) {
    this.#begin(batch);
    const { samplesPerCodeFrame, decoderLookaheadFrames } = this.#model;
    return batch.map(({ stream, codes, finish }) => {
      const waiting = this.#waiting.get(stream);
      if (!waiting) return null;
      for (let i = 0; i < codes.length; i += 4) waiting.push(codes[i]);
      const ready = waiting.splice(
        0,
        finish ? waiting.length : Math.max(0, waiting.length - decoderLookaheadFrames),
      );
      const samples = new Float32Array(ready.length * samplesPerCodeFrame);
      ready.forEach((code, frame) => {
        samples.fill(
          (code + 1) / (2 * CODES),
          frame * samplesPerCodeFrame,
          (frame + 1) * samplesPerCodeFrame,
        );
      });
      return { samples };
    });
  }
}
