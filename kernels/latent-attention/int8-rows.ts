/**
 * Rows of a cache in int8: the numbers of latent and key, then the scale of each as a float32 (little-endian). They
 * have a scale each because the latent is normed and the key is not. What is not finite reads as not a number.
 */
const SCALE_BYTES = 4;
const MOST = 127;
/** What is smaller than this in all of its numbers is zero: its inverse scale would not be finite. */
const LEAST = Math.fround(1e-30);

/** Elements that a row of `width` numbers takes in an int8 page. */
export const int8RowElements = (width: number): number => width + 2 * SCALE_BYTES;

/** [latent | key] of `width` numbers into the page from element `at` on. */
export function writeInt8Row(page: Int8Array, at: number, row: Float32Array, rank: number): void {
  const scales = viewOf(page);
  const width = row.length;
  const write = (begin: number, end: number, scaleAt: number) => {
    const largest = largestOf(row.subarray(begin, end));
    const inverse = largest > 0 ? Math.fround(MOST / largest) : 0;
    for (let i = begin; i < end; i++) page[at + i] = nearestEven(Math.fround(row[i] * inverse));
    scales.setFloat32(scaleAt, Math.fround(largest / MOST), true);
  };
  write(0, rank, at + width);
  write(rank, width, at + width + SCALE_BYTES);
}

/** So many rows from element `at` on, as floats. */
export function readInt8Rows(
  page: Int8Array,
  at: number,
  rows: number,
  width: number,
  rank: number,
): Float32Array {
  const scales = viewOf(page);
  const values = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const from = at + r * int8RowElements(width);
    const latent = scales.getFloat32(from + width, true);
    const key = scales.getFloat32(from + width + SCALE_BYTES, true);
    for (let i = 0; i < width; i++) values[r * width + i] = page[from + i] * (i < rank ? latent : key);
  }
  return values;
}

/** By magnitude; 0 where all are next to nothing, NaN where one is not finite. */
function largestOf(numbers: Float32Array): number {
  let largest = 0;
  for (const number of numbers) {
    if (!Number.isFinite(number)) return Number.NaN;
    largest = Math.max(largest, Math.abs(number));
  }
  return largest < LEAST ? 0 : largest;
}

function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  if (above !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const viewOf = (page: Int8Array): DataView => new DataView(page.buffer, page.byteOffset, page.byteLength);
