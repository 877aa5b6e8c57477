import { RuntimeError } from '../errors.ts';

/** What the header of a safetensors file says of one tensor; offsets count from the start of the file. */
export interface TensorEntry {
  readonly name: string;
  /** As written in the file: `F32`, `BF16`, `F16`, `I64`, … */
  readonly type: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The format's own bound; a larger header is a damaged or hostile file. */
export const MAX_HEADER_BYTES = 100_000_000;
const MAX_RANK = 8;

/** Bytes per element of the types the format knows; which of them can be used is the reader's matter. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/**
 * Reads the JSON header and checks everything in it against the file's size: types, shapes, byte counts, and that
 * the tensors cover the data exactly once.
 *
 * @param dataStart byte at which the data begins (8 + header length)
 * @throws RuntimeError `weights.header` | `weights.tensor` | `weights.layout`
 */
export function parseHeader(json: string, file: string, dataStart: number, fileSize: number): TensorEntry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw headerError(file, 'The header is not JSON.', { cause: (error as Error).message });
  }
  if (!isRecord(parsed)) throw headerError(file, 'The header is not a JSON object.', {});
  refuseDuplicates(json, file);

  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name !== '__metadata__') entries.push(parseEntry(name, value, file, dataStart));
  }
  checkCover(entries, file, dataStart, fileSize);
  return entries;
}

function parseEntry(name: string, value: unknown, file: string, dataStart: number): TensorEntry {
  const fail = (what: string, values: Record<string, unknown> = {}) =>
    new RuntimeError(
      'weights.tensor',
      what,
      { file, tensor: printable(name), ...values },
      'The file is damaged.',
    );

  if (!isRecord(value)) throw fail('The entry of a tensor is not an object.');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    throw fail('Unknown element type.', { dtype: printable(dtype) });
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw fail('The shape is not a short list of sizes.', { shape: printable(shape) });
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[0] > offsets[1]) {
    throw fail('The data offsets are not an ascending pair.', { offsets: printable(offsets) });
  }
  const bytes = (shape as number[]).reduce((product, size) => product * size, ELEMENT_BYTES[dtype]);
  if (bytes !== offsets[1] - offsets[0]) {
    throw fail('The byte length is not the product of shape and element size.', {
      shape: shape.join('×'),
      dtype,
      bytes: offsets[1] - offsets[0],
    });
  }
  return { name, type: dtype, shape, begin: dataStart + offsets[0], end: dataStart + offsets[1] };
}

function checkCover(
  entries: readonly TensorEntry[],
  file: string,
  dataStart: number,
  fileSize: number,
): void {
  const fail = (what: string, tensor: string, values: Record<string, unknown>) =>
    new RuntimeError(
      'weights.layout',
      what,
      { file, tensor: printable(tensor), ...values },
      'Download the file again.',
    );

  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = dataStart;
  for (const entry of sorted) {
    if (entry.end > fileSize) {
      throw fail('The file is truncated: a tensor ends beyond it.', entry.name, { end: entry.end, fileSize });
    }
    if (entry.begin < expected)
      throw fail('Two tensors overlap.', entry.name, { begin: entry.begin, expected });
    if (entry.begin > expected)
      throw fail('Bytes belong to no tensor.', entry.name, { begin: entry.begin, expected });
    expected = entry.end;
  }
  if (expected !== fileSize) {
    throw fail('Bytes after the last tensor.', sorted.at(-1)?.name ?? '', { end: expected, fileSize });
  }
}

/** `JSON.parse` keeps the last of equal keys; a tensor described twice must not pass for one described once. */
function refuseDuplicates(json: string, file: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (const token of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    const text = token[0];
    if (text === '{' || text === '[') depth++;
    else if (text === '}' || text === ']') depth--;
    else if (depth === 1 && token[1] !== undefined) {
      const name = JSON.parse(text.slice(0, text.length - token[1].length)) as string;
      if (seen.has(name))
        throw headerError(file, 'A tensor is described twice.', { tensor: printable(name) });
      seen.add(name);
    }
  }
}

function headerError(file: string, what: string, values: Record<string, unknown>): RuntimeError {
  return new RuntimeError(
    'weights.header',
    what,
    { file, ...values },
    'This is not an intact safetensors file.',
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Names and values come from the file: shortened before they enter a message. */
function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : jsonOf(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** What is nested a hundred thousand deep can be read but not written. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'something nested too deeply to show';
  }
}
