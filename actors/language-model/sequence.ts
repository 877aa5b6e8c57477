import type { LanguageModelEngine, StreamId } from '../../kernels/engine/index.ts';
import type { Context } from './context.ts';

/** Positions given to the engine and not yet answered. */
export interface Flight {
  readonly sequence: StreamId;
  readonly from: number;
  readonly to: number;
}

/**
 * A session's cache in the engine: a prefix of its context. Edits cut it at once, also while work is in flight, since
 * the engine orders `truncate` after the steps submitted before.
 */
export class Sequence {
  readonly #engine: LanguageModelEngine;
  #id: StreamId | null = null;
  /** Positions of the context that the cache holds, or will once the work in flight is done. */
  #cached = 0;
  #flight: Flight | null = null;
  #isFlightCut = false;

  constructor(engine: LanguageModelEngine) {
    this.#engine = engine;
  }

  get cached(): number {
    return this.#cached;
  }

  get isInFlight(): boolean {
    return this.#flight !== null;
  }

  /** Brings the cache back to the part that an edit of the context left true. */
  follow(context: Context): void {
    this.cut(context.takeEdit());
  }

  cut(length: number): void {
    if (length >= this.#cached) return;
    if (this.#flight && length < this.#flight.to) this.#isFlightCut = true;
    if (this.#id !== null) this.#engine.truncate(this.#id, length);
    this.#cached = length;
  }

  /** No reply is wanted of it any more, whatever is under way. */
  endReply(): void {
    if (this.#id !== null) this.#engine.endReply?.(this.#id);
  }

  /** Reserves the next `count` positions. @throws what the engine throws when it cannot open a sequence */
  depart(count: number): Flight {
    this.#id ??= this.#engine.open();
    this.#flight = { sequence: this.#id, from: this.#cached, to: this.#cached + count };
    this.#isFlightCut = false;
    this.#cached += count;
    return this.#flight;
  }

  owns(flight: Flight): boolean {
    return flight === this.#flight;
  }

  /** False when the answer is of no use: another sequence serves by now, or an edit cut into the work. */
  arrive(flight: Flight): boolean {
    if (flight !== this.#flight) return false;
    this.#flight = null;
    return !this.#isFlightCut;
  }

  /** Gives the cache up; the next work builds it again from the context. */
  reset(): void {
    if (this.#id !== null) this.#engine.close(this.#id);
    this.#id = null;
    this.#flight = null;
    this.#cached = 0;
  }
}
