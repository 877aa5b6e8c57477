import type { LatentAttention } from '../../latent-attention/index.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import type { Rotary } from '../../rotary/index.ts';
import { sliceRows, type Weights } from '../../weights/index.ts';
import type { LanguageModelConfig } from './config.ts';
import type { CachedSequence } from './latent-cache.ts';

/** Consecutive new rows of one sequence in a batch of rows. */
export interface Segment {
  readonly sequence: CachedSequence;
  /** Position of the first row. */
  readonly start: number;
  readonly rows: number;
}

/** Multi-head latent attention (spec/model.md §1.3), one of the two of a layer. */
export class LatentAttentionBlock {
  readonly #ops: Ops;
  readonly #config: LanguageModelConfig;
  readonly #plane: number;
  readonly #queryDown: Linear;
  readonly #queryNorm: Float32Array;
  readonly #queryUp: Linear;
  readonly #latentDown: Linear;
  readonly #latentNorm: Float32Array;
  readonly #key: Linear;
  readonly #rotary: Rotary;
  readonly #attention: LatentAttention;
  readonly #output: Linear;

  constructor(weights: Weights, prefix: string, plane: number, config: LanguageModelConfig, ops: Ops) {
    const { hidden, heads, qRank, kvRank, nope, rope, value } = config;
    const tensor = (name: string, shape: number[]) => weights.tensor(`${prefix}.${name}.weight`, shape);
    const linear = (name: string, outputs: number, inputs: number) =>
      ops.linear(tensor(name, [outputs, inputs]), null);
    // The factors on the two latents live in their norm weights, which costs nothing at run time.
    const scaledNorm = (name: string, width: number, scale: number) =>
      tensor(name, [width])
        .toFloat32()
        .map(weight => weight * scale);

    this.#ops = ops;
    this.#config = config;
    this.#plane = plane;
    this.#queryDown = linear('q_a_proj', qRank, hidden);
    this.#queryNorm = scaledNorm('q_a_layernorm', qRank, config.queryScale);
    this.#queryUp = linear('q_b_proj', heads * (nope + rope), qRank);
    const keyValue = tensor('kv_a_proj_with_mqa', [kvRank + rope, hidden]);
    this.#latentDown = ops.linear(sliceRows(keyValue, 0, kvRank), null);
    this.#key = ops.linear(sliceRows(keyValue, kvRank, kvRank + rope), null);
    this.#latentNorm = scaledNorm('kv_a_layernorm', kvRank, config.latentScale);
    this.#rotary = ops.rotary(rope, config.ropeBase);
    const expansion = tensor('kv_b_proj', [heads * (nope + value), kvRank]);
    this.#attention = ops.latentAttention(expansion, { heads, nope, rope, value, rank: kvRank });
    this.#output = linear('o_proj', hidden, heads * value);
  }

  /**
   * Writes the rows' latents and keys into the cache and attends to everything before and including each row.
   *
   * @param x [rows × hidden], normed; rows in the order of the segments
   * @param positions [rows]
   */
  apply(x: Float32Array, segments: readonly Segment[], positions: Int32Array): Float32Array {
    const rows = positions.length;
    this.#cacheRows(x, segments, positions);
    const { heads, nope, rope, latentNormEpsilon } = this.#config;
    const down = this.#queryDown.apply(x, rows);
    const q = this.#queryUp.apply(
      this.#ops.rmsNorm(down, rows, this.#queryNorm, latentNormEpsilon, down),
      rows,
    );
    const headStride = nope + rope;
    this.#rotary.apply(q, { rows, stride: heads * headStride, offset: nope, heads, headStride }, positions);

    const views = segments.map(({ sequence, start, rows }) => ({
      start,
      rows,
      plane: sequence.plane(this.#plane),
    }));
    return this.#output.apply(this.#attention.apply(q, views), rows);
  }

  #cacheRows(x: Float32Array, segments: readonly Segment[], positions: Int32Array): void {
    const rows = positions.length;
    const { kvRank, rope, latentNormEpsilon } = this.#config;
    const down = this.#latentDown.apply(x, rows);
    const latent = this.#ops.rmsNorm(down, rows, this.#latentNorm, latentNormEpsilon, down);
    const key = this.#key.apply(x, rows);
    this.#rotary.apply(key, { rows, stride: rope, offset: 0, heads: 1, headStride: rope }, positions);
    let row = 0;
    for (const { sequence, start, rows } of segments) {
      for (let r = 0; r < rows; r++, row++) {
        const latentRow = latent.subarray(row * kvRank, (row + 1) * kvRank);
        sequence.write(this.#plane, start + r, latentRow, key.subarray(row * rope, (row + 1) * rope));
      }
    }
  }
}
