import type { NativeHandle } from './addon.ts';

/** The part of the addon for sound before and after the networks, and for pixels before them. */
export interface SignalKernels {
  /** `cosines` and `sines` are size/2 long, of −2πk/size. */
  prepareFft(size: number, order: Int32Array, cosines: Float64Array, sines: Float64Array): NativeHandle;
  fft(
    plan: NativeHandle,
    frame: Float64Array,
    frameLength: number,
    real: Float64Array,
    imaginary: Float64Array,
  ): void;
  powerSpectrum(plan: NativeHandle, frame: Float64Array, frameLength: number, out: Float64Array): void;
  /** `extents`: per bin its first spectrum bin and how many; `weights` of all bins, one after the other. */
  prepareFbank(
    size: number,
    order: Int32Array,
    cosines: Float64Array,
    sines: Float64Array,
    window: Float64Array,
    frameShift: number,
    scale: number,
    preEmphasis: number,
    floor: number,
    extents: Int32Array,
    weights: Float64Array,
  ): NativeHandle;
  fbank(plan: NativeHandle, samples: Float32Array, frames: number, out: Float32Array): void;
  /** `codebook` is [width × entries]. */
  nearest(
    codebook: Float64Array,
    squares: Float64Array,
    entries: number,
    width: number,
    x: Float32Array,
    rows: number,
    indices: Int32Array,
  ): void;
  /** Outputs until the window leaves `samples` or `out` is full; returns how many. */
  resample(
    taps: Float64Array,
    up: number,
    down: number,
    width: number,
    samples: Float32Array,
    window: number,
    phase: number,
    out: Float32Array,
  ): number;
  bicubicHorizontal(
    data: Uint8Array,
    width: number,
    height: number,
    channels: number,
    outWidth: number,
    first: Int32Array,
    count: Int32Array,
    weights: Int32Array,
    stride: number,
    out: Uint8Array,
  ): void;
  bicubicVertical(
    data: Uint8Array,
    height: number,
    rowLength: number,
    outHeight: number,
    first: Int32Array,
    count: Int32Array,
    weights: Int32Array,
    stride: number,
    out: Uint8Array,
  ): void;
  cmvn(
    x: Float32Array,
    rows: number,
    width: number,
    mean: Float32Array,
    deviation: Float32Array,
    out: Float32Array,
  ): void;
}
