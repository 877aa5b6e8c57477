import { RuntimeError } from '../errors.ts';
import type { StreamId } from './engine.ts';

/** Stands for a component that the model directory does not have: any use says so with `engine.component-missing`. */
export class AbsentComponent {
  readonly #name: string;
  readonly #file: string;

  constructor(name: string, file: string) {
    this.#name = name;
    this.#file = file;
  }

  open(): StreamId {
    throw this.#missing();
  }

  fork(): StreamId {
    throw this.#missing();
  }

  close(): void {}

  truncate(): void {}

  async step(): Promise<never> {
    throw this.#missing();
  }

  #missing(): RuntimeError {
    const values = { component: this.#name, file: this.#file };
    const remedy = 'Use a model directory that has it.';
    return new RuntimeError('engine.component-missing', 'The model has no such component.', values, remedy);
  }
}
