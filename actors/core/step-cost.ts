/** What a step of an engine component costs: its size, and how long steps of that size took lately. */
import type {
  AudioEncoderWork,
  EngineComponent,
  GanDecoderWork,
  LanguageModelWork,
  VisionEncoderWork,
} from '../../kernels/engine/index.ts';

/** What one item adds to a step: positions, samples, pixels, samples, code values. */
const UNITS: { readonly [C in EngineComponent]: (work: never) => number } = {
  languageModel: ({ positions }: LanguageModelWork) => positions.textIds.length,
  audioEncoder: ({ samples }: AudioEncoderWork) => samples.length,
  visionEncoder: ({ frames }: VisionEncoderWork) => frames[0].width * frames[0].height * frames.length,
  speechTokenizer: ({ samples }: { readonly samples: Float32Array }) => samples.length,
  ganDecoder: ({ codes }: GanDecoderWork) => codes.length,
};

/** At least 1. */
export function stepSize(component: EngineComponent, batch: readonly unknown[]): number {
  const units = UNITS[component] as (work: unknown) => number;
  let size = 1;
  for (const work of batch) size += units(work);
  return size;
}

/** Of what a step of a size class took, how much is still believed after the next one. */
const KEPT = 0.98;
const CLASSES = 40;
const LEAST_MS = 0.01;

/**
 * The longest that steps took lately, by size class (powers of two): one slow small step says nothing about large ones,
 * as a rate would.
 */
export class MeasuredCost {
  readonly #longestMs = new Float64Array(CLASSES);

  observe(size: number, ms: number): void {
    const at = classOf(size);
    this.#longestMs[at] = Math.max(ms, LEAST_MS, this.#longestMs[at] * KEPT);
  }

  /**
   * Null where nothing is known yet. A class not seen costs what the next larger one does, or its share of a smaller
   * one.
   */
  expectedMs(size: number): number | null {
    const at = classOf(size);
    for (let larger = at; larger < CLASSES; larger++) {
      if (this.#longestMs[larger] > 0) return this.#longestMs[larger];
    }
    for (let smaller = at - 1; smaller >= 0; smaller--) {
      if (this.#longestMs[smaller] > 0) return this.#longestMs[smaller] * 2 ** (at - smaller);
    }
    return null;
  }
}

function classOf(size: number): number {
  return Math.min(CLASSES - 1, Math.floor(Math.log2(size)));
}
