/**
 * Typed arrays whose bytes are the same are equal. vitest goes through them number by number, at a microsecond each,
 * and many tests compare hundreds of thousands; where bytes differ it still does, and shows where.
 */
import { expect } from 'vitest';

const sameBytes = (a: unknown, b: unknown) => {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
  return bytesOf(a).equals(bytesOf(b)) ? true : undefined;
};

/** A worker that runs several files keeps its testers and comes here for each. */
const ADDED = Symbol.for('longcat-rt.equal-bytes');
if (!Reflect.has(globalThis, ADDED)) expect.addEqualityTesters([sameBytes]);
Reflect.set(globalThis, ADDED, true);

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
