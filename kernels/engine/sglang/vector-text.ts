/**
 * Vectors as JSON. A number takes the shortest text that comes back as the same value of its precision: four digits for bfloat16, nine for
 * float32 (docs/spec/remote.md §1).
 */
import { RuntimeError } from '../../errors.ts';

const BF16_DIGITS = 4;
const F32_DIGITS = 9;

const bits = new Uint32Array(1);
const floats = new Float32Array(bits.buffer);

/** The upper half of a float32's bits after rounding to nearest, ties to even. */
function bf16Of(value: number): number {
  floats[0] = value;
  return ((bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16) & 0xffff;
}

function fromBf16(upper: number): number {
  bits[0] = upper << 16;
  return floats[0];
}

/** The shortest that is the same bfloat16 again. */
function shortest(upper: number): string {
  const value = fromBf16(upper);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0';
  for (let digits = 1; digits < BF16_DIGITS; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (bf16Of(Number(text)) === upper) return text;
  }
  return String(Number(value.toPrecision(BF16_DIGITS)));
}

/** There are 65,536 of them: each is written once. */
const texts: (string | undefined)[] = [];

function bf16Text(value: number): string {
  const upper = bf16Of(value);
  return (texts[upper] ??= shortest(upper));
}

function f32Text(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(Number(value.toPrecision(F32_DIGITS)));
}

/** @param vectors [n × hidden] @returns n lists, separated by commas @throws RuntimeError `sglang.vectors` where a number is none */
export function vectorText(vectors: Float32Array, hidden: number, precision: 'bf16' | 'f32'): string {
  const write = precision === 'bf16' ? bf16Text : f32Text;
  const rows: string[] = [];
  for (let row = 0; row < vectors.length; row += hidden) {
    const texts: string[] = [];
    for (const value of vectors.subarray(row, row + hidden)) {
      if (!Number.isFinite(value)) throw notFinite(row / hidden);
      texts.push(write(value));
    }
    rows.push(`[${texts.join()}]`);
  }
  return rows.join();
}

function notFinite(position: number): RuntimeError {
  const remedy = 'Look at the weights of the encoder whose vector it is.';
  return new RuntimeError('sglang.vectors', 'A vector holds what is no number.', { position }, remedy);
}
