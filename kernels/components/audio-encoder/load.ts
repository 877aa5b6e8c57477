import type { Ops } from '../../ops.ts';
import { type AudioEncoder, audioEncoderOf } from './audio-encoder.ts';
import { readAudioEncoderConfig } from './config.ts';

/**
 * Loads `audio/` of a model directory.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadAudioEncoder(ops: Ops, modelDirectory: string): AudioEncoder {
  return audioEncoderOf(ops, modelDirectory, readAudioEncoderConfig(modelDirectory));
}
