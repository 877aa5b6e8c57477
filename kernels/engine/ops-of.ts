import { RuntimeError } from '../errors.ts';
import { type CudaDevice, openCudaDevice } from '../native/cuda/device.ts';
import { nativeSupport } from '../native/index.ts';
import type { Ops } from '../ops.ts';
import { referenceOps } from '../reference-ops.ts';
import type { EngineKind } from './engine.ts';

/** The fastest kind that this machine has; `reason` says why it is not a faster one. */
export function fastestEngine(): { readonly kind: EngineKind; readonly reason: string | null } {
  const { ops, reason } = nativeSupport();
  return { kind: ops ? 'cpu' : 'reference', reason };
}

/**
 * Lets the kernels of the `cpu` engine use so many threads of this process, for all components together; never fewer.
 */
export function growPool(threads: number): void {
  nativeSupport().growPool?.(threads);
}

/**
 * The device of the `cuda` engine, opened once per thread.
 * @throws RuntimeError `engine.unavailable` where there is no library or no device
 */
export function cudaDevice(): CudaDevice {
  const device = openCudaDevice();
  if (typeof device !== 'string') return device;
  const values = { kind: 'cuda', reason: device };
  throw new RuntimeError(
    'engine.unavailable',
    'There is no CUDA device to use.',
    values,
    'Use the cpu engine.',
  );
}

/**
 * The operations of kernels that compute on this processor; `auto` is the fastest that this machine has.
 * @throws RuntimeError `engine.unavailable` when this machine or build has none of that kind
 */
export function opsOf(kind: EngineKind | 'auto'): Ops {
  const native = kind === 'cpu' || kind === 'auto' ? nativeSupport() : null;
  if (native?.ops) return native.ops;
  if (kind === 'reference' || kind === 'auto') return referenceOps;
  const values = { kind, reason: native?.reason ?? 'not part of this build' };
  const remedy = 'Use the reference engine.';
  throw new RuntimeError('engine.unavailable', 'This build has no kernels of that kind.', values, remedy);
}
