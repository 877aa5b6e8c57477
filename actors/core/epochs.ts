/**
 * Versions of the sessions' futures (ARCHITECTURE.md §3). Barge-in, rollback and cancel are one `raise`; every fenced
 * port then drops what carries an older epoch, wherever it is under way.
 *
 * Epochs of a session never come back, also when its id is used again after `forget`: a new session begins above every
 * epoch that a forgotten one had. So take the first epoch from `current`, do not assume 0.
 */
export class EpochRegistry {
  readonly #epochs = new Map<string, number>();
  /** How often one has been raised or forgotten: as long as it stays, nothing becomes stale. */
  changes = 0;
  #floor = 0;
  /** The last answer of `isStale`: messages follow one another in the same session. */
  #asked: string | null = null;
  #askedEpoch = 0;

  /** The session's epoch; a session not seen before is remembered from here until `forget`. */
  current(session: string): number {
    const known = this.#epochs.get(session);
    if (known !== undefined) return known;
    this.#epochs.set(session, this.#floor);
    return this.#floor;
  }

  /** Ends the session's present future; returns the epoch of the new one. */
  raise(session: string): number {
    const epoch = this.current(session) + 1;
    this.#epochs.set(session, epoch);
    this.changes += 1;
    this.#asked = null;
    return epoch;
  }

  /** True for a message from an earlier future, or of a session that has been forgotten. */
  isStale(session: string, epoch: number): boolean {
    if (session !== this.#asked) {
      this.#asked = session;
      this.#askedEpoch = this.#epochs.get(session) ?? this.#floor;
    }
    return epoch < this.#askedEpoch;
  }

  /** True for a message of a session that has been forgotten and not begun anew. */
  isForgotten(session: string, epoch: number): boolean {
    return epoch < this.#floor && !this.#epochs.has(session);
  }

  /** The session has ended: everything of it that is still under way becomes stale. */
  forget(session: string): void {
    this.#floor = Math.max(this.#floor, this.current(session) + 1);
    this.#epochs.delete(session);
    this.changes += 1;
    this.#asked = null;
  }
}
