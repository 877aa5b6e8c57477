/**
 * x += scale ⊙ branch, in place; without `scale` x += branch. `scale` has one factor per column and its length is the
 * row's width; each product is rounded before it is added.
 *
 * @param branch as long as `x`
 * @returns `x`
 */
export type Residual = (x: Float32Array, branch: Float32Array, scale?: Float32Array) => Float32Array;
