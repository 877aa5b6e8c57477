import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Weight, writeSafetensors } from '../weights/index.ts';
import { audioEncoderWeights, audioProjectorWeights } from './audio-encoder.ts';
import { decoderWeights, encoderWeights } from './codec.ts';
import { type Dimensions, nanoDimensions, preprocessor } from './dimensions.ts';
import { backboneWeights, codeEmbeddings, codeHeads } from './language-model.ts';
import { visionModelWeights, visionProjectorWeights } from './vision-encoder.ts';
import { buildVocabulary } from './vocabulary.ts';

interface CheckpointOptions {
  /** Same seed and dimensions, same bytes. */
  readonly seed: number;
  readonly dimensions?: Dimensions;
}

/**
 * Writes a complete model directory (docs/spec/model.md §11) with random weights: everything runs, nothing it says
 * means anything. The directory appears whole or not at all; an existing one is replaced.
 */
export function writeSeededCheckpoint(
  directory: string,
  { seed, dimensions = nanoDimensions }: CheckpointOptions,
): void {
  const draft = `${directory}.${process.pid}.draft`;
  rmSync(draft, { recursive: true, force: true });
  for (const part of ['audio', 'vision', 'audio_codec']) mkdirSync(join(draft, part), { recursive: true });
  const vocabulary = buildVocabulary(dimensions.languageModel.vocab_size);

  const files: Record<string, object> = {
    'config.json': dimensions.languageModel,
    'tokenizer.json': vocabulary.tokenizer,
    'audio/config.json': dimensions.audioEncoder,
    'audio/preprocessor_config.json': preprocessor,
    'audio/global_cmvn.json': speechStatistics(),
    'vision/config.json': dimensions.vision,
    'audio_codec/config.json': dimensions.codec,
    'audio_codec/encoder_cmvn.json': speechStatistics(),
  };
  const weights: Record<string, Weight[]> = {
    model: backboneWeights(dimensions, vocabulary, seed),
    'audio/audio_embeddings': codeEmbeddings(dimensions, seed),
    'audio/audio_output_layers': codeHeads(dimensions, seed),
    'audio/audio_encoder': audioEncoderWeights(dimensions, seed),
    'audio/audio_projector': audioProjectorWeights(dimensions, seed),
    'vision/vision_model': visionModelWeights(dimensions, seed),
    'vision/vision_projector': visionProjectorWeights(dimensions, seed),
    'audio_codec/decoder': decoderWeights(dimensions, seed),
    'audio_codec/encoder': encoderWeights(dimensions, seed),
  };
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(join(draft, path), `${JSON.stringify(content, null, 1)}\n`);
  }
  for (const [path, tensors] of Object.entries(weights)) {
    writeSafetensors(join(draft, `${path}.safetensors`), tensors, { format: 'pt', seed: String(seed) });
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(draft, directory);
}

/** Statistics as speech at ordinary level gives them: log energies fall from low to high bands, spread 3.5. */
function speechStatistics(): { stats: [number[], number[]] } {
  const count = 1000;
  const means = Array.from({ length: preprocessor.fbank.num_mel_bins }, (_, band) => 14 - band / 20);
  const variance = 3.5 ** 2;
  const sums = means.map(mean => mean * count);
  const squares = means.map(mean => (variance + mean * mean) * count);
  return {
    stats: [
      [...sums, count],
      [...squares, 0],
    ],
  };
}
