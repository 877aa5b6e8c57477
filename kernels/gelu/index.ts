/** The exact GELU, x · ½(1 + erf(x/√2)), element by element; `out` may be `x`. */
export type Gelu = (x: Float32Array, out?: Float32Array) => Float32Array;
