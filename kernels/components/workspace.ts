/**
 * Memory that every step of a component uses again: a step that allocates makes garbage, and collecting it cost as much
 * as a decode step's arithmetic. What is taken under a name holds until the name is taken again.
 */
export class Workspace {
  readonly #memory = new Map<string, Float32Array>();
  readonly #views = new Map<string, Float32Array>();
  readonly #rows = new Map<string, { of: Float32Array; views: Float32Array[] }>();

  /** @returns `length` floats with whatever they held */
  take(name: string, length: number): Float32Array {
    const view = this.#views.get(name);
    if (view?.length === length) return view;
    let memory = this.#memory.get(name);
    if (!memory || memory.length < length) {
      memory = new Float32Array(length);
      this.#memory.set(name, memory);
    }
    const next = memory.subarray(0, length);
    this.#views.set(name, next);
    return next;
  }

  /** The rows of what was last taken under `name`, each `width` wide. */
  rowsOf(name: string, width: number): readonly Float32Array[] {
    const of = this.#views.get(name) ?? this.take(name, 0);
    let found = this.#rows.get(name);
    if (found?.of !== of) {
      const views = Array.from({ length: of.length / width }, (_, r) =>
        of.subarray(r * width, (r + 1) * width),
      );
      found = { of, views };
      this.#rows.set(name, found);
    }
    return found.views;
  }
}
