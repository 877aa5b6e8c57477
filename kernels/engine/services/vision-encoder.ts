import type { VisionConfig } from '../../components/vision-encoder/config.ts';
import { DeviceVisionEncoder } from '../../components/vision-encoder/device-vision-encoder.ts';
import { visionEncoderOf } from '../../components/vision-encoder/vision-encoder.ts';
import type { RgbImage, VisionEncoderAnswer, VisionEncoderWork } from '../engine.ts';
import { cudaDevice, opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

export function loadService({
  kind,
  ops,
  modelDirectory,
  setup,
}: ServiceOptions<VisionConfig>): Service<VisionEncoderWork<RgbImage>, VisionEncoderAnswer> {
  return kind === 'cuda' && !ops
    ? new DeviceVisionEncoder(opsOf('auto'), modelDirectory, setup, cudaDevice())
    : visionEncoderOf(ops ?? opsOf(kind), modelDirectory, setup);
}
