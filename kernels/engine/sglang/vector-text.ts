/**
 * Vectors as JSON. A number takes the shortest text that comes back as the same value of its precision: four digits for
 * bfloat16, nine for float32 (docs/spec/remote.md §1).
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

/** With or without an exponent: 1e+20 has 21 digits without. */
function shorter(value: number): string {
  const [plain, exponential] = [String(value), value.toExponential()];
  return plain.length <= exponential.length ? plain : exponential;
}

/** The shortest that is the same bfloat16 again. */
function shortest(upper: number): string {
  const value = fromBf16(upper);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0';
  for (let digits = 1; digits < BF16_DIGITS; digits++) {
    const near = Number(value.toPrecision(digits));
    if (bf16Of(near) === upper) return shorter(near);
  }
  return shorter(Number(value.toPrecision(BF16_DIGITS)));
}

/**
 * There are 65,536 of them, each with its comma in a cell of its own: they are copied, which is ten times faster than
 * joining strings.
 */
const CELL = 12; // The longest is -1.234e-38 and its comma: 11 bytes.
const COMMA = 0x2c;
const cells = new Uint8Array(CELL << 16);
/** Bytes of a cell; 0: not written yet. */
const sizes = new Uint8Array(1 << 16);
const EXPONENT = 0x7f80;

function writeCell(upper: number): void {
  const text = Buffer.from(`${shortest(upper)},`);
  if (text.length > CELL) throw new RangeError(`${text} does not fit into a cell`);
  cells.set(text, upper * CELL);
  sizes[upper] = text.length;
}

const OPEN = 0x5b;
const CLOSE = 0x5d;

/**
 * @param vectors [n × hidden] @returns n lists, separated by commas @throws RuntimeError `sglang.vectors` where a
 * number is none
 */
export function vectorText(vectors: Float32Array, hidden: number, precision: 'bf16' | 'f32'): Uint8Array {
  return precision === 'bf16' ? bf16Text(vectors, hidden) : f32Text(vectors, hidden);
}

function bf16Text(vectors: Float32Array, hidden: number): Uint8Array {
  const words = new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length);
  const out = new Uint8Array(words.length * CELL + 2 * (words.length / hidden));
  let to = 0;
  for (let at = 0; at < words.length; at++) {
    if (at % hidden === 0) out[to++] = OPEN;
    const word = words[at];
    const upper = ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
    if ((upper & EXPONENT) === EXPONENT) throw notFinite(Math.floor(at / hidden));
    if (sizes[upper] === 0) writeCell(upper);
    const end = upper * CELL + sizes[upper];
    for (let from = upper * CELL; from < end; from++) out[to++] = cells[from];
    if ((at + 1) % hidden !== 0) continue;
    out[to - 1] = CLOSE;
    out[to++] = COMMA;
  }
  return out.slice(0, to - 1);
}

function f32Text(vectors: Float32Array, hidden: number): Uint8Array {
  const rows: string[] = [];
  for (let row = 0; row < vectors.length; row += hidden) {
    const texts: string[] = [];
    for (const value of vectors.subarray(row, row + hidden)) {
      if (!Number.isFinite(value)) throw notFinite(row / hidden);
      texts.push(Object.is(value, -0) ? '-0.0' : value.toPrecision(F32_DIGITS));
    }
    rows.push(`[${texts.join()}]`);
  }
  return Buffer.from(rows.join());
}

function notFinite(position: number): RuntimeError {
  const remedy = 'Look at the weights of the encoder whose vector it is.';
  return new RuntimeError(
    'sglang.vectors',
    'A vector holds what is no number, or none of bfloat16.',
    { position },
    remedy,
  );
}
