import { loadVisionEncoder } from '../../components/vision-encoder/index.ts';
import type { VisionEncoderAnswer, VisionEncoderWork } from '../engine.ts';
import { opsOfKind } from '../ops-of-kind.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';

export const streamOf = (): null => null;

export function loadService(options: ServiceOptions): Service<VisionEncoderWork, VisionEncoderAnswer> {
  return loadVisionEncoder(opsOfKind(options.kind), options.modelDirectory);
}
