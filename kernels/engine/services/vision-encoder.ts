import type { VisionConfig } from '../../components/vision-encoder/config.ts';
import { visionEncoderOf } from '../../components/vision-encoder/vision-encoder.ts';
import type { VisionEncoderAnswer, VisionEncoderWork } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

export function loadService({
  kind,
  ops = opsOf(kind),
  modelDirectory,
  setup,
}: ServiceOptions<VisionConfig>): Service<VisionEncoderWork, VisionEncoderAnswer> {
  return visionEncoderOf(ops, modelDirectory, setup);
}
