import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.ts';

/** Memory of the device that holds an array; freed when nobody refers to it any more. */
export interface CudaHandle {
  readonly device: unique symbol;
}

/** A component whose weights, state and workspace are on the device. */
export interface CudaComponentHandle {
  readonly component: unique symbol;
}

export type CudaArray = Float32Array | Float64Array | Int32Array | Uint16Array;

export interface CudaDescription {
  readonly name: string;
  /** Ten times major plus minor: 90 is sm_90. */
  readonly capability: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
}

/** The second library (addon.cpp). Its errors carry `cuda.*` codes; `CudaDevice` makes RuntimeErrors of them. */
export interface CudaAddon {
  readonly interface: number;
  /** Kernels run on this machine's processor, see docs/cuda.md. */
  readonly emulated: boolean;
  device(): CudaDescription;
  upload(array: CudaArray): CudaHandle;
  /** Arrays are copied in, worked on by the operation of that name (operations.cpp), and copied out. */
  run(
    operation: string,
    inputs: readonly (CudaArray | CudaHandle)[],
    inPlace: readonly CudaArray[],
    outputs: readonly CudaArray[],
    numbers: Float64Array,
  ): void;
  createLanguageModel(sizes: Int32Array, numbers: Float64Array): CudaComponentHandle;
  loadWeight(component: CudaComponentHandle, values: Float32Array | Uint16Array): void;
  finishLoading(component: CudaComponentHandle): number;
  stepLanguageModel(
    model: CudaComponentHandle,
    counts: Int32Array,
    ids: Int32Array,
    featureOf: Int32Array,
    sequenceOf: Int32Array,
    positions: Int32Array,
    table: Int32Array,
    vectors: Float32Array,
    chosen: Int32Array,
    histories: Int32Array,
    historyCounts: Int32Array,
    factors: Float64Array,
    requests: Float64Array,
    results: Int32Array,
  ): void;
  createAudioEncoder(sizes: Int32Array, weightBytes: number): CudaComponentHandle;
  clearAudioEncoder(encoder: CudaComponentHandle, slot: number): void;
  copyAudioEncoder(encoder: CudaComponentHandle, fromSlot: number, toSlot: number): void;
  stepAudioEncoder(
    encoder: CudaComponentHandle,
    slots: Int32Array,
    rows: Int32Array,
    isEnding: Int32Array,
    seen: Int32Array,
    spliced: Float32Array,
    counts: Int32Array,
    vectors: Float32Array,
    captions: Float32Array,
  ): void;
  createVisionEncoder(sizes: Int32Array, epsilon: number, weightBytes: number): CudaComponentHandle;
  stepVisionEncoder(
    encoder: CudaComponentHandle,
    isStill: number,
    grids: Int32Array,
    patches: Float32Array,
    tokens: Float32Array,
  ): void;
  createGanDecoder(sizes: Int32Array, weightBytes: number): CudaComponentHandle;
  clearGanDecoder(decoder: CudaComponentHandle, slot: number): void;
  stepGanDecoder(
    decoder: CudaComponentHandle,
    slots: Int32Array,
    frames: Int32Array,
    skipped: Int32Array,
    codes: Int32Array,
    samples: Float32Array,
  ): void;
  createSpeechTokenizer(sizes: Int32Array, weightBytes: number): CudaComponentHandle;
  stepSpeechTokenizer(
    tokenizer: CudaComponentHandle,
    samples: Float32Array,
    features: Float32Array,
    codes: Int32Array,
  ): void;
  /** Of the emulation: the order in which blocks, lanes and independent work run. */
  seed?(seed: number): void;
}

/** Of addon.cpp, which must be the same. */
const INTERFACE = 4;

/** LONGCAT_RT_CUDA names one; else what was compiled here, or what the package carries for this machine. */
function cudaPaths(): readonly string[] {
  if (process.env.LONGCAT_RT_CUDA) return [resolve(process.env.LONGCAT_RT_CUDA)];
  const prebuilt = `prebuilds/${process.platform}-${process.arch}/longcat_cuda.node`;
  return ['cuda/build/longcat_cuda.node', prebuilt].map(path => join(PACKAGE_ROOT, 'kernels/native', path));
}

/**
 * Opens the library; needs no driver.
 * @returns the library, or the reason why there is none
 */
export function loadCudaAddon(paths: readonly string[] = cudaPaths()): CudaAddon | string {
  const path = paths.find(candidate => existsSync(candidate));
  if (path === undefined)
    return 'the CUDA kernels are not built; npm run build:cuda builds them where nvcc is';
  try {
    const addon = createRequire(import.meta.url)(path) as CudaAddon;
    if (addon.interface === INTERFACE) return addon;
    return `${path} was built from other sources; npm run build:cuda builds it anew`;
  } catch (error) {
    return (error as Error).message;
  }
}
