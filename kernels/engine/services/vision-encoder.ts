import { loadVisionEncoder } from '../../components/vision-encoder/index.ts';
import type { VisionEncoderAnswer, VisionEncoderWork } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

export function loadService({
  kind,
  ops = opsOf(kind),
  modelDirectory,
}: ServiceOptions): Service<VisionEncoderWork, VisionEncoderAnswer> {
  return loadVisionEncoder(ops, modelDirectory);
}
