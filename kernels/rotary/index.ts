/** Where the rotated vectors lie: `heads` vectors a row, the first at `offset`, the next ones `headStride` further. */
interface RotaryLayout {
  readonly rows: number;
  /** Floats from one row to the next. */
  readonly stride: number;
  readonly offset: number;
  readonly heads: number;
  readonly headStride: number;
}

export interface Rotary {
  /**
   * Rotates in place. Row r has position `positions[r]`; all heads of a row turn by the same angles.
   * Pairs stay where they are (components 2i and 2i+1), unlike implementations that de-interleave them.
   */
  apply(x: Float32Array, layout: RotaryLayout, positions: Int32Array): void;
}

/**
 * Rotary position embedding over adjacent pairs, `width` components (even), angles in float32
 * (docs/spec/model.md §1.3).
 */
export type PrepareRotary = (width: number, base: number) => Rotary;
