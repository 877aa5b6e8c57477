/** Says tensor by tensor what a file holds; what a kind of them has in common, its scale and its mean, is said once. */
export abstract class TensorMaker {
  /** Bell-shaped values around `mean`; `edit` may change them before they are stored. */
  abstract add(
    name: string,
    shape: readonly number[],
    std: number,
    mean?: number,
    edit?: (values: Float32Array) => void,
  ): void;

  /** A matrix or kernel [outputs × inputs…] that keeps the level of its input times `gain`. */
  linear(name: string, shape: readonly number[], gain = 1): void {
    const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
    this.add(name, shape, gain / Math.sqrt(inputs));
  }

  bias(name: string, width: number): void {
    this.add(name, [width], 0.05);
  }

  linearWithBias(name: string, shape: readonly number[], gain = 1): void {
    this.linear(`${name}.weight`, shape, gain);
    this.bias(`${name}.bias`, shape[0]);
  }

  /** A norm's weight near one; with `bias` that of a LayerNorm. */
  norm(name: string, width: number, bias = false): void {
    this.add(`${name}.weight`, [width], 0.05, 1);
    if (bias) this.bias(`${name}.bias`, width);
  }

  /**
   * A weight-normalised convolution (docs/spec/model.md §4.3): every row of V has length `gain` after normalisation.
   */
  normalized(name: string, shape: readonly number[], gain: number, biasWidth = shape[0]): void {
    this.add(`${name}.weight_g`, [shape[0], ...shape.slice(1).map(() => 1)], 0.05 * gain, gain);
    this.add(`${name}.weight_v`, shape, 1);
    this.bias(`${name}.bias`, biasWidth);
  }
}

/** Names and shapes only. */
export class TensorList extends TensorMaker {
  readonly shapes = new Map<string, readonly number[]>();

  add(name: string, shape: readonly number[]): void {
    this.shapes.set(name, shape);
  }
}
