/** The steps that a calibration times: every component at the sizes that conversations bring about. */
import type { EngineComponent } from '../../actors/core/index.ts';
import {
  CODE_OFFSET,
  CODE_PAD,
  CODEBOOKS,
  type Engine,
  type LanguageModelWork,
  textPositions,
} from '../../kernels/engine/index.ts';

/** One kind of step; `next` makes the same step anew. */
export interface Workload {
  readonly component: EngineComponent;
  readonly label: string;
  /** Makes what the steps need; called once. */
  prepare(): Promise<void>;
  next(): Promise<unknown>;
  finish(): void;
}

const BATCHES = [1, 4, 16];
const CONTEXTS = [64, 512];
const PREFILLS = [4, 16, 64];
const AUDIO_MS = [20, 80, 400];
const CODE_FRAMES = [1, 4];
const UTTERANCES_MS = [500, 2000];
const PICTURE_TOKENS = [32, 128];
const HISTORY = 30;
/** Ids that are words in any vocabulary: beyond the special tokens. */
const [FIRST_WORD, WORDS] = [300, 50];
const NOTHING = async () => {};

export function workloads(engine: Engine): Workload[] {
  const all = [
    ...BATCHES.flatMap(batch => CONTEXTS.map(context => decode(engine, batch, context))),
    ...PREFILLS.flatMap(positions => CONTEXTS.map(context => prefill(engine, positions, context))),
    ...BATCHES.flatMap(batch => AUDIO_MS.map(ms => listen(engine, batch, ms))),
    ...BATCHES.flatMap(batch => CODE_FRAMES.map(frames => speak(engine, batch, frames))),
    ...UTTERANCES_MS.map(ms => tokenize(engine, ms)),
    ...PICTURE_TOKENS.map(tokens => look(engine, tokens)),
  ];
  return all;
}

function decode({ languageModel, model }: Engine, batch: number, context: number): Workload {
  const sequences: number[] = [];
  let length = context;
  return {
    component: 'languageModel',
    label: `decode, batch ${batch}, ${context} positions`,
    prepare: async () => {
      sequences.push(...Array.from({ length: batch }, () => languageModel.open()));
      await languageModel.step(sequences.map(sequence => ({ sequence, positions: words(context) })));
    },
    next: () => {
      // The same context each time.
      if (length > context) for (const sequence of sequences) languageModel.truncate(sequence, context);
      length = context + 1;
      const positions = {
        textIds: Int32Array.of(model.tokens.pad),
        codes: Int32Array.of(CODE_OFFSET, CODE_OFFSET, CODE_OFFSET, CODE_OFFSET),
        features: new Float32Array(0),
        rule: 'decode' as const,
      };
      const works: LanguageModelWork[] = sequences.map(sequence => ({ sequence, positions, sample: SAMPLE }));
      return Promise.resolve(languageModel.step(works));
    },
    finish: () => {
      for (const sequence of sequences.splice(0)) languageModel.close(sequence);
    },
  };
}

const SAMPLE: NonNullable<LanguageModelWork['sample']> = {
  textHistory: new Int32Array(HISTORY).fill(-1),
  codeHistories: Array.from({ length: CODEBOOKS }, () => new Int32Array(HISTORY).fill(CODE_PAD)),
  temperature: 1,
  topK: 20,
  topP: 0.95,
  repetitionPenalty: 1.1,
  draw: 0.5,
  speech: true,
};

function prefill({ languageModel }: Engine, count: number, context: number): Workload {
  let sequence = 0;
  return {
    component: 'languageModel',
    label: `prefill ${count} after ${context}`,
    prepare: async () => {
      sequence = languageModel.open();
      await languageModel.step([{ sequence, positions: words(context) }]);
    },
    next: () => {
      languageModel.truncate(sequence, context);
      return Promise.resolve(languageModel.step([{ sequence, positions: words(count) }]));
    },
    finish: () => languageModel.close(sequence),
  };
}

function words(count: number) {
  return textPositions(Array.from({ length: count }, (_, i) => FIRST_WORD + (i % WORDS)));
}

function listen({ audioEncoder, model }: Engine, batch: number, ms: number): Workload {
  const streams: number[] = [];
  const samples = noise((ms * model.inputSampleRate) / 1000);
  return {
    component: 'audioEncoder',
    label: `${ms} ms, batch ${batch}`,
    prepare: async () => void streams.push(...Array.from({ length: batch }, () => audioEncoder.open())),
    next: () =>
      Promise.resolve(audioEncoder.step(streams.map(stream => ({ stream, samples, finish: false })))),
    finish: () => {
      for (const stream of streams.splice(0)) audioEncoder.close(stream);
    },
  };
}

function speak({ ganDecoder }: Engine, batch: number, frames: number): Workload {
  const streams: number[] = [];
  const codes = new Int32Array(frames * CODEBOOKS).fill(5);
  return {
    component: 'ganDecoder',
    label: `${frames} code frames, batch ${batch}`,
    prepare: async () => {
      streams.push(...Array.from({ length: batch }, () => ganDecoder.open()));
      // Beyond the look-ahead, so that each step makes as many frames as it is given.
      const ahead = new Int32Array(4 * CODEBOOKS).fill(5);
      await ganDecoder.step(streams.map(stream => ({ stream, codes: ahead, finish: false })));
    },
    next: () => Promise.resolve(ganDecoder.step(streams.map(stream => ({ stream, codes, finish: false })))),
    finish: () => {
      for (const stream of streams.splice(0)) ganDecoder.close(stream);
    },
  };
}

function tokenize({ speechTokenizer, model }: Engine, ms: number): Workload {
  const samples = noise((ms * model.inputSampleRate) / 1000);
  return {
    component: 'speechTokenizer',
    label: `${ms} ms`,
    prepare: NOTHING,
    next: () => Promise.resolve(speechTokenizer.step([{ samples }])),
    finish: () => {},
  };
}

function look({ visionEncoder }: Engine, maxTokens: number): Workload {
  const [width, height] = [224, 224];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) % 256);
  return {
    component: 'visionEncoder',
    label: `${width} × ${height}, at most ${maxTokens} tokens`,
    prepare: NOTHING,
    next: () => Promise.resolve(visionEncoder.step([{ frames: [{ width, height, data }], maxTokens }])),
    finish: () => {},
  };
}

/** Not silence, which some machines multiply faster. */
function noise(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.1 * Math.sin(i * 0.37) * Math.sin(i * 0.011));
}
