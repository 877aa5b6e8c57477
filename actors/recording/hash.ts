import { createHash, type Hash } from 'node:crypto';

/** Enough to tell two answers apart, short enough to print. */
const HASH_DIGITS = 16;
/**
 * What a work is called, not what is to be done: streams count from the engine's start, not from the recording's, and a
 * trace follows from the session's name.
 */
const NAMES: ReadonlySet<string> = new Set(['sequence', 'stream', 'traceparent']);

/** A hash of everything below `value`: numbers to the bit, arrays with their kind and length. */
export function hashOf(value: unknown): string {
  const hash = createHash('sha256');
  add(hash, value);
  return hash.digest('hex').slice(0, HASH_DIGITS);
}

function add(hash: Hash, value: unknown): void {
  if (ArrayBuffer.isView(value)) {
    hash.update(`${value.constructor.name}${value.byteLength}:`);
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if (Array.isArray(value)) {
    hash.update(`[${value.length}:`);
    for (const element of value) add(hash, element);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([name, field]) => field !== undefined && !NAMES.has(name));
    hash.update(`{${fields.length}:`);
    for (const [name, field] of fields) {
      hash.update(`${name}=`);
      add(hash, field);
    }
  } else hash.update(`${typeof value}:${String(value)};`);
}

/** As JSON, with a length and a hash in the place of each typed array. */
export function printable(value: unknown): string {
  return JSON.stringify(value, (_name, field) =>
    ArrayBuffer.isView(field) ? { length: field.byteLength, hash: hashOf(field) } : field,
  );
}
