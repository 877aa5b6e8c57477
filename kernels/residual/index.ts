/**
 * x += scale ⊙ branch, in place; without `scale` x += branch. `scale` has one factor per column and its length is the
 * row's width; each product is rounded before it is added.
 *
 * @param branch as long as `x`
 * @returns `x`
 */
export type Residual<T = Float32Array> = (x: T, branch: T, scale?: T) => T;
