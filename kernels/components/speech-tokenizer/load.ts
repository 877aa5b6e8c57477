import { join } from 'node:path';
import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { readSpeechTokenizerConfig } from '../codec-config.ts';
import { fbankOptions, readCmvnStatistics } from '../feature-config.ts';
import { DeviceSpeechTokenizer, type DeviceTokenizerOptions } from './device-speech-tokenizer.ts';
import { type SpeechTokenizer, type SpeechTokenizerSetup, speechTokenizerOf } from './speech-tokenizer.ts';

/** The codec's features are taken at this range, the audio encoder's at 32768 (docs/spec/model.md §4.2, §3.1). */
const SAMPLE_SCALE = 32767;

/** @throws RuntimeError `config.*`, naming file and key */
export function readSpeechTokenizerSetup(modelDirectory: string): SpeechTokenizerSetup {
  const config = readSpeechTokenizerConfig(modelDirectory);
  const { feature } = config.semantic_tokenizer;
  const features = fbankOptions(feature.fbank, SAMPLE_SCALE);
  const path = join(modelDirectory, 'audio_codec', feature.cmvn_file);
  return { config, features, statistics: readCmvnStatistics(path, features.bins) };
}

/**
 * Loads the encoder of `audio_codec/`.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadSpeechTokenizer(ops: Ops, modelDirectory: string): SpeechTokenizer {
  return speechTokenizerOf(ops, modelDirectory, readSpeechTokenizerSetup(modelDirectory));
}

/** @throws RuntimeError `config.*` | `weights.*` | `cuda.*` */
export function loadTokenizerOnDevice(
  ops: Ops,
  modelDirectory: string,
  device: CudaDevice,
  options?: DeviceTokenizerOptions,
): DeviceSpeechTokenizer {
  const setup = readSpeechTokenizerSetup(modelDirectory);
  return new DeviceSpeechTokenizer(ops, modelDirectory, setup, device, options);
}
