import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { readGanDecoderConfig } from '../codec-config.ts';
import { DeviceGanDecoder, type DeviceDecoderOptions } from './device-gan-decoder.ts';
import { type GanDecoder, ganDecoderOf } from './gan-decoder.ts';

/**
 * Loads the decoder of `audio_codec/`.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadGanDecoder(ops: Ops, modelDirectory: string): GanDecoder {
  return ganDecoderOf(ops, modelDirectory, readGanDecoderConfig(modelDirectory));
}

/** @throws RuntimeError `config.*` | `weights.*` | `cuda.*` */
export function loadDecoderOnDevice(
  modelDirectory: string,
  device: CudaDevice,
  options?: DeviceDecoderOptions,
): DeviceGanDecoder {
  return new DeviceGanDecoder(modelDirectory, readGanDecoderConfig(modelDirectory), device, options);
}
