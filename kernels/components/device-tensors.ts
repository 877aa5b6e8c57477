import type { CudaComponentHandle } from '../native/cuda/addon.ts';
import type { CudaDevice } from '../native/cuda/device.ts';
import type { Weight } from '../weights/index.ts';

/** A tensor that is made of those of a checkpoint when it is loaded. */
interface MadeTensor {
  readonly elements: number;
  make(): Float32Array;
}

/** A tensor for the device: bfloat16 stays so, all else becomes floats. */
export type DeviceTensor = Weight | Float32Array | MadeTensor;

/** Memory on the device is handed out in pieces of this (memory.h). */
const ALIGNMENT = 256;
export const roundedBytes = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** What tensors take on the device; none is read. */
export function bytesOfTensors(tensors: Iterable<DeviceTensor>): number {
  let bytes = 0;
  for (const tensor of tensors)
    bytes += roundedBytes(elementsOf(tensor) * (isHeldAsBfloat16(tensor) ? 2 : 4));
  return bytes;
}

/**
 * Brings tensors to the device one after the other, so that the host never holds more than one of them.
 * @returns the bytes that are planned for the component there
 */
export function loadTensors(
  device: CudaDevice,
  component: CudaComponentHandle,
  tensors: Iterable<DeviceTensor>,
): number {
  for (const tensor of tensors)
    device.guard('loading weights', () => device.addon.loadWeight(component, valuesOf(tensor)));
  return device.guard('loading weights', () => device.addon.finishLoading(component));
}

const isMade = (tensor: DeviceTensor): tensor is MadeTensor => 'make' in tensor;

const isHeldAsBfloat16 = (tensor: DeviceTensor): boolean => 'dtype' in tensor && tensor.dtype === 'bf16';

function elementsOf(tensor: DeviceTensor): number {
  if (tensor instanceof Float32Array) return tensor.length;
  if (isMade(tensor)) return tensor.elements;
  return tensor.shape.reduce((product, size) => product * size, 1);
}

function valuesOf(tensor: DeviceTensor): Float32Array | Uint16Array {
  if (tensor instanceof Float32Array) return tensor;
  if (isMade(tensor)) return tensor.make();
  return isHeldAsBfloat16(tensor) ? (tensor.data as Uint16Array) : tensor.toFloat32();
}
