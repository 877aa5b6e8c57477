import type { Ops } from '../../ops.ts';
import { readVisionConfig } from './config.ts';
import { type VisionEncoder, visionEncoderOf } from './vision-encoder.ts';

/**
 * Loads `vision/` of a model directory.
 * @throws RuntimeError `config.*` | `vision.config` | `weights.*`
 */
export function loadVisionEncoder(ops: Ops, modelDirectory: string): VisionEncoder {
  return visionEncoderOf(ops, modelDirectory, readVisionConfig(modelDirectory));
}
