import { CODE_PAD, CODEBOOKS, type Positions } from '../../engine/positions.ts';
import { RuntimeError } from '../../errors.ts';

export interface EmbeddingTables {
  readonly hidden: number;
  /** [vocabSize × hidden] */
  readonly text: Float32Array;
  /** Four tables [codeVocabSize × hidden], or none in a text-only model. */
  readonly codes: readonly Float32Array[];
  readonly tokens: { readonly pad: number; readonly audioPad: number; readonly imagePad: number };
}

/**
 * Input vectors of LLM positions (spec/model.md §1.6), [n × hidden].
 *
 * Prompt rule: text row unless pad or absent, plus the rows of codes that are neither pad nor absent; a position of pads
 * only is the text pad row; `<|audio_pad|>` and `<|image_pad|>` take the next feature vector instead.
 * Decode rule: every id that is not absent adds its row, whatever it is.
 *
 * @param positions checked
 * @param out filled from `begin` on
 */
export function embedPositions(
  positions: Positions,
  tables: EmbeddingTables,
  out: Float32Array,
  begin: number,
): void {
  const { hidden } = tables;
  const { textIds, codes, features } = positions;
  let feature = 0;
  for (let n = 0; n < textIds.length; n++) {
    const to = begin + n * hidden;
    if (isFeature(textIds[n], positions, tables)) {
      out.set(features.subarray(feature, feature + hidden), to);
      feature += hidden;
      continue;
    }
    if (hasText(n, positions, tables)) copyRow(out, to, tables.text, textIds[n] * hidden, hidden);
    else out.fill(0, to, to + hidden);
    for (let i = 0; i < CODEBOOKS; i++) {
      const code = codes[n * CODEBOOKS + i];
      if (hasCode(code, positions)) addRow(out, to, tables.codes[i], code * hidden, hidden);
    }
  }
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
  const { hidden } = tables;
  const vocabSize = tables.text.length / hidden;
  const codeVocabSize = tables.codes.length ? tables.codes[0].length / hidden : 0;
  const idError = (what: string, values: Record<string, unknown>) =>
    new RuntimeError('language-model.ids', what, values);

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

function copyRow(out: Float32Array, to: number, table: Float32Array, from: number, width: number): void {
  for (let i = 0; i < width; i++) out[to + i] = table[from + i];
}

function addRow(out: Float32Array, to: number, table: Float32Array, from: number, width: number): void {
  for (let i = 0; i < width; i++) out[to + i] += table[from + i];
}
