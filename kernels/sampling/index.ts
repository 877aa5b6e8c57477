interface SamplingSettings {
  /** 0 means arg-max. */
  readonly temperature: number;
  /** 1 means arg-max, 0 or less no limit. */
  readonly topK: number;
  /** Smallest set of likeliest ids that reaches this probability; 1 = no limit. */
  readonly topP: number;
  /** Uniform in [0, 1): the same draw gives the same id. */
  readonly draw: number;
}

/**
 * Text token choice (docs/spec/model.md §1.8): temperature, softmax, top-k, renormalise, top-p. Ids are ordered by
 * descending probability, equal ones by ascending id; `draw` picks along that order.
 */
export type SampleToken = (logits: Float32Array, settings: SamplingSettings) => number;
