import { describe, expect, it } from 'vitest';
import { opsOf } from '../../kernels/engine/index.ts';
import { loadAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';
import type { Ops } from '../../kernels/ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { createWeight } from '../../kernels/weights/index.ts';
import { addonsOfAllLevels } from './native-levels.ts';
import { compareOnCase, GuardedMemory } from './parity.ts';
import { parityCases } from './parity-cases.ts';

const addons = addonsOfAllLevels();
const linearCase = parityCases.find(({ op, label }) => op === 'linear' && label.startsWith('13×'))!;

describe('the parity harness', () => {
  const spoilt = (spoil: (out: Float32Array, x: Float32Array) => void): Ops => ({
    ...referenceOps,
    linear: (weight, bias) => {
      const linear = referenceOps.linear(weight, bias);
      return {
        ...linear,
        apply(x, rows, out) {
          const y = linear.apply(x, rows, out);
          spoil(y, x);
          return y;
        },
      };
    },
  });
  const problemOf = (candidate: Ops) => compareOnCase(linearCase, referenceOps, candidate, 1).problem;

  it('finds nothing wrong with the reference itself', () => {
    expect(problemOf(referenceOps)).toBeNull();
  });

  it('notices a value that is off, an overrun and a changed input', () => {
    expect(problemOf(spoilt(y => (y[3] += 1e-3)))).toMatch(/value 3/);
    const behind = (y: Float32Array) => new Float32Array(y.buffer, y.byteOffset + 4 * y.length, 1);
    expect(problemOf(spoilt(y => (behind(y)[0] = 0)))).toMatch(/canary/);
    expect(problemOf(spoilt((_, x) => (x[0] = 9)))).toMatch(/input was changed/);
  });
});

describe('an addon that is not there', () => {
  it('is a reason, not an exception', () => {
    expect(loadAddon(['/nowhere/longcat_kernels.node'])).toMatch(/not built/);
  });

  it('leaves the reference to serve', () => {
    expect(opsOf('reference')).toBe(referenceOps);
  });
});

describe.skipIf(addons.length === 0)('native kernels', () => {
  for (const addon of addons) {
    const ops = nativeOps(addon);
    const memory = new GuardedMemory(5);
    const rowsOf = (x: Float32Array, rows: number) =>
      Array.from({ length: rows }, (_, r) => x.slice((r * x.length) / rows, ((r + 1) * x.length) / rows));

    it(`${addon.level}: a row's bits do not depend on the other rows`, () => {
      for (const [inputs, outputs] of [
        [40, 7],
        [1500, 130],
      ]) {
        const weight = createWeight('w', [outputs, inputs], 'f32', memory.weights(outputs * inputs));
        const linear = ops.linear(weight, memory.weights(outputs));
        for (let rows = 1; rows <= 14; rows++) {
          const x = memory.input(rows * inputs);
          const together = rowsOf(linear.apply(x, rows), rows);
          const alone = rowsOf(x, rows).map(row => linear.apply(row, 1));
          expect(together).toEqual(alone);
        }
      }
    });

    it(`${addon.level}: bfloat16 weights give the bits of the same weights in float`, () => {
      const bits = Uint16Array.from({ length: 70 * 33 }, (_, i) => 0x3e00 + ((i * 37) % 512));
      const weight = createWeight('w', [70, 33], 'bf16', bits);
      const wide = createWeight('w', [70, 33], 'f32', weight.toFloat32());
      const x = memory.input(3 * 33);
      expect(ops.linear(weight, null).apply(x, 3)).toEqual(ops.linear(wide, null).apply(x, 3));
    });

    it(`${addon.level}: expert results do not depend on the batch`, () => {
      const expert = () => ({
        gate: createWeight('g', [9, 20], 'f32', memory.weights(180)),
        up: createWeight('u', [9, 20], 'f32', memory.weights(180)),
        down: createWeight('d', [20, 9], 'f32', memory.weights(180)),
      });
      const experts = ops.experts([expert(), expert(), expert()], 20);
      const indices = Int32Array.of(0, 1, 0, 2, 1, 4, 0, 1, 2, 3);
      const weights = memory.input(10);
      const x = memory.input(5 * 20);
      const together = rowsOf(experts.apply(x, 5, { topK: 2, indices, weights }), 5);
      const alone = rowsOf(x, 5).map((row, r) =>
        experts.apply(row, 1, {
          topK: 2,
          indices: indices.slice(2 * r, 2 * r + 2),
          weights: weights.slice(2 * r, 2 * r + 2),
        }),
      );
      expect(together).toEqual(alone);
    });

    it(`${addon.level}: refuses arrays that are too short instead of reading past them`, () => {
      const linear = ops.linear(createWeight('w', [4, 4], 'f32', memory.weights(16)), null);
      expect(() => linear.apply(new Float32Array(7), 2)).toThrow(/too short/);
      expect(() => linear.apply(new Float32Array(8), 2, new Float32Array(7))).toThrow(/too short/);
      expect(() => addon.multiply({} as never, new Float32Array(8), 2, new Float32Array(8))).toThrow(
        /handle/,
      );
    });
  }

  it('give the same products at every level with fused multiply-add', () => {
    const fused = addons.filter(({ level }) => level !== 'scalar').map(nativeOps);
    const memory = new GuardedMemory(9);
    const weight = createWeight('w', [77, 300], 'f32', memory.weights(77 * 300));
    const x = memory.input(9 * 300);
    const [first, ...others] = fused.map(ops => ops.linear(weight, null).apply(x, 9));
    for (const other of others) expect(other).toEqual(first);
  });
});
