import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CodebookHeads } from '../../codebook-heads/index.ts';
import type { Embedding } from '../../embedding/index.ts';
import { CODEBOOKS } from '../../engine/positions.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { readSpecialTokens } from '../../tokenizer/index.ts';
import { openWeightDirectory, openWeightFile, type Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import { type LanguageModelConfig, readLanguageModelConfig } from './config.ts';
import { DecoderLayer } from './decoder-layer.ts';
import type { EmbeddingTables } from './embedding.ts';
import type { ExpertPlan } from './mixture.ts';

/** Everything read from a model directory, ready to compute. */
export interface LanguageModelParts {
  readonly config: LanguageModelConfig;
  readonly ops: Ops;
  readonly workspace: Workspace;
  readonly embedding: EmbeddingTables;
  readonly embed: Embedding;
  readonly layers: readonly DecoderLayer[];
  readonly finalNorm: Float32Array;
  readonly textHead: Linear;
  /** null in a text-only directory. */
  readonly codeHeads: CodebookHeads | null;
}

const WITHOUT_RANKS: ExpertPlan = { ranks: null };

/**
 * An unmodified Hugging Face LongCat-Flash directory; the omni side files under `audio/` are optional (docs/spec/model.md §11).
 * @throws RuntimeError `config.*` | `weights.*`
 */
export function loadParts(directory: string, ops: Ops, plan: ExpertPlan = WITHOUT_RANKS): LanguageModelParts {
  const config = readLanguageModelConfig(directory);
  const { hidden, vocabSize, layers } = config;
  const weights = openWeightDirectory(directory);
  const workspace = new Workspace();
  try {
    const textTable = weights.tensor('model.embed_tokens.weight', [vocabSize, hidden]);
    const headWeight = config.tiedEmbeddings
      ? textTable
      : weights.tensor('lm_head.weight', [vocabSize, hidden]);
    const embedding = {
      hidden,
      text: textTable.toFloat32(),
      codes: readCodeTables(directory, hidden),
      tokens: readSpecialTokens(directory),
    };
    return {
      config,
      ops,
      workspace,
      embedding,
      embed: ops.embedding([embedding.text, ...embedding.codes], hidden),
      layers: Array.from(
        { length: layers },
        (_, layer) => new DecoderLayer(weights, layer, config, ops, plan, workspace),
      ),
      finalNorm: weights.floats('model.norm.weight', [hidden]),
      textHead: ops.linear(headWeight, null),
      codeHeads: readCodeHeads(directory, hidden, ops),
    };
  } finally {
    weights.close();
  }
}

function readCodeTables(directory: string, hidden: number): Float32Array[] {
  return (
    fromSideFile(directory, 'audio_embeddings', weights => {
      const [size] = weights.shapeOf('audio_embeddings.0.weight');
      return Array.from({ length: CODEBOOKS }, (_, i) =>
        weights.floats(`audio_embeddings.${i}.weight`, [size, hidden]),
      );
    }) ?? []
  );
}

function readCodeHeads(directory: string, hidden: number, ops: Ops): CodebookHeads | null {
  return fromSideFile(directory, 'audio_output_layers', weights => {
    const [size] = weights.shapeOf('audio_output_layers.0.weight');
    const read = (stem: string, count: number) =>
      Array.from({ length: count }, (_, i) => weights.tensor(`${stem}.${i}.weight`, [size, hidden]));
    return ops.codebookHeads(read('audio_output_layers', CODEBOOKS), read('embedding', CODEBOOKS - 1));
  });
}

function fromSideFile<T>(directory: string, stem: string, read: (weights: Weights) => T): T | null {
  const path = join(directory, 'audio', `${stem}.safetensors`);
  if (!existsSync(path)) return null;
  const weights = openWeightFile(path);
  try {
    return read(weights);
  } finally {
    weights.close();
  }
}
