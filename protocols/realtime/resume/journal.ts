/** The events that a client was sent and has not said to have, by their numbers from 1 on. */

/** Characters that all journals of a process may hold together; where they become too many the longest forgets. */
const MAX_CHARS_IN_ALL = 64 * 1024 * 1024;

export class JournalRoom {
  readonly #maxChars: number;
  readonly #journals = new Set<Journal>();
  #chars = 0;

  constructor(maxChars = MAX_CHARS_IN_ALL) {
    this.#maxChars = maxChars;
  }

  get chars(): number {
    return this.#chars;
  }

  /** `journal` holds so many characters more, or fewer. */
  changed(journal: Journal, chars: number): void {
    this.#chars += chars;
    if (journal.chars > 0) this.#journals.add(journal);
    else this.#journals.delete(journal);
    if (chars <= 0) return;
    while (this.#chars > this.#maxChars) {
      const longest = [...this.#journals].reduce((most, next) => (next.chars > most.chars ? next : most));
      longest.forgetOldest();
    }
  }
}

export class Journal {
  readonly #room: JournalRoom;
  readonly #maxChars: number;
  #events: string[] = [];
  /** Of those before `#events[0]`, of which none can be replayed. */
  #forgotten = 0;
  #chars = 0;

  constructor(room: JournalRoom, maxChars: number) {
    this.#room = room;
    this.#maxChars = maxChars;
  }

  get chars(): number {
    return this.#chars;
  }

  /** The oldest goes where they become too many: a client that misses it cannot come back. */
  push(event: string): void {
    this.#events.push(event);
    this.#grow(event.length);
    while (this.#chars > this.#maxChars && this.#events.length > 0) this.forgetOldest();
  }

  /** The client has the first `count` of all. */
  acknowledge(count: number): void {
    const known = Math.min(count - this.#forgotten, this.#events.length);
    if (known <= 0) return;
    const gone = this.#events.slice(0, known).reduce((sum, { length }) => sum + length, 0);
    this.#events = this.#events.slice(known);
    this.#forgotten += known;
    this.#grow(-gone);
  }

  /** What follows the first `count`; null where that is not known any more, or was never sent. */
  since(count: number): readonly string[] | null {
    const known = count - this.#forgotten;
    return known < 0 || known > this.#events.length ? null : this.#events.slice(known);
  }

  forgetOldest(): void {
    const oldest = this.#events.shift();
    if (oldest === undefined) return;
    this.#forgotten += 1;
    this.#grow(-oldest.length);
  }

  clear(): void {
    this.acknowledge(Number.POSITIVE_INFINITY);
  }

  #grow(chars: number): void {
    this.#chars += chars;
    this.#room.changed(this, chars);
  }
}
