import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CodebookHeads } from '../../codebook-heads/index.ts';
import type { Embedding } from '../../embedding/index.ts';
import { CODEBOOKS } from '../../engine/positions.ts';
import { RuntimeError } from '../../errors.ts';
import {
  compareTensors,
  type Expected,
  refuseMismatch,
  type TensorComparison,
} from '../../inventory/compare.ts';
import { expectedBackbone } from '../../inventory/expected.ts';
import { loadedBytes, machineMemoryBytes, refuseTooLarge } from '../../inventory/memory.ts';
import type { CachePage } from '../../latent-attention/index.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { openWeightDirectory, openWeightFile, type Weight, type Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { LanguageModelConfig, LanguageModelSetup } from './config.ts';
import { DecoderLayer } from './decoder-layer.ts';
import type { EmbeddingTables } from './embedding.ts';
import type { ExpertPlan } from './mixture.ts';

/** Everything read from a model directory, ready to compute. */
export interface LanguageModelParts<T = Float32Array, Page = CachePage> {
  readonly config: LanguageModelConfig;
  readonly ops: Ops<T, Page>;
  readonly workspace: Workspace<T>;
  readonly embedding: EmbeddingTables;
  readonly embed: Embedding<T>;
  readonly layers: readonly DecoderLayer<T, Page>[];
  readonly finalNorm: T;
  readonly textHead: Linear<T>;
  /** null in a text-only directory. */
  readonly codeHeads: CodebookHeads<T> | null;
}

/** What is checked before anything is loaded. */
export interface LoadLimits {
  /** How the operations hold matrices. */
  readonly storage?: 'stored' | 'int8';
  /** What there is; default: this machine's. */
  readonly memoryBytes?: number;
}

/**
 * An unmodified Hugging Face LongCat-Flash directory; the omni side files under `audio/` are optional
 * (docs/spec/model.md §11). All names, shapes and types are checked first, and that the weights fit into the memory.
 *
 * @throws RuntimeError `weights.*`
 */
export function loadParts<T, Page>(
  directory: string,
  { config, tokens }: LanguageModelSetup,
  ops: Ops<T, Page>,
  plan: ExpertPlan<T> = { ranks: null },
  { storage = 'stored', memoryBytes = machineMemoryBytes() }: LoadLimits = {},
): LanguageModelParts<T, Page> {
  const { hidden, vocabSize, layers } = config;
  const weights = openWeightDirectory(directory);
  const workspace = new Workspace<T>(ops.memory);
  try {
    const expected = checkBackbone(weights, config);
    refuseTooLarge(directory, loadedBytes(weights, expected, storage), memoryBytes);
    const textTable = weights.matrix('model.embed_tokens.weight', [vocabSize, hidden]);
    const headWeight = config.tiedEmbeddings
      ? textTable
      : weights.matrix('lm_head.weight', [vocabSize, hidden]);
    const codes = readCodeTables(directory, hidden);
    const embedding = { hidden, vocabSize, codeVocabSize: codes[0]?.shape[0] ?? 0, tokens };
    return {
      config,
      ops,
      workspace,
      embedding,
      embed: ops.embedding([textTable, ...codes], hidden),
      layers: Array.from(
        { length: layers },
        (_, layer) => new DecoderLayer(weights, layer, config, ops, plan, workspace),
      ),
      finalNorm: ops.memory.hold(weights.floats('model.norm.weight', [hidden])),
      textHead: ops.linear(headWeight, null),
      codeHeads: readCodeHeads(directory, hidden, ops),
    };
  } finally {
    weights.close();
  }
}

/** All names, shapes and types of the backbone. @throws RuntimeError `weights.*` */
export function checkBackbone(weights: Weights, config: LanguageModelConfig): Expected {
  const expected = expectedBackbone(config, weights);
  const comparison = compareTensors(weights, expected);
  refuseMismatch(weights, comparison);
  refuseSurplusLayers(weights, comparison, config);
  return expected;
}

const LAYER_OR_EXPERT = /^model\.layers\.(\d+)\.(?:mlp\.experts\.(\d+)\.)?/;

/** Other tensors that nobody reads do no harm; a layer or an expert left out makes another model. */
function refuseSurplusLayers(
  weights: Weights,
  { surplus }: TensorComparison,
  { layers, routedExperts }: LanguageModelConfig,
): void {
  const left = surplus.filter(name => {
    const [, layer, expert] = LAYER_OR_EXPERT.exec(name) ?? [];
    return layer !== undefined && (Number(layer) >= layers || Number(expert ?? 0) >= routedExperts);
  });
  if (left.length === 0) return;
  throw new RuntimeError(
    'weights.surplus',
    'The weights have more layers or experts than the configuration says.',
    {
      file: weights.source,
      tensor: left[0],
      tensors: left.length,
      num_layers: layers,
      n_routed_experts: routedExperts,
    },
    'Use the config.json that belongs to the weights.',
  );
}

export function readCodeTables(directory: string, hidden: number): Weight[] {
  return (
    fromSideFile(directory, 'audio_embeddings', weights => {
      const [size] = weights.shapeOf('audio_embeddings.0.weight');
      return Array.from({ length: CODEBOOKS }, (_, i) =>
        weights.tensor(`audio_embeddings.${i}.weight`, [size, hidden]),
      );
    }) ?? []
  );
}

function readCodeHeads<T>(
  directory: string,
  hidden: number,
  ops: Pick<Ops<T, unknown>, 'codebookHeads'>,
): CodebookHeads<T> | null {
  const weights = readCodeHeadWeights(directory, hidden);
  return weights && ops.codebookHeads(weights.heads, weights.cascade);
}

interface CodeHeadWeights {
  readonly heads: readonly Weight[];
  readonly cascade: readonly Weight[];
}

export function readCodeHeadWeights(directory: string, hidden: number): CodeHeadWeights | null {
  return fromSideFile(directory, 'audio_output_layers', weights => {
    const [size] = weights.shapeOf('audio_output_layers.0.weight');
    const read = (stem: string, count: number) =>
      Array.from({ length: count }, (_, i) => weights.tensor(`${stem}.${i}.weight`, [size, hidden]));
    return { heads: read('audio_output_layers', CODEBOOKS), cascade: read('embedding', CODEBOOKS - 1) };
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
