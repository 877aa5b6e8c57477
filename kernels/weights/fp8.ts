import { float32ToBfloat16 } from './weight.ts';

/** Values of the 256 codes of fp8 e4m3: four bits of exponent (bias 7), three of fraction, no infinities. */
const VALUES = Float32Array.from({ length: 256 }, (_, bits) => {
  const [exponent, fraction] = [(bits >> 3) & 15, bits & 7];
  const sign = bits & 128 ? -1 : 1;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent ? (1 + fraction / 8) * 2 ** (exponent - 7) : (fraction / 8) * 2 ** -6);
});

/** Blocks of a matrix that share a scale (docs/spec/model.md §1.11). */
export const FP8_BLOCK = 128;

/**
 * A matrix [rows × columns] of fp8 as bfloat16, each product with its block's scale rounded to nearest.
 *
 * @param scales [⌈rows / 128⌉ × ⌈columns / 128⌉]
 */
export function fp8ToBfloat16(
  codes: Uint8Array,
  rows: number,
  columns: number,
  scales: Float32Array,
): Uint16Array {
  const across = Math.ceil(columns / FP8_BLOCK);
  const values = new Float32Array(codes.length);
  for (let r = 0, at = 0; r < rows; r++) {
    const first = Math.floor(r / FP8_BLOCK) * across;
    for (let i = 0; i < columns; i++, at++)
      values[at] = VALUES[codes[at]] * scales[first + Math.floor(i / FP8_BLOCK)];
  }
  return float32ToBfloat16(values);
}
