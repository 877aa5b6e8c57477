import { NO_ROW } from '../../embedding/index.ts';
import { CODE_PAD, CODEBOOKS, type Positions } from '../../engine/positions.ts';
import { RuntimeError } from '../../errors.ts';
import type { TensorMemory } from '../../tensor-memory.ts';

export interface EmbeddingTables {
  readonly hidden: number;
  readonly vocabSize: number;
  /** Entries of each of the four tables of codes; 0 in a text-only model. */
  readonly codeVocabSize: number;
  readonly tokens: { readonly pad: number; readonly audioPad: number; readonly imagePad: number };
}

/**
 * Table rows of LLM positions (docs/spec/model.md §1.6), per position the text row, then those of the four codes; what
 * counts is their sum, or a feature vector in its place (`placeFeatures`).
 *
 * Prompt rule: text row unless pad or absent, plus the rows of codes that are neither pad nor absent; a position of
 * pads only is the text pad row; `<|audio_pad|>` and `<|image_pad|>` take the next feature vector instead.
 * Decode rule: every id that is not absent adds its row, whatever it is.
 *
 * @param positions checked
 * @param ids [≥ n × tables], filled from position `first` on
 */
export function embeddingIds(
  positions: Positions,
  tables: EmbeddingTables,
  ids: Int32Array,
  first: number,
): void {
  const { textIds, codes } = positions;
  const codeTables = tables.codeVocabSize > 0 ? CODEBOOKS : 0;
  for (let n = 0; n < textIds.length; n++) {
    const to = (first + n) * (1 + codeTables);
    const isText = !isFeature(textIds[n], positions, tables);
    ids[to] = isText && hasText(n, positions, tables) ? textIds[n] : NO_ROW;
    for (let i = 0; i < codeTables; i++) {
      const code = codes[n * CODEBOOKS + i];
      ids[to + 1 + i] = isText && hasCode(code, positions) ? code : NO_ROW;
    }
  }
}

/** Per position its feature vector, counted from the first one, or −1. */
export function featureRows(positions: Positions, tables: EmbeddingTables): Int32Array {
  let next = 0;
  return positions.textIds.map(id => (isFeature(id, positions, tables) ? next++ : -1));
}

/** Feature vectors to where their pads are; row `first` of `out` is the first position's. */
export function placeFeatures<T>(
  positions: Positions,
  tables: EmbeddingTables,
  memory: Pick<TensorMemory<T, unknown>, 'write'>,
  out: T,
  first: number,
): void {
  const { textIds, features } = positions;
  const { hidden } = tables;
  for (let n = 0, from = 0; from < features.length; n++) {
    if (!isFeature(textIds[n], positions, tables)) continue;
    memory.write(out, (first + n) * hidden, features.subarray(from, from + hidden));
    from += hidden;
  }
}

function idError(what: string, values: Record<string, unknown>): RuntimeError {
  return new RuntimeError('language-model.ids', what, values);
}

function isFeature(text: number, { rule }: Positions, { tokens }: EmbeddingTables): boolean {
  return rule !== 'decode' && (text === tokens.audioPad || text === tokens.imagePad);
}

function hasCode(code: number, { rule }: Positions): boolean {
  return code >= 0 && (rule === 'decode' || code !== CODE_PAD);
}

function hasText(n: number, { textIds, codes, rule }: Positions, { tokens }: EmbeddingTables): boolean {
  if (textIds[n] < 0) return false;
  if (textIds[n] !== tokens.pad || rule === 'decode') return true;
  return codes.subarray(n * CODEBOOKS, (n + 1) * CODEBOOKS).every(code => code === CODE_PAD);
}

/**
 * All at once before anything is computed, so that a refused batch leaves no trace.
 * @throws RuntimeError `language-model.ids` | `language-model.features`
 */
export function checkPositions(positions: Positions, tables: EmbeddingTables): void {
  const { textIds, codes, features } = positions;
  const { hidden, vocabSize, codeVocabSize } = tables;
  if (codes.length !== textIds.length * CODEBOOKS) {
    throw idError('Every position has four codes.', { positions: textIds.length, codes: codes.length });
  }
  let slots = 0;
  for (const id of textIds) {
    if (id < -1 || id >= vocabSize) throw idError('A text id is outside the vocabulary.', { id, vocabSize });
    if (isFeature(id, positions, tables)) slots++;
  }
  for (const id of codes) {
    if (id < -1 || (hasCode(id, positions) && id >= codeVocabSize)) {
      throw idError('A code id is outside the audio vocabulary.', { id, codeVocabSize });
    }
  }
  if (slots * hidden !== features.length) {
    throw new RuntimeError(
      'language-model.features',
      'There must be one feature vector per audio or image pad.',
      { pads: slots, vectors: features.length / hidden, hidden },
      'Send the vectors of a chunk together with its pads.',
    );
  }
}
