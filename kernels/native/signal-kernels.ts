import type { NativeHandle } from './handles.ts';

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
  /**
   * `edges`: bins of the bands, then where what is above them begins and ends; `numbers`: samples of a frame, samples
   * for one of 4 kHz, the lowest bin, the lowest of a tone. Absent in an addon that was built before.
   */
  prepareVoiceFrame?(
    size: number,
    order: Int32Array,
    cosines: Float64Array,
    sines: Float64Array,
    window: Float64Array,
    edges: Int32Array,
    numbers: Int32Array,
  ): NativeHandle;
  /** `history` and `pitch` are the stream's own. */
  voiceFrame?(
    plan: NativeHandle,
    samples: Float32Array,
    history: Float64Array,
    pitch: Float64Array,
    measures: Float64Array,
  ): void;
  /** `columns` is [width × rows]. Absent in an addon that was built before. */
  doubleLinear?(
    columns: Float64Array,
    bias: Float64Array,
    rows: number,
    width: number,
    x: Float64Array,
    out: Float64Array,
  ): void;
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
  splice(
    frames: Float32Array,
    first: number,
    count: number,
    width: number,
    left: number,
    right: number,
    stride: number,
    firstVector: number,
    vectors: number,
    out: Float32Array,
  ): void;
  /** `levels` is [3 × 256]. */
  patchify(
    frames: readonly Uint8Array[],
    height: number,
    width: number,
    patch: number,
    levels: Float32Array,
    out: Float32Array,
  ): void;
  resizeBilinear(
    x: Float32Array,
    rows: number,
    columns: number,
    width: number,
    outRows: number,
    outColumns: number,
    out: Float32Array,
  ): void;
  yuvToRgb(y: Uint8Array, u: Uint8Array, v: Uint8Array, width: number, height: number, out: Uint8Array): void;
  g711Decode(bytes: Uint8Array, count: number, table: Float32Array, out: Float32Array): void;
  g711Encode(samples: Float32Array, count: number, table: Uint8Array, out: Uint8Array): void;
  cmvn(
    x: Float32Array,
    rows: number,
    width: number,
    mean: Float32Array,
    deviation: Float32Array,
    out: Float32Array,
  ): void;
}
