/** Named arrays as a component printed them. */
export type Outputs = Record<string, { shape: number[]; data: number[] }>;

export function output(values: ArrayLike<number>, ...shape: number[]): { shape: number[]; data: number[] } {
  return { shape, data: Array.from(values) };
}

/** Rows that arrive in pieces. */
export class RowCollector {
  readonly #rows = new Map<string, { width: number; pieces: Float32Array[] }>();

  add(name: string, rows: Float32Array, width: number): void {
    const known = this.#rows.get(name) ?? { width, pieces: [] };
    known.pieces.push(rows.slice());
    this.#rows.set(name, known);
  }

  outputs(): Outputs {
    const entries = [...this.#rows].map(([name, { width, pieces }]) => {
      const values = pieces.flatMap(piece => Array.from(piece));
      return [name, output(values, values.length / width, width)] as const;
    });
    return Object.fromEntries(entries);
  }
}
