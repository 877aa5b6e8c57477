/**
 * Sample-rate conversion of one mono stream by a windowed sinc (Kaiser, 90 dB), evaluated only at output instants.
 * Output k is the band-limited input at time k/toRate exactly: the filter is centred, so nothing is shifted in time,
 * but an output can only be given once `lookAhead` input samples after its instant are known.
 * After N input samples and `finish` there are exactly ceil(N · toRate / fromRate) outputs.
 */
export interface Resampler {
  readonly fromRateHz: number;
  readonly toRateHz: number;
  /** Input samples that must follow an output's instant before it is given; the stream's algorithmic delay. */
  readonly lookAhead: number;
  /** The outputs that became known with these samples, any number of either. Cutting differently changes no bit. */
  push(samples: Float32Array): Float32Array;
  /** The remaining outputs, with silence after the end; afterwards the stream is fresh again. */
  finish(): Float32Array;
}

/** @throws RuntimeError `resample.rates` for rates that are not positive integers with a small common ratio. */
export type CreateResampler = (fromRateHz: number, toRateHz: number) => Resampler;
