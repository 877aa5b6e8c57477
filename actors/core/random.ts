import { RuntimeError } from '../../kernels/errors.ts';

/** A seeded random stream; split by purpose so that changing one does not shift the others. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An independent stream for a purpose; same parent seed and name, same stream. */
  split(purpose: string): Random;
}

/** Seeds of the four words of the root key; any distinct constants do. */
const ROOT_KEY = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667] as const;

type Key = readonly [number, number, number, number];

/** Our own generator, so that results do not move with a library. A number and its decimal text are the same seed. */
export function createRandom(seed: string | number): Random {
  return new SeededRandom(splitKey(ROOT_KEY, String(seed)));
}

/** Uniform integer in [0, bound). Error `random.bad-bound` unless 1 ≤ bound ≤ 2^53. */
export function integer(random: Random, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 53) {
    const remedy = 'Pass an integer of at least 1.';
    throw new RuntimeError('random.bad-bound', 'There is no integer below this bound.', { bound }, remedy);
  }
  return Math.floor(random.next() * bound);
}

/** Exponentially distributed with this mean: the time to the next arrival. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

/** Normally distributed; Box–Muller, one of the pair, so that each call takes two numbers of the stream. */
export function normal(random: Random, mean: number, deviation: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * random.next());
}

/** xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators"): the next 32 bits. */
export class Xoshiro128 {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Four 32-bit words, not all zero. */
  constructor(state: Key) {
    [this.#a, this.#b, this.#c, this.#d] = state;
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#d = 1;
  }

  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }
}

class SeededRandom implements Random {
  readonly #key: Key;
  readonly #bits: Xoshiro128;

  constructor(key: Key) {
    this.#key = key;
    this.#bits = new Xoshiro128(key);
  }

  /** 53 bits: the upper 27 of one word, the upper 26 of the next. */
  next(): number {
    const high = this.#bits.nextUint32() >>> 5;
    const low = this.#bits.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Depends on this stream's key only, not on how many numbers were taken. */
  split(purpose: string): Random {
    return new SeededRandom(splitKey(this.#key, purpose));
  }
}

/** The name hashed under each word of the parent's key. */
function splitKey(parent: Key, purpose: string): Key {
  const bytes = new TextEncoder().encode(purpose);
  return [
    murmur3(bytes, parent[0]),
    murmur3(bytes, parent[1]),
    murmur3(bytes, parent[2]),
    murmur3(bytes, parent[3]),
  ];
}

/** MurmurHash3 x86 32-bit (Appleby). */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const whole = bytes.length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < whole; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    hash = (Math.imul(rotateLeft(hash ^ scramble(word), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8) | bytes[at];
  hash ^= scramble(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  return Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
