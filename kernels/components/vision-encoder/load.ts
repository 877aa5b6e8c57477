import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { readVisionConfig } from './config.ts';
import { DeviceVisionEncoder, type DeviceVisionOptions } from './device-vision-encoder.ts';
import { type VisionEncoder, visionEncoderOf } from './vision-encoder.ts';

/**
 * Loads `vision/` of a model directory.
 * @throws RuntimeError `config.*` | `vision.config` | `weights.*`
 */
export function loadVisionEncoder(ops: Ops, modelDirectory: string): VisionEncoder {
  return visionEncoderOf(ops, modelDirectory, readVisionConfig(modelDirectory));
}

/** @throws RuntimeError `config.*` | `vision.config` | `weights.*` | `cuda.*` */
export function loadVisionOnDevice(
  ops: Ops,
  modelDirectory: string,
  device: CudaDevice,
  options?: DeviceVisionOptions,
): DeviceVisionEncoder {
  return new DeviceVisionEncoder(ops, modelDirectory, readVisionConfig(modelDirectory), device, options);
}
