/**
 * LLM input positions as a struct of arrays (spec/model.md §1.6): every position carries one text id and four code
 * ids; positions whose text id is `<|audio_pad|>` or `<|image_pad|>` take the next row of `features` instead.
 */
export interface Positions {
  /** [n] text ids; `ABSENT` contributes nothing. */
  readonly textIds: Int32Array;
  /** [n × 4] semantic id then three acoustic ids; `CODE_PAD` (3) or `ABSENT` contributes nothing. */
  readonly codes: Int32Array;
  /** [k × hidden] encoder vectors, in the order in which pad positions consume them. */
  readonly features: Float32Array;
}

/** A generated step may lack a text id or acoustic ids: such an id is −1 and contributes a zero vector. */
export const ABSENT = -1;
/** Reserved code ids (spec/model.md §1.6). */
export const CODE_END = 2;
export const CODE_PAD = 3;
export const CODE_OFFSET = 32;
export const CODEBOOKS = 4;
