/**
 * out = SiLU(gate) ⊙ up, element by element (docs/spec/model.md §1.2); all of `gate`'s length, `out` may be either
 * input.
 */
export type Swiglu = (gate: Float32Array, up: Float32Array, out?: Float32Array) => Float32Array;
