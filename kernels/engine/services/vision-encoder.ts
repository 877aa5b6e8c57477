import type { VisionConfig } from '../../components/vision-encoder/config.ts';
import { visionEncoderOf } from '../../components/vision-encoder/vision-encoder.ts';
import type { RgbImage, VisionEncoderAnswer, VisionEncoderWork } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

export function loadService({
  kind,
  ops = opsOf(kind),
  modelDirectory,
  setup,
}: ServiceOptions<VisionConfig>): Service<VisionEncoderWork<RgbImage>, VisionEncoderAnswer> {
  return visionEncoderOf(ops, modelDirectory, setup);
}
