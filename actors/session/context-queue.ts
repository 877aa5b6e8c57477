/**
 * Commands to the language model in the order in which the session meant them, although some must wait for an encoder.
 * Nothing overtakes: a turn that waits for its picture holds back the reply that is to see it.
 */
export interface Ticket {
  /** The entry may run as soon as everything before it has. */
  ready(): void;
  /** The entry will not run. No effect once it has. */
  cancel(): void;
  readonly done: boolean;
}

class QueuedItem implements Ticket {
  isReady = false;
  done = false;
  readonly run: () => void;
  readonly #drain: () => void;

  constructor(run: () => void, drain: () => void) {
    this.run = run;
    this.#drain = drain;
  }

  ready(): void {
    this.isReady = true;
    this.#drain();
  }

  cancel(): void {
    this.done = true;
    this.#drain();
  }
}

export class ContextQueue {
  #entries: QueuedItem[] = [];
  #draining = false;

  /** Runs now, or after what waits before it. */
  push(run: () => void): void {
    this.defer(run).ready();
  }

  /** Takes its place now, runs when its ticket is ready. */
  defer(run: () => void): Ticket {
    const entry = new QueuedItem(run, () => this.#drain());
    this.#entries.push(entry);
    return entry;
  }

  get size(): number {
    return this.#entries.length;
  }

  clear(): void {
    this.#entries = [];
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#entries.length > 0 && (this.#entries[0].isReady || this.#entries[0].done)) {
        const entry = this.#entries.shift()!;
        if (entry.done) continue;
        entry.done = true;
        entry.run();
      }
    } finally {
      this.#draining = false;
    }
  }
}
