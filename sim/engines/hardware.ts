/** Accelerators and links, by the tables of docs/spec/latency-data.md §1. */
import { RuntimeError } from '../../kernels/errors.ts';

export interface Accelerator {
  readonly memoryGb: number;
  /** 1e9 bytes a second. */
  readonly hbmGbPerS: number;
  /** Dense, without sparsity. */
  readonly bf16Tflops: number;
  readonly fp8Tflops: number;
}

export type AcceleratorName = 'H100' | 'H800' | 'H200' | 'H20' | 'L4' | 'L40S';

/** docs/spec/latency-data.md §1.1. */
export const ACCELERATORS: Readonly<Record<AcceleratorName, Accelerator>> = {
  H100: { memoryGb: 80, hbmGbPerS: 3350, bf16Tflops: 989, fp8Tflops: 1979 },
  H800: { memoryGb: 80, hbmGbPerS: 3350, bf16Tflops: 989, fp8Tflops: 1979 },
  H200: { memoryGb: 141, hbmGbPerS: 4800, bf16Tflops: 989, fp8Tflops: 1979 },
  H20: { memoryGb: 96, hbmGbPerS: 4000, bf16Tflops: 148, fp8Tflops: 296 },
  L4: { memoryGb: 24, hbmGbPerS: 300, bf16Tflops: 121, fp8Tflops: 242 },
  L40S: { memoryGb: 48, hbmGbPerS: 864, bf16Tflops: 362, fp8Tflops: 733 },
};

/**
 * docs/spec/latency-data.md §1.1, §1.4: rental price of an hour, dollars; H100 and H200 hours are priced as an H800's
 * (D).
 */
export const DOLLARS_PER_HOUR: Readonly<Record<AcceleratorName, number>> = {
  H100: 2,
  H800: 2,
  H200: 2,
  H20: 2 / 2.85,
  L4: 0.5,
  L40S: 1,
};
/** docs/spec/latency-data.md §1.4: board power, W; a device that waits takes a fifth of it (D). */
export const BOARD_WATTS: Readonly<Record<AcceleratorName, number>> = {
  H100: 700,
  H800: 700,
  H200: 700,
  H20: 400,
  L4: 72,
  L40S: 350,
};
export const IDLE_POWER = 0.2;

/**
 * docs/spec/latency-data.md §1.2, of the peak: MLA decode kernel, memory-bound (3000 of 3350 GB/s) and compute-bound
 * (660 of 989 TFLOP/s).
 */
export const MLA_MEMORY_EFFICIENCY = 3000 / 3350;
export const MLA_COMPUTE_EFFICIENCY = 660 / 989;
/** docs/spec/latency-data.md §1.2: usable RDMA of one GPU. */
export const RDMA_GB_PER_S = 50;

/** docs/spec/latency-data.md §1.3: all-to-all bandwidth in decode by expert-parallel size, GB/s. */
const ALL_TO_ALL: readonly (readonly [size: number, dispatch: number, combine: number])[] = [
  [8, 98, 127],
  [16, 63, 74],
  [32, 48, 53],
  [64, 43, 46],
  [128, 39, 39],
  [256, 39, 40],
];

/**
 * docs/spec/latency-data.md §1.3 "Model to use": interpolated in the logarithm of the size; one device exchanges
 * nothing.
 */
export function allToAllGbPerS(experts: 'dispatch' | 'combine', size: number): number {
  if (size <= 1) return Number.POSITIVE_INFINITY;
  const column = experts === 'dispatch' ? 1 : 2;
  const above = ALL_TO_ALL.findIndex(([known]) => known >= size);
  if (above < 0) {
    const remedy = 'Use at most 256 devices.';
    throw new RuntimeError(
      'sim.expert-parallel',
      'No such expert-parallel size was measured.',
      { size },
      remedy,
    );
  }
  if (above === 0) return ALL_TO_ALL[0][column];
  const low = ALL_TO_ALL[above - 1];
  const high = ALL_TO_ALL[above];
  const share = Math.log(size / low[0]) / Math.log(high[0] / low[0]);
  return low[column] + share * (high[column] - low[column]);
}
