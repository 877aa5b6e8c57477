import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadAddon, type NativeAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';
import { createWeight } from '../../kernels/weights/index.ts';
import { GuardedMemory } from './parity.ts';

const addon = loadAddon();

/** Calls that were cut into ranges for several threads. */
function callsOnPool(of: NativeAddon): number {
  const counts = new Float64Array(2);
  of.poolCounts(counts);
  return counts[0];
}

describe.skipIf(typeof addon === 'string')('the pool of threads', () => {
  // The body of what is skipped is run, too.
  if (typeof addon === 'string') return it.skip('needs the native kernels', () => {});
  const native: NativeAddon = addon;
  const ops = nativeOps(native);
  const memory = new GuardedMemory(21);
  const values = (count: number) => Float32Array.from({ length: count }, () => 2 * memory.random() - 1);
  // Each above the two million multiply-adds from which a product is cut, by rows or by outputs.
  const layers = [
    { inputs: 700, outputs: 3001, rows: 1 },
    { inputs: 300, outputs: 1100, rows: 17 },
    { inputs: 64, outputs: 70, rows: 900 },
  ].map(({ inputs, outputs, rows }) => {
    const weight = createWeight('w', [outputs, inputs], 'f32', values(outputs * inputs));
    return { inputs, outputs, rows, linear: ops.linear(weight, values(outputs)), x: values(rows * inputs) };
  });
  const convolution = ops.conv1d(values(32 * 40 * 7), values(40), { inputs: 32, outputs: 40, kernel: 7 });
  const sound = values(600 * 32);
  const all = () => [
    ...layers.map(({ linear, rows, x }) => linear.apply(x, rows)),
    convolution.apply(sound, 600),
  ];

  it('gives the bytes of one thread for every number of threads', () => {
    const alone = all();
    expect(callsOnPool(native)).toBe(0);
    for (const threads of [2, 3, 4]) {
      native.growPool(threads);
      for (let again = 0; again < 5; again++) expect(all()).toEqual(alone);
    }
    expect(callsOnPool(native)).toBe(3 * 5 * 4);
  });

  it('gives a row the same bytes in every composition of the batch', () => {
    expect(native.growPool(4)).toBe(4);
    const { linear, inputs, outputs } = layers[1];
    const known = values(40 * inputs);
    const alone = Array.from({ length: 40 }, (_, r) =>
      linear.apply(known.subarray(r * inputs, (r + 1) * inputs), 1),
    );
    const batches = fc.array(fc.nat(39), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(batches, rows => {
        const x = new Float32Array(rows.length * inputs);
        rows.forEach((row, r) => {
          x.set(known.subarray(row * inputs, (row + 1) * inputs), r * inputs);
        });
        const y = linear.apply(x, rows.length);
        rows.forEach((row, r) => {
          expect(y.subarray(r * outputs, (r + 1) * outputs)).toEqual(alone[row]);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('never shrinks, because others of the process asked for what it has', () => {
    expect(native.growPool(1)).toBe(4);
  });
});
