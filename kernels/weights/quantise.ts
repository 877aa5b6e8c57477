import type { Weight } from './weight.ts';

/**
 * A matrix [outputs × inputs] in int8, symmetric, one scale per output: value = data · scale. Rounding a weight costs
 * at most half its row's scale, which is the row's largest magnitude / 254.
 */
export interface QuantisedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'i8';
  /** Within ±127. */
  readonly data: Int8Array;
  /** [outputs] */
  readonly scales: Float32Array;
  toFloat32(): Float32Array;
}

/** The largest int8; −128 stays unused, so that both signs reach equally far. */
export const INT8_LIMIT = 127;

/** Rows smaller than this count as zero: their scale could not be inverted. */
export const SMALLEST_MAGNITUDE = 2 ** -100;

/** Nearest integer, ties to even, for float32 numbers within ±2²²: adding 1.5·2²³ leaves no room for a fraction. */
export const roundToEven = (value: number): number => Math.fround(Math.fround(value + 12582912) - 12582912);

/** Axes after the first are flattened into inputs. */
export function quantiseWeight(weight: Weight): QuantisedWeight {
  const { name, shape } = weight;
  const values = weight.toFloat32();
  const outputs = shape[0];
  const inputs = values.length / Math.max(outputs, 1);
  const data = new Int8Array(values.length);
  const scales = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    const begin = o * inputs;
    let largest = 0;
    for (let i = begin; i < begin + inputs; i++) largest = Math.max(largest, Math.abs(values[i]));
    if (!(largest >= SMALLEST_MAGNITUDE)) continue;
    scales[o] = largest / INT8_LIMIT;
    const inverse = Math.fround(INT8_LIMIT / largest);
    for (let i = begin; i < begin + inputs; i++) data[i] = roundToEven(Math.fround(values[i] * inverse));
  }
  const toFloat32 = () => Float32Array.from(data, (value, at) => value * scales[Math.floor(at / inputs)]);
  return { name, shape, dtype: 'i8', data, scales, toFloat32 };
}
