/**
 * Full bidirectional multi-head attention, `softmax(q·kᵀ·scale)·v` per head, over one independent sequence
 * (vision units docs/spec/model.md §2.4, semantic encoder docs/spec/model.md §4.2). No mask, no attention across
 * sequences.
 *
 * `q`, `k`, `v` and the result are [rows × heads·headDim], row-major; head h owns columns h·headDim … (h+1)·headDim.
 * `out` may be `q`, but not `k` or `v`. Row i of the result is computed in the same order whatever `rows` precede it.
 */
export type Attention = (
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  rows: number,
  heads: number,
  headDim: number,
  scale: number,
  out?: Float32Array,
) => Float32Array;
