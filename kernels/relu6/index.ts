/** min(max(x, 0), 6), element by element; `out` may be `x`. */
export type Relu6 = (x: Float32Array, out?: Float32Array) => Float32Array;
