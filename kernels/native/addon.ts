import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';
import type { BlockKernels } from './block-kernels.ts';
import type { DatagramKernels } from './datagram-kernels.ts';
import type { NativeHandle, StoredValues } from './handles.ts';
import type { SignalKernels } from './signal-kernels.ts';

/**
 * The compiled addon. Sizes are in floats or rows; every array may be longer than needed. The addon checks lengths and
 * throws a TypeError where memory would be touched that is not there.
 */
export interface NativeAddon extends SignalKernels, BlockKernels {
  readonly interface: number;
  /** Levels this build has and this processor runs, slowest first; the one in use. */
  readonly levels: readonly string[];
  /** null when LONGCAT_RT_ISA names a level that is missing here; then there are no operations. */
  readonly level: string | null;
  /** Floats per vector. */
  readonly lanes: number;

  packMatrix(
    weight: StoredValues,
    bias: Float32Array | null,
    outputs: number,
    inputs: number,
    scales?: Float32Array | null,
  ): NativeHandle;
  multiply(matrix: NativeHandle, x: Float32Array, rows: number, out: Float32Array): void;
  convolve(
    matrix: NativeHandle,
    x: Float32Array,
    outputRows: number,
    taps: number,
    dilation: number,
    stride: number,
    out: Float32Array,
  ): void;

  rmsNorm(
    x: Float32Array,
    rows: number,
    weight: Float32Array,
    width: number,
    epsilon: number,
    out: Float32Array,
  ): void;
  layerNorm(
    x: Float32Array,
    rows: number,
    weight: Float32Array,
    bias: Float32Array,
    width: number,
    epsilon: number,
    out: Float32Array,
  ): void;
  swiglu(gate: Float32Array, up: Float32Array, count: number, out: Float32Array): void;
  gelu(x: Float32Array, count: number, out: Float32Array): void;
  relu6(x: Float32Array, count: number, out: Float32Array): void;
  residual(
    x: Float32Array,
    count: number,
    branch: Float32Array,
    scale: Float32Array | null,
    width: number,
  ): void;
  snake(x: Float32Array, rows: number, alpha: Float32Array, channels: number, out: Float32Array): void;

  prepareLatent(
    expansion: Float32Array,
    heads: number,
    nope: number,
    rope: number,
    value: number,
    rank: number,
  ): NativeHandle;
  /** `segments`: per segment rows, start, pages, rows per page, offset; `pages` those of all segments. */
  latentAttention(
    latent: NativeHandle,
    q: Float32Array,
    segments: Int32Array,
    segmentCount: number,
    pages: readonly (Float32Array | Uint16Array | Int8Array)[],
    out: Float32Array,
  ): void;
  rotary(
    x: Float32Array,
    rows: number,
    stride: number,
    offset: number,
    heads: number,
    headStride: number,
    frequencies: Float32Array,
    positions: Int32Array,
  ): void;
  route(
    classifier: NativeHandle,
    x: Float32Array,
    rows: number,
    selectionBias: Float32Array,
    topK: number,
    factor: number,
    indices: Int32Array,
    weights: Float32Array,
  ): void;
  /** Gate, up and down of each expert; `scales` likewise. */
  prepareExperts(
    weights: readonly StoredValues[],
    count: number,
    hidden: number,
    inner: number,
    scales: readonly (Float32Array | null)[],
  ): NativeHandle;
  experts(
    experts: NativeHandle,
    x: Float32Array,
    rows: number,
    topK: number,
    indices: Int32Array,
    weights: Float32Array,
    out: Float32Array,
  ): void;
  /** Threads that a call may use from now on, in all of the process; never fewer than before. */
  growPool(threads: number): number;
  /** Calls that were cut into ranges, and ranges another thread took. */
  poolCounts(out: Float64Array): void;
  /** What was freed goes back to the machine, where the allocator keeps it; of all threads. */
  returnMemory(): void;
  /** Pieces of weights in memory, of all threads, each counted once; their bytes. */
  sharedWeights(out: Float64Array): void;
  nowUs(): number;
  createRanks(count: number): NativeHandle;
  /** `weights`: gate, up and down of each expert; `rankOf` its rank. */
  prepareExchange(
    ranks: NativeHandle,
    weights: readonly StoredValues[],
    rankOf: Int32Array,
    hidden: number,
    inner: number,
    scales: readonly (Float32Array | null)[],
  ): NativeHandle;
  dispatch(exchange: NativeHandle, x: Float32Array, rows: number, topK: number, indices: Int32Array): void;
  combine(exchange: NativeHandle, x: Float32Array, weights: Float32Array, out: Float32Array): void;
  /** µs: dispatch, combine, then each rank, began and ended. */
  exchangeTimes(exchange: NativeHandle, out: Float64Array): void;
  argmax(values: Float32Array, offset: number, count: number): number;
  drawToken(
    logits: Float32Array,
    count: number,
    temperature: number,
    topK: number,
    topP: number,
    draw: number,
  ): number;
  penalise(
    logits: Float32Array,
    count: number,
    history: Int32Array,
    historyCount: number,
    factor: number,
  ): void;

