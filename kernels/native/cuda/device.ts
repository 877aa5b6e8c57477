import { RuntimeError } from '../../errors.ts';
import type { LinearWeight } from '../../linear/index.ts';
import type { Weight } from '../../weights/index.ts';
import {
  type CudaAddon,
  type CudaArray,
  type CudaDescription,
  type CudaHandle,
  loadCudaAddon,
} from './addon.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  'cuda.memory': 'Give the model a smaller cache, close other programs on the device, or use the cpu engine.',
  'cuda.failed': 'The device must be opened anew: restart the runtime, or use the cpu engine.',
  'cuda.no-device': 'Install the driver of the device, or use the cpu engine.',
};

/** A device that computes; its errors are RuntimeErrors `cuda.*` of the component that asked. */
export class CudaDevice {
  readonly description: CudaDescription;
  readonly isEmulated: boolean;
  readonly addon: CudaAddon;

  /** @throws RuntimeError `cuda.no-device` */
  constructor(addon: CudaAddon) {
    this.addon = addon;
    this.isEmulated = addon.emulated;
    this.description = this.guard('opening', () => addon.device());
  }

  /** A weight that stays on the device: bfloat16 as it is, all else as floats. */
  hold(weight: Weight): CudaHandle {
    const values = weight.dtype === 'bf16' ? (weight.data as Uint16Array) : weight.toFloat32();
    return this.guard(weight.name, () => this.addon.upload(values));
  }

  /** One operation of operations.cpp on copies of the arrays. */
  run(
    operation: string,
    numbers: readonly number[],
    inputs: readonly (CudaArray | CudaHandle)[],
    outputs: readonly CudaArray[],
    inPlace: readonly CudaArray[] = [],
  ): void {
    this.guard(operation, () =>
      this.addon.run(operation, inputs, inPlace, outputs, Float64Array.from(numbers)),
    );
  }

  guard<T>(during: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      if (typeof code !== 'string' || !Object.hasOwn(REMEDIES, code)) throw error;
      const what = code === 'cuda.memory' ? 'The device has no room.' : 'The device failed.';
      throw new RuntimeError(code, what, { during, cause: message }, REMEDIES[code]);
    }
  }
}

/** @throws RuntimeError `cuda.int8`: matrices are held as the checkpoint has them. */
export function asStored(weight: LinearWeight): Weight {
  if (weight.dtype !== 'i8') return weight;
  const values = { tensor: weight.name };
  const remedy = 'Use `--weights stored`, or the cpu engine.';
  throw new RuntimeError('cuda.int8', 'The CUDA kernels have no int8 weights.', values, remedy);
}

let opened: CudaDevice | string | null = null;

/** Opens library and device once per thread. @returns the device, or the reason why there is none */
export function openCudaDevice(): CudaDevice | string {
  if (opened !== null) return opened;
  const addon = loadCudaAddon();
  if (typeof addon === 'string') return (opened = addon);
  try {
    opened = new CudaDevice(addon);
  } catch (error) {
    const { message, values } = error as RuntimeError;
    opened = values?.cause === undefined ? message : String(values.cause);
  }
  return opened;
}
