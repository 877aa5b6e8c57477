import type { NativeAddon } from '../../kernels/native/addon.ts';
import type { Ops } from '../../kernels/ops.ts';
import { createWeight, float32ToBfloat16, quantiseWeight } from '../../kernels/weights/index.ts';
import { measure, showTime } from './measure.ts';

const SPIN_ROUNDS = 200_000;
const BYTES = { f32: 4, bf16: 2, int8: 1 };
/** Far more than any cache holds. */
const BUFFER_FLOATS = 48 << 20;

function noise(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function linearCall(
  ops: Ops,
  rows: number,
  inputs: number,
  outputs: number,
  dtype: 'f32' | 'bf16' | 'int8',
): () => void {
  const values = noise(outputs * inputs);
  const shape = [outputs, inputs];
  const weight =
    dtype === 'bf16'
      ? createWeight('bench', shape, dtype, float32ToBfloat16(values))
      : createWeight('bench', shape, 'f32', values);
  const linear = ops.linear(dtype === 'int8' ? quantiseWeight(weight) : weight, null);
  const x = noise(rows * inputs);
  const out = new Float32Array(rows * outputs);
  return () => {
    linear.apply(x, rows, out);
  };
}

/** Products against the multiply-adds and the memory bandwidth of the same minutes. */
export function limitRows(addon: NativeAddon, ops: Ops): string[][] {
  const buffer = new Float32Array(BUFFER_FLOATS).fill(1);
  let operations = 0;
  const limits = [
    () => {
      operations = addon.spinMultiplyAdds(SPIN_ROUNDS);
    },
    () => {
      addon.readMemory(buffer);
    },
  ];
  const products = [
    { name: 'GEMM 1024³ f32', rows: 1024, inputs: 1024, outputs: 1024, dtype: 'f32' },
    { name: 'GEMM 1024³ bf16 weights', rows: 1024, inputs: 1024, outputs: 1024, dtype: 'bf16' },
    { name: 'GEMM 1024³ int8', rows: 1024, inputs: 1024, outputs: 1024, dtype: 'int8' },
    { name: 'GEMM 16×2048×2048 f32', rows: 16, inputs: 2048, outputs: 2048, dtype: 'f32' },
    { name: 'GEMV 6144→12288 f32', rows: 1, inputs: 6144, outputs: 12288, dtype: 'f32' },
    { name: 'GEMV 6144→24576 bf16', rows: 1, inputs: 6144, outputs: 24576, dtype: 'bf16' },
    { name: 'GEMV 6144→49152 int8', rows: 1, inputs: 6144, outputs: 49152, dtype: 'int8' },
  ] as const;
  const calls = products.map(({ rows, inputs, outputs, dtype }) =>
    linearCall(ops, rows, inputs, outputs, dtype),
  );
  const [spin, read, ...times] = measure([...limits, ...calls], 11);
  const peak = operations / spin.median / 1e6;
  const bandwidth = buffer.byteLength / read.median / 1e6;

  return products.map(({ name, rows, inputs, outputs, dtype }, p) => {
    const ms = times[p].median;
    const bytes = inputs * outputs * BYTES[dtype];
    const isStream = rows === 1;
    const achieved = (isStream ? bytes : 2 * rows * inputs * outputs) / ms / 1e6;
    const limit = isStream ? bandwidth : peak;
    const unit = isStream ? 'GB/s' : 'GFLOP/s';
    const share = `${((100 * achieved) / limit).toFixed(0)} %`;
    return [name, showTime(times[p]), `${achieved.toFixed(1)} ${unit}`, `${limit.toFixed(1)} ${unit}`, share];
  });
}
