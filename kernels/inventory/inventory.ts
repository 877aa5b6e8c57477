import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAudioEncoderConfig } from '../components/audio-encoder/config.ts';
import { readGanDecoderConfig, readSpeechTokenizerConfig } from '../components/codec-config.ts';
import type { LanguageModelConfig } from '../components/language-model/config.ts';
import { modelSize, readLanguageModelConfig } from '../components/language-model/index.ts';
import { cacheTypeFor } from '../components/language-model/latent-cache.ts';
import { readVisionKeys } from '../components/vision-encoder/config.ts';
import { openWeightDirectory, openWeightFile, type Weights } from '../weights/index.ts';
import { type TensorComparison, compareTensors, type Expected } from './compare.ts';
import * as expected from './expected.ts';
import { loadedBytes } from './memory.ts';

/** One component of a model directory, from configuration and headers alone. */
export interface ComponentInventory {
  readonly component: string;
  /** Why nothing can be said of it, or null. */
  readonly refused: Error | null;
  readonly tensors: number;
  /** In the files. */
  readonly storedBytes: number;
  /** Once loaded. */
  readonly memoryBytes: number;
  readonly comparison: TensorComparison;
  /** Of the language model: cache of one position. */
  readonly cacheBytesPerPosition?: number;
  readonly maxPositions?: number;
  /** The tables of what it reads, once loaded: all that is needed where another server makes its replies. */
  readonly tableBytes?: number;
}

/** One file, or several shards, and what is expected of it. */
interface Part {
  readonly open: () => Weights;
  readonly expect: (weights: Weights) => Expected;
}

const TEXT_TABLE = 'model.embed_tokens.weight';
const NOTHING: TensorComparison = { missing: [], misshapen: [], mistyped: [], surplus: [], misnamed: [] };

/** All components that have a configuration there. */
export function inventoryOf(directory: string, matrices: 'stored' | 'int8' = 'stored'): ComponentInventory[] {
  const at = (...path: string[]) => join(directory, ...path);
  const has = (...path: string[]) => existsSync(at(...path));
  const file =
    (...path: string[]) =>
    () =>
      openWeightFile(at(...path));
  const of: ComponentInventory[] = [languageModel(directory, matrices)];
  if (has('audio', 'config.json'))
    of.push(
      examine('audio encoder', () => {
        const { network } = readAudioEncoderConfig(directory);
        return [
          {
            open: file('audio', 'audio_encoder.safetensors'),
            expect: () => expected.expectedAudioEncoder(network),
          },
          {
            open: file('audio', 'audio_projector.safetensors'),
            expect: () => expected.expectedAudioProjector(network),
          },
        ];
      }),
    );
  if (has('vision', 'config.json'))
    of.push(
      examine('vision encoder', () => {
        const keys = readVisionKeys(directory);
        return [
          {
            open: file('vision', 'vision_model.safetensors'),
            expect: () => expected.expectedVisionModel(keys),
          },
          {
            open: file('vision', 'vision_projector.safetensors'),
            expect: () => expected.expectedVisionProjector(keys),
          },
        ];
      }),
    );
  if (has('audio_codec', 'config.json')) of.push(decoder(directory), tokenizer(directory));
  return of;
}

const decoder = (directory: string): ComponentInventory =>
  examine('audio decoder', () => {
    const config = readGanDecoderConfig(directory);
    const open = () => openWeightFile(join(directory, 'audio_codec', config.ckpt_path));
    return [{ open, expect: () => expected.expectedDecoder(config) }];
  });

const tokenizer = (directory: string): ComponentInventory =>
  examine('speech tokenizer', () => {
    const config = readSpeechTokenizerConfig(directory);
    const open = () => openWeightFile(join(directory, 'audio_codec', config.codec_config.ckpt_path));
    return [{ open, expect: () => expected.expectedEncoder(config) }];
  });

function languageModel(directory: string, matrices: 'stored' | 'int8'): ComponentInventory {
  const inventory = examine('language model', () => languageModelParts(directory), matrices);
  if (inventory.refused) return inventory;
  const config = readLanguageModelConfig(directory);
  const { cacheBytesPerPosition } = modelSize(config);
  const { layers, kvRank, rope, maxPositions } = config;
  const factor = cacheTypeFor(2 * layers, kvRank + rope, maxPositions) === 'f32' ? 2 : 1;
  return {
    ...inventory,
    cacheBytesPerPosition: factor * cacheBytesPerPosition,
    maxPositions,
    tableBytes: tableBytes(directory, config),
  };
}

/** As they are loaded: the text table as it is stored, of codes the same. */
function tableBytes(directory: string, { hidden, vocabSize }: LanguageModelConfig): number {
  const text = openWeightDirectory(directory, name => name === TEXT_TABLE);
  try {
    const width = text.has(TEXT_TABLE) && text.typeOf(TEXT_TABLE) === 'F32' ? 4 : 2;
    const path = join(directory, 'audio', 'audio_embeddings.safetensors');
    return vocabSize * hidden * width + (existsSync(path) ? fileBytes(path) : 0);
  } finally {
    text.close();
  }
}

function fileBytes(path: string): number {
  const weights = openWeightFile(path);
  try {
    return weights.bytes();
  } finally {
    weights.close();
  }
}

function languageModelParts(directory: string): Part[] {
  const config = readLanguageModelConfig(directory);
  const parts: Part[] = [
    {
      open: () => openWeightDirectory(directory),
      expect: weights => expected.expectedBackbone(config, weights),
    },
  ];
  for (const [stem, tensor, expect] of [
    ['audio_embeddings', 'audio_embeddings.0.weight', expected.expectedCodeTables],
    ['audio_output_layers', 'audio_output_layers.0.weight', expected.expectedCodeHeads],
  ] as const) {
    const path = join(directory, 'audio', `${stem}.safetensors`);
    if (!existsSync(path)) continue;
    const entries = (weights: Weights) => (weights.has(tensor) ? weights.shapeOf(tensor)[0] : 1);
    parts.push({
      open: () => openWeightFile(path),
      expect: weights => expect(config.hidden, entries(weights)),
    });
  }
  return parts;
}

function examine(
  component: string,
  partsOf: () => Part[],
  matrices: 'stored' | 'int8' = 'stored',
): ComponentInventory {
  const totals = { tensors: 0, storedBytes: 0, memoryBytes: 0 };
  const found: TensorComparison[] = [];
  try {
    for (const { open, expect } of partsOf()) {
      const weights = open();
      try {
        const wanted = expect(weights);
        found.push(compareTensors(weights, wanted));
        totals.tensors += weights.names().length;
        totals.storedBytes += weights.bytes();
        totals.memoryBytes += loadedBytes(weights, wanted, matrices);
      } finally {
        weights.close();
      }
    }
  } catch (error) {
    return { component, refused: error as Error, ...totals, comparison: NOTHING };
  }
  const all = <K extends keyof TensorComparison>(key: K) =>
    found.flatMap(each => each[key] as unknown[]) as never;
  const comparison: TensorComparison = {
    missing: all('missing'),
    misshapen: all('misshapen'),
    mistyped: all('mistyped'),
    surplus: all('surplus'),
    misnamed: all('misnamed'),
  };
  return { component, refused: null, ...totals, comparison };
}
