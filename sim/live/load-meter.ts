import { type EngineComponent, engineWithSteps } from '../../actors/core/index.ts';
import type {
  AudioEncoderWork,
  Engine,
  GanDecoderWork,
  LanguageModelWork,
  StreamId,
  VisionEncoderWork,
} from '../../kernels/engine/index.ts';
import { CODEBOOKS } from '../../kernels/engine/index.ts';
import type { CostLaw, LanguageModelLoad } from '../engines/cost-law.ts';

/** What a step's cost depends on. */
export type StepLoad =
  | { readonly component: 'languageModel'; readonly load: LanguageModelLoad }
  | {
      readonly component: 'audioEncoder' | 'speechTokenizer';
      readonly streams: number;
      readonly audioMs: number;
    }
  | { readonly component: 'visionEncoder'; readonly units: number; readonly tokens: number }
  | { readonly component: 'ganDecoder'; readonly streams: number; readonly frames: number };

/** Positions of a picture where no bound is given; the size of the picture is not looked at. */
const TOKENS_PER_PICTURE = 288;

type Around = <T>(load: StepLoad, step: () => PromiseLike<T>) => Promise<T>;

/** Watches a live engine: knows, for each batch that was begun, how much work it is. */
export class LoadMeter {
  /** Use this one; same answers. */
  readonly engine: Engine;
  readonly #loads = new WeakMap<readonly unknown[], StepLoad>();
  /** Positions in each sequence's cache. */
  readonly #lengths = new Map<StreamId, number>();
  readonly #samplesPerMs: number;

  /** @param around what is done with each step; it must begin it at once */
  constructor(engine: Engine, around: Around = (_load, step) => Promise.resolve(step())) {
    this.#samplesPerMs = engine.model.inputSampleRate / 1000;
    const metered = engineWithSteps(engine, (component, batch, step) => {
      const load = this.#measure(component, batch);
      this.#loads.set(batch, load);
      return around(load, () => step(batch));
    });
    const { languageModel } = metered;
    this.engine = {
      ...metered,
      languageModel: {
        ...languageModel,
        close: sequence => {
          this.#lengths.delete(sequence);
          languageModel.close(sequence);
        },
        truncate: (sequence, length) => {
          this.#lengths.set(sequence, length);
          languageModel.truncate(sequence, length);
        },
      },
    };
  }

  /** Of a batch whose step was begun. */
  loadOf(batch: readonly unknown[]): StepLoad {
    return this.#loads.get(batch)!;
  }

  #measure(component: EngineComponent, batch: readonly unknown[]): StepLoad {
    if (component === 'languageModel')
      return { component, load: this.#languageModel(batch as readonly LanguageModelWork[]) };
    if (component === 'visionEncoder') {
      const works = batch as readonly VisionEncoderWork[];
      const tokens = works.reduce((sum, { maxTokens }) => sum + (maxTokens || TOKENS_PER_PICTURE), 0);
      return { component, units: works.length, tokens };
    }
    if (component === 'ganDecoder') {
      const works = batch as readonly GanDecoderWork[];
      const values = works.reduce((sum, { codes }) => sum + codes.length, 0);
      return { component, streams: works.length, frames: values / CODEBOOKS };
    }
    const works = batch as readonly Pick<AudioEncoderWork, 'samples'>[];
    const samples = works.reduce((sum, work) => sum + work.samples.length, 0);
    return { component, streams: works.length, audioMs: samples / this.#samplesPerMs };
  }

  #languageModel(batch: readonly LanguageModelWork[]): LanguageModelLoad {
    let [decodes, decodeContext, prefillPositions, attended] = [0, 0, 0, 0];
    for (const { sequence, positions, sample } of batch) {
      const length = this.#lengths.get(sequence) ?? 0;
      const count = positions.textIds.length;
      if (sample && count === 1 && positions.rule === 'decode') {
        decodes += 1;
        decodeContext += length;
      } else {
        prefillPositions += count;
        attended += count * length;
      }
      this.#lengths.set(sequence, length + count);
    }
    const prefillContext = prefillPositions > 0 ? attended / prefillPositions : 0;
    return { decodes, decodeContext, prefillPositions, prefillContext };
  }
}

/** Decoding and prefill of a step take turns. */
export function costMs(law: CostLaw, load: StepLoad): number {
  if (load.component === 'languageModel') {
    const { decodeMs, prefillMs, transferMs } = law.languageModel(load.load);
    return decodeMs + prefillMs + transferMs;
  }
  if (load.component === 'visionEncoder') return law.visionEncoderMs(load.units, load.tokens);
  if (load.component === 'ganDecoder') return law.ganDecoderMs(load.streams, load.frames);
  if (load.component === 'audioEncoder') return law.audioEncoderMs(load.streams, load.audioMs);
  return law.speechTokenizerMs(load.streams, load.audioMs);
}
