import type { TensorMemory } from '../tensor-memory.ts';

interface Named<T> {
  memory: T;
  capacity: number;
  view: T;
  length: number;
}

/**
 * Memory that every step of a component uses again: a step that allocates makes garbage, and collecting it cost as much
 * as a decode step's arithmetic. What is taken under a name holds until the name is taken again.
 */
export class Workspace<T = Float32Array> {
  readonly #memory: Pick<TensorMemory<T, unknown>, 'make' | 'head'>;
  readonly #named = new Map<string, Named<T>>();

  constructor(memory: Pick<TensorMemory<T, unknown>, 'make' | 'head'>) {
    this.#memory = memory;
  }

  /** @returns `length` floats with whatever they held */
  take(name: string, length: number): T {
    const found = this.#named.get(name);
    if (found?.length === length) return found.view;
    if (found && found.capacity >= length) {
      found.view = this.#memory.head(found.memory, length);
      found.length = length;
      return found.view;
    }
    const memory = this.#memory.make(length);
    this.#named.set(name, { memory, capacity: length, view: memory, length });
    return memory;
  }
}

/** The rows of an array that is read again at every step. */
export class RowViews {
  #of: Float32Array | null = null;
  #views: readonly Float32Array[] = [];

  of(values: Float32Array, width: number): readonly Float32Array[] {
    if (this.#of !== values) {
      this.#of = values;
      this.#views = Array.from({ length: values.length / width }, (_, r) =>
        values.subarray(r * width, (r + 1) * width),
      );
    }
    return this.#views;
  }
}
