import type { ResizeBicubic } from './index.ts';

const SUPPORT = 2;
const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

/** The two passes; `rowLength` is width × channels. */
interface BicubicPasses {
  horizontal(
    data: Uint8Array,
    width: number,
    height: number,
    channels: number,
    outWidth: number,
    out: Uint8Array,
  ): void;
  vertical(data: Uint8Array, height: number, rowLength: number, outHeight: number, out: Uint8Array): void;
}

export const bicubicOver =
  (passes: BicubicPasses): ResizeBicubic =>
  (data, width, height, channels, outWidth, outHeight, out) => {
    const result = out ?? new Uint8Array(outWidth * outHeight * channels);
    if (outWidth === width && outHeight === height) {
      result.set(data.subarray(0, result.length));
      return result;
    }
    if (outHeight === height) {
      passes.horizontal(data, width, height, channels, outWidth, result);
      return result;
    }
    let narrowed = data;
    if (outWidth !== width) {
      narrowed = new Uint8Array(outWidth * height * channels);
      passes.horizontal(data, width, height, channels, outWidth, narrowed);
    }
    passes.vertical(narrowed, height, outWidth * channels, outHeight, result);
    return result;
  };

/** For each output position: its first input, how many inputs, and their fixed-point weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [out × stride] */
  readonly weights: Int32Array;
  readonly stride: number;
}

export function cubicTaps(inSize: number, outSize: number): Taps {
  const scale = inSize / outSize;
  const widening = Math.max(scale, 1);
  const perInput = 1 / widening;
  const support = SUPPORT * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const exact = new Float64Array(stride);
  for (let at = 0; at < outSize; at++) {
    const center = (at + 0.5) * scale;
    const from = Math.max(Math.trunc(center - support + 0.5), 0);
    const taps = Math.min(Math.trunc(center + support + 0.5), inSize) - from;
    let total = 0;
    for (let i = 0; i < taps; i++) total += exact[i] = cubic((i + from - center + 0.5) * perInput);
    for (let i = 0; i < taps; i++) weights[at * stride + i] = fixedPoint(exact[i] / total);
    first[at] = from;
    count[at] = taps;
  }
  return { first, count, weights, stride };
}

/** Keys' cubic convolution kernel with a = −0.5. */
function cubic(x: number): number {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  if (distance < 2) return ((distance - 5) * distance + 8) * distance * -0.5 + 2;
  return 0;
}

function fixedPoint(weight: number): number {
  return Math.trunc(weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

function clipToByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> FRACTION_BITS));
}

function horizontalPass(
  data: Uint8Array,
  width: number,
  height: number,
  channels: number,
  outWidth: number,
  out: Uint8Array,
): void {
  const { first, count, weights, stride } = cubicTaps(width, outWidth);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      const from = (y * width + first[x]) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = HALF;
        for (let i = 0; i < count[x]; i++)
          sum += data[from + i * channels + channel] * weights[x * stride + i];
        out[to++] = clipToByte(sum);
      }
    }
  }
}

/** `rowLength` is width × channels: the vertical pass treats all columns alike. */
function verticalPass(
  data: Uint8Array,
  height: number,
  rowLength: number,
  outHeight: number,
  out: Uint8Array,
): void {
  const { first, count, weights, stride } = cubicTaps(height, outHeight);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF);
    for (let i = 0; i < count[y]; i++) {
      const weight = weights[y * stride + i];
      const from = (first[y] + i) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x] += data[from + x] * weight;
    }
    for (let x = 0; x < rowLength; x++) out[y * rowLength + x] = clipToByte(sums[x]);
  }
}

export const resizeBicubic: ResizeBicubic = bicubicOver({
  horizontal: horizontalPass,
  vertical: verticalPass,
});
