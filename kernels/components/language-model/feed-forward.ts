import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';

/** Dense SwiGLU network without biases (spec/model.md §1.2). */
export class FeedForward {
  readonly #ops: Ops;
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, prefix: string, hidden: number, inner: number, ops: Ops) {
    const linear = (name: string, outputs: number, inputs: number) =>
      ops.linear(weights.tensor(`${prefix}.${name}.weight`, [outputs, inputs]), null);
    this.#ops = ops;
    this.#gate = linear('gate_proj', inner, hidden);
    this.#up = linear('up_proj', inner, hidden);
    this.#down = linear('down_proj', hidden, inner);
  }

  apply(x: Float32Array, rows: number): Float32Array {
    const gate = this.#gate.apply(x, rows);
    return this.#down.apply(this.#ops.swiglu(gate, this.#up.apply(x, rows), gate), rows);
  }
}
