import type { Ops } from '../../kernels/ops.ts';

/** What fills a case's inputs: ordinary numbers, or also numbers that break careless kernels. */
export type Filling = 'ordinary' | 'subnormal' | 'not-a-number';

export const FILLINGS: readonly Filling[] = ['ordinary', 'subnormal', 'not-a-number'];

/** Half a unit in the last place of a float: what one rounding may cost. */
export const ROUNDING = 2 ** -24;

/** n rounded additions of terms below 1, whose sums wander like √n. */
export const chain = (n: number): number => 4 * ROUNDING * n;

/** One call of one operation, run by every engine on the same numbers. Adding an operation is adding such an entry. */
export interface ParityCase {
  readonly op: keyof Ops;
  /** Shape, and what is special about it. */
  readonly label: string;
  /** Allowed: |candidate − reference| ≤ absolute + relative · |reference|. */
  readonly absolute: number;
  readonly relative: number;
  readonly filling?: Filling;
  /** Calls the operation; every array it reads or writes comes from `memory`. */
  run(ops: Ops, memory: GuardedMemory): ArrayLike<number>;
}

const GUARD = 24;
const CANARY = -1.234567e30;

/**
 * Arrays at uneven addresses with canaries on both sides. Two of them with the same seed hold the same numbers.
 */
export class GuardedMemory {
  readonly #buffers: { whole: Float32Array; inner: Float32Array; before: Float32Array | null }[] = [];
  readonly #filling: Filling;
  #state: number;
  #shift = 0;

  constructor(seed: number, filling: Filling = 'ordinary') {
    this.#state = seed >>> 0;
    this.#filling = filling;
  }

  /** Uniform in [0, 1). */
  random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
  }

  /** An input of numbers between −magnitude and magnitude; it must not be written to. */
  input(length: number, magnitude = 1): Float32Array {
    return this.#allocate(length, i => this.#number(i, magnitude), true);
  }

  /** The same without odd numbers, for weights. */
  weights(length: number, magnitude = 1): Float32Array {
    return this.#allocate(length, () => (2 * this.random() - 1) * magnitude, true);
  }

  /** Filled with garbage: whoever leaves a value unwritten is found out. */
  output(length: number): Float32Array {
    return this.#allocate(length, () => 7e20, false);
  }

  /** An input that the operation changes in place. */
  inPlace(length: number, magnitude = 1): Float32Array {
    return this.#allocate(length, i => this.#number(i, magnitude), false);
  }

  /** What is wrong with the memory after a call, or null. */
  damage(): string | null {
    for (const { whole, inner, before } of this.#buffers) {
      const start = (inner.byteOffset - whole.byteOffset) / 4;
      for (let i = 0; i < whole.length; i++) {
        const outside = i < start || i >= start + inner.length;
        if (outside && whole[i] !== Math.fround(CANARY))
          return `canary ${i - start} of ${inner.length} overwritten`;
      }
      if (before && !before.every((value, i) => Object.is(value, inner[i]))) return 'an input was changed';
    }
    return null;
  }

  #allocate(length: number, value: (i: number) => number, readOnly: boolean): Float32Array {
    // 1, 2, 3, 0 floats off a 16-byte border in turn.
    this.#shift = (this.#shift + 1) % 4;
    const whole = new Float32Array(length + 2 * GUARD + this.#shift).fill(CANARY);
    const inner = whole.subarray(GUARD + this.#shift, GUARD + this.#shift + length);
    for (let i = 0; i < length; i++) inner[i] = value(i);
    this.#buffers.push({ whole, inner, before: readOnly ? inner.slice() : null });
    return inner;
  }

  #number(i: number, magnitude: number): number {
    const ordinary = (2 * this.random() - 1) * magnitude;
    if (this.#filling === 'subnormal') return ordinary * 2 ** -130;
    if (this.#filling === 'not-a-number' && i % 5 === 2) return Number.NaN;
    return ordinary;
  }
}

export interface Verdict {
  /** Largest |difference| / allowed difference. */
  readonly worst: number;
  readonly problem: string | null;
}

export function compareOnCase(parityCase: ParityCase, reference: Ops, candidate: Ops, seed: number): Verdict {
  const expected = parityCase.run(reference, new GuardedMemory(seed, parityCase.filling));
  const memory = new GuardedMemory(seed, parityCase.filling);
  const actual = parityCase.run(candidate, memory);
  const damage = memory.damage();
  if (damage) return { worst: Number.POSITIVE_INFINITY, problem: damage };
  if (actual.length !== expected.length) {
    return { worst: Number.POSITIVE_INFINITY, problem: `${actual.length} values, not ${expected.length}` };
  }
  let worst = 0;
  let problem: string | null = null;
  for (let i = 0; i < expected.length; i++) {
    const allowed = parityCase.absolute + parityCase.relative * Math.abs(expected[i]);
    const same = Object.is(actual[i], expected[i]) || actual[i] === expected[i];
    const share = same ? 0 : Math.abs(actual[i] - expected[i]) / allowed;
    if (!(share <= 1)) problem ??= `value ${i} is ${actual[i]}, not ${expected[i]} (allowed ±${allowed})`;
    if (share > worst) worst = share;
  }
  return { worst, problem };
}
