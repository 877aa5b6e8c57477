import { RuntimeError } from '../../errors.ts';
import type { StreamId } from '../engine.ts';

/** The open streams of a service by the caller's ids. */
export class Streams<S> {
  readonly #streams = new Map<StreamId, S>();

  set(stream: StreamId, state: S): void {
    this.#streams.set(stream, state);
  }

  /** @throws RuntimeError `engine.stream-lost`: the id is from before a crash of this component */
  get(stream: StreamId): S {
    const state = this.#streams.get(stream);
    if (state !== undefined) return state;
    throw new RuntimeError('engine.stream-lost', 'The component does not know the stream.', { stream });
  }

  find(stream: StreamId): S | undefined {
    return this.#streams.get(stream);
  }

  delete(stream: StreamId): void {
    this.#streams.delete(stream);
  }
}
