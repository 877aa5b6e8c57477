/**
 * Exponential repetition penalty (docs/spec/model.md §1.8), in place: an id that occurs c times in `history` is
 * weakened by factor^c, a negative logit multiplied, a positive one divided. Ids outside the vocabulary (`ABSENT`) are
 * ignored. Only the last `PENALTY_WINDOW` entries of `history` count.
 */
export type Penalise = (logits: Float32Array, history: Int32Array, factor: number) => void;

export const PENALTY_WINDOW = 30;
/** Of the code heads; text uses the request's own. */
export const CODE_PENALTY = 1.1;
