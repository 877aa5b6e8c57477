import type { Cmvn, CmvnStatistics } from '../../cmvn/index.ts';
import type { Fbank } from '../../fbank/index.ts';
import type { Ops } from '../../ops.ts';
import type { Splice, SpliceLayout } from '../../splice/index.ts';
import { joinRows } from '../rows.ts';
import type { AudioEncoderConfig } from './config.ts';

/** What all streams of an encoder share: the operations and their constants. */
export interface FeatureExtractor {
  readonly fbank: Fbank;
  readonly cmvn: Cmvn;
  readonly splice: Splice;
  readonly statistics: CmvnStatistics;
  readonly layout: SpliceLayout;
}

export const extractorOf = (ops: Ops, config: AudioEncoderConfig): FeatureExtractor => ({
  fbank: ops.fbank(config.fbank),
  cmvn: ops.cmvn,
  splice: ops.splice,
  statistics: config.statistics,
  layout: config.splice,
});

export interface Features {
  /** [frames × bins], before normalisation. */
  readonly fbank: Float32Array;
  /** [count × input_size] */
  readonly spliced: Float32Array;
  readonly count: number;
}

/**
 * From samples to spliced vectors (docs/spec/model.md §3.1, §3.2), cut anywhere: samples wait until their frame is
 * complete, frames until the vectors that contain them are.
 */
export class FeatureStream {
  readonly #extractor: FeatureExtractor;
  /** Samples from the start of the next frame on. */
  #samples: Float32Array = new Float32Array(0);
  /** Normalised frames that a later vector needs, the first of which has number `firstFrame`. */
  #frames: Float32Array = new Float32Array(0);
  #firstFrame = 0;
  #frameCount = 0;
  #vectorCount = 0;

  constructor(extractor: FeatureExtractor) {
    this.#extractor = extractor;
  }

  /** Width of a filter-bank frame. */
  get bins(): number {
    return this.#extractor.fbank.bins;
  }

  /** The buffers are replaced, never changed in place, so a copy may share them. */
  fork(): FeatureStream {
    const copy = new FeatureStream(this.#extractor);
    copy.#samples = this.#samples;
    copy.#frames = this.#frames;
    copy.#firstFrame = this.#firstFrame;
    copy.#frameCount = this.#frameCount;
    copy.#vectorCount = this.#vectorCount;
    return copy;
  }

  /** With `end`, the vectors at the right edge too: their missing frames repeat the last one. */
  push(samples: Float32Array, end: boolean): Features {
    const { fbank, cmvn, splice, statistics, layout } = this.#extractor;
    const waiting = joinRows(this.#samples, samples);
    const energies = fbank.apply(waiting);
    const newFrames = energies.length / fbank.bins;
    this.#samples = waiting.slice(newFrames * fbank.frameShift);
    this.#frames = joinRows(this.#frames, cmvn(energies, newFrames, statistics));
    this.#frameCount += newFrames;

    const complete = end
      ? Math.ceil(this.#frameCount / layout.stride)
      : Math.max(0, Math.ceil((this.#frameCount - layout.right) / layout.stride));
    const count = Math.max(0, complete - this.#vectorCount);
    const run = {
      data: this.#frames,
      first: this.#firstFrame,
      count: this.#frameCount - this.#firstFrame,
      width: fbank.bins,
    };
    const spliced = splice(run, layout, this.#vectorCount, count);
    this.#vectorCount += count;
    this.#forgetFrames();
    return { fbank: energies, spliced, count };
  }

  #forgetFrames(): void {
    const { fbank, layout } = this.#extractor;
    const needed = layout.stride * this.#vectorCount - layout.left;
    const first = Math.min(Math.max(needed, this.#firstFrame), this.#frameCount);
    this.#frames = this.#frames.slice((first - this.#firstFrame) * fbank.bins);
    this.#firstFrame = first;
  }
}
