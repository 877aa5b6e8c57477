/**
 * Bounds what waits of all connections together: where that becomes too much, whoever keeps most waiting has to leave.
 */

import { Blocks } from './waiting-texts.ts';

/** A connection's part of it. */
export interface Waits {
  readonly waitingBytes: number;
  /** Too much waits in the process, and most of it here: nothing is taken any more. */
  evict(): void;
}

/** Of all connections. One alone may keep a quarter of it. */
const MAX_BYTES = 128 * 1024 * 1024;

export class WaitingRoom {
  readonly blocks = new Blocks();
  readonly #maxBytes: number;
  readonly #all = new Set<Waits>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `one` keeps so many bytes more, or fewer. */
  changed(one: Waits, bytes: number): void {
    this.#bytes += bytes;
    if (one.waitingBytes > 0) this.#all.add(one);
    else this.#all.delete(one);
    if (bytes <= 0) return;
    while (this.#bytes > this.#maxBytes) {
      const largest = [...this.#all].reduce((most, next) =>
        next.waitingBytes > most.waitingBytes ? next : most,
      );
      largest.evict();
    }
  }
}
