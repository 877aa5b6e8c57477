/**
 * Discrete Fourier transform of a real frame: X_k = Σ_n x_n · e^(−2πi·kn/size), k = 0 … size/2.
 * `size` is a power of two, at least 2; the frame holds at most `size` values and is zero-padded.
 */
export interface RealFft {
  readonly size: number;
  /** Writes size/2 + 1 real and imaginary parts. */
  transform(frame: Float64Array, real: Float64Array, imaginary: Float64Array): void;
  /** [size/2 + 1] squared magnitudes. */
  powerSpectrum(frame: Float64Array, out?: Float64Array): Float64Array;
}

export type PrepareFft = (size: number) => RealFft;
