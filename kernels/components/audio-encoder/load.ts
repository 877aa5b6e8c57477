import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { type AudioEncoder, audioEncoderOf } from './audio-encoder.ts';
import { readAudioEncoderConfig } from './config.ts';
import { DeviceAudioEncoder, type DeviceEncoderOptions } from './device-audio-encoder.ts';

/**
 * Loads `audio/` of a model directory.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadAudioEncoder(ops: Ops, modelDirectory: string): AudioEncoder {
  return audioEncoderOf(ops, modelDirectory, readAudioEncoderConfig(modelDirectory));
}

/** @throws RuntimeError `config.*` | `weights.*` | `cuda.*` */
export function loadEncoderOnDevice(
  ops: Ops,
  modelDirectory: string,
  device: CudaDevice,
  options?: DeviceEncoderOptions,
): DeviceAudioEncoder {
  return new DeviceAudioEncoder(ops, modelDirectory, readAudioEncoderConfig(modelDirectory), device, options);
}
