/** What every message between actors carries (ARCHITECTURE.md §3). */
export interface Address {
  readonly session: string;
  readonly turn: number;
  /** Version of the session's future; barge-in, rollback and cancel raise it. */
  readonly epoch: number;
}

export interface Envelope<T> extends Address {
  readonly body: T;
}

/**
 * What a mailbox does at its bound: `fail` ends the session with an error the caller can read (audio),
 * `keep-newest` drops the oldest (video), `never-drop` is for control, which also overtakes media; as memory is finite,
 * its bound too ends the session with an error, and nothing is lost silently.
 */
export type Overflow = 'fail' | 'keep-newest' | 'never-drop';

export interface PortPolicy {
  /** Messages of one session that may wait here; what another session sends does not count. */
  readonly capacity: number;
  readonly overflow: Overflow;
  /**
   * True on the agent's side (decode, codes, speech, play-out): messages of an older epoch are dropped at the mailbox.
   * False on the user's side (audio, video, prefill): what the user said stays true whatever happens to the answer.
   */
  readonly fenced: boolean;
}
