import type { LanguageModelConfig } from './config.ts';

interface ModelSize {
  /** All parameters of the backbone, both embeddings included. */
  readonly parameters: number;
  /**
   * Layers and output head, without the input embedding, with `activeExperts` real experts (docs/spec/model.md §0.2).
   */
  readonly activated: number;
  /** Bytes of KV cache per position in bf16. */
  readonly cacheBytesPerPosition: number;
}

/** @param activeExperts real experts a token goes to, on average */
export function modelSize(config: LanguageModelConfig, activeExperts = config.topK): ModelSize {
  const { hidden, layers, heads, qRank, kvRank, nope, rope, value, vocabSize } = config;
  const query = hidden * qRank + qRank + qRank * heads * (nope + rope);
  const keyValue = hidden * (kvRank + rope) + kvRank + kvRank * heads * (nope + value);
  const attention = query + keyValue + heads * value * hidden;
  const router = (config.routedExperts + config.identityExperts) * (hidden + 1);
  const expert = 3 * hidden * config.expertFfn;
  const layer = 2 * attention + 2 * 3 * hidden * config.ffn + 4 * hidden + router;
  const embedding = vocabSize * hidden;
  const dense = layers * layer + hidden;

  return {
    parameters: dense + layers * config.routedExperts * expert + (config.tiedEmbeddings ? 1 : 2) * embedding,
    activated: dense + layers * activeExperts * expert + embedding,
    cacheBytesPerPosition: 2 * layers * (kvRank + rope) * 2,
  };
}
