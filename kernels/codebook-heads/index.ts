import type { LinearWeight } from '../linear/index.ts';
import type { Weight } from '../weights/index.ts';

export interface CodebookHeads<T = Float32Array> {
  readonly codeVocabSize: number;
  /**
   * The four codes of a step: head 0 reads the hidden state, each later head also the embeddings of the codes already
   * chosen; arg-max after the repetition penalty, never sampled (docs/spec/model.md §1.8).
   *
   * @param hidden [rows × hidden] after the final norm
   * @param histories per row, per codebook: the request's earlier ids, newest last
   * @param logits receives the unpenalised logits [rows × 4 × codeVocabSize] when given
   * @returns [rows × 4] code ids
   */
  apply(
    hidden: T,
    rows: number,
    histories: readonly (readonly Int32Array[])[],
    logits?: Float32Array,
  ): Int32Array;
}

/** `heads`: four, `cascade`: three; all [codeVocabSize × hidden]. */
export type PrepareCodebookHeads<T = Float32Array> = (
  heads: readonly LinearWeight[],
  cascade: readonly Weight[],
) => CodebookHeads<T>;
