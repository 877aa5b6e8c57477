import type { Embedding } from '../../embedding/index.ts';
import { CODEBOOKS, type Positions } from '../../engine/positions.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import { openWeightDirectory } from '../../weights/index.ts';
import { readLanguageModelSetup } from './config.ts';
import { checkPositions, type EmbeddingTables, embeddingIds, placeFeatures } from './embedding.ts';
import { readCodeTables } from './parts.ts';

/** The text table by name: the one tensor of the backbone that is read. */
const TEXT_TABLE = 'model.embed_tokens.weight';

/**
 * What the language model reads of its positions (docs/spec/model.md §1.6), without the language model: for a server
 * that takes finished vectors. Needs `config.json`, the text table and, in a model that speaks,
 * `audio/audio_embeddings.safetensors`.
 */
export class Embedder {
  readonly hidden: number;
  readonly vocabSize: number;
  /** 0 in a text-only model. */
  readonly codeVocabSize: number;
  readonly maxPositions: number;
  /** Ids of positions that take a feature vector. */
  readonly pads: EmbeddingTables['tokens'];
  readonly #tables: EmbeddingTables;
  readonly #embed: Embedding;
  #ids = new Int32Array(0);

  private constructor(tables: EmbeddingTables, embed: Embedding, maxPositions: number) {
    this.hidden = tables.hidden;
    this.vocabSize = tables.vocabSize;
    this.codeVocabSize = tables.codeVocabSize;
    this.pads = tables.tokens;
    this.maxPositions = maxPositions;
    this.#tables = tables;
    this.#embed = embed;
  }

  /** @throws RuntimeError `config.*` | `tokenizer.*` | `weights.*` */
  static load(directory: string, ops: Ops): Embedder {
    const { config, tokens } = readLanguageModelSetup(directory);
    const { hidden, vocabSize, maxPositions } = config;
    const weights = openWeightDirectory(directory, name => name === TEXT_TABLE);
    try {
      const text = weights.matrix(TEXT_TABLE, [vocabSize, hidden]);
      const codes = readCodeTables(directory, hidden);
      const codeVocabSize = codes[0]?.shape[0] ?? 0;
      const tables = { hidden, vocabSize, codeVocabSize, tokens };
      return new Embedder(tables, ops.embedding([text, ...codes], hidden), maxPositions);
    } finally {
      weights.close();
    }
  }

  /** @throws RuntimeError `language-model.ids` | `language-model.features` */
  check(positions: Positions): void {
    checkPositions(positions, this.#tables);
  }

  /** @param positions checked @returns [n × hidden] */
  vectors(positions: Positions): Float32Array {
    const rows = positions.textIds.length;
    const places = rows * (this.#tables.codeVocabSize > 0 ? 1 + CODEBOOKS : 1);
    if (this.#ids.length < places) this.#ids = new Int32Array(places);
    const vectors = new Float32Array(rows * this.hidden);
    embeddingIds(positions, this.#tables, this.#ids, 0);
    this.#embed.apply(this.#ids, rows, vectors);
    if (positions.features.length > 0) placeFeatures(positions, this.#tables, hostMemory, vectors, 0);
    return vectors;
  }
}
