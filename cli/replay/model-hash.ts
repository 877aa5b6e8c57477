import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Of a larger file only the size, the beginning and the end count. */
const MAX_WHOLE_BYTES = 64 << 20;
const PART_BYTES = 1 << 20;
const DIGITS = 16;

/**
 * Tells models apart by what answers depend on: settings, tokenizer and weights; cards and state of training do not.
 */
export function modelHash(directory: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(json|safetensors)$/.test(file))
    .sort();
  for (const file of files) {
    const path = join(directory, file);
    const { size } = statSync(path);
    hash.update(`${file.replaceAll('\\', '/')}:${size}:`);
    for (const [from, length] of parts(size)) hash.update(read(path, from, length));
  }
  return hash.digest('hex').slice(0, DIGITS);
}

function parts(size: number): (readonly [from: number, length: number])[] {
  if (size <= MAX_WHOLE_BYTES) return [[0, size]];
  return [
    [0, PART_BYTES],
    [size - PART_BYTES, PART_BYTES],
  ];
}

function read(path: string, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, length, from);
  } finally {
    closeSync(file);
  }
  return bytes;
}