  attention(
    q: Float32Array,
    k: Float32Array,
    v: Float32Array,
    rows: number,
    heads: number,
    headDim: number,
    scale: number,
    out: Float32Array,
  ): void;
  rotary2d(
    x: Float32Array,
    rows: number,
    columns: number,
    heads: number,
    headDim: number,
    turns: Float32Array,
    out: Float32Array,
  ): void;

  fsmn(
    kernel: Float32Array,
    width: number,
    taps: number,
    dilation: number,
    x: Float32Array,
    g: Float32Array,
    rows: number,
    out: Float32Array,
  ): void;
  lstm(
    input: NativeHandle,
    recurrent: NativeHandle,
    x: Float32Array,
    rows: number,
    h: Float32Array,
    c: Float32Array,
    out: Float32Array,
  ): void;

  /** Multiply-adds and nothing else; returns the floating-point operations done. */
  spinMultiplyAdds(rounds: number): number;
  /** Reads all of `buffer` once. */
  readMemory(buffer: Float32Array): number;

  /** Whether one of our sockets listens there and took it (protocols/server/receive-buffer.ts); not on Windows. */
  limitReceiveBuffer?(port: number, bytes: number): boolean;
  /** On Linux. */
  readonly datagrams?: DatagramKernels;
}

/** Of addon.cpp, which must be the same: an addon may be older than the sources around it. */
const INTERFACE = 4;

/**
 * LONGCAT_RT_ADDON names one; else what was compiled here, or what the package carries for this machine (prebuilt.js).
 */
export const ADDON_PATHS: readonly string[] = process.env.LONGCAT_RT_ADDON
  ? [process.env.LONGCAT_RT_ADDON]
  : [
      'build/Release/longcat_kernels.node',
      `prebuilds/${process.platform}-${process.arch}/longcat_kernels.node`,
    ].map(path => join(PACKAGE_ROOT, 'kernels/native', path));

/**
 * @returns the addon, or the reason why there is none
 */
export function loadAddon(paths: readonly string[] = ADDON_PATHS): NativeAddon | string {
  const require = createRequire(import.meta.url);
  const found = paths.filter(path => existsSync(path));
  if (found.length === 0) return 'the native kernels are not built; npm rebuild builds them';
  const failures: string[] = [];
  for (const path of found) {
    try {
      const addon = require(path) as NativeAddon;
      if (addon.interface !== INTERFACE) {
        failures.push(`${path} was built from other sources; npm rebuild builds it anew`);
        continue;
      }
      if (addon.level) return addon;
      failures.push(`LONGCAT_RT_ISA=${process.env.LONGCAT_RT_ISA} is not one of: ${addon.levels.join(', ')}`);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  return failures.join('; ');
}
