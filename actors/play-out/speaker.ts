/**
 * The last queue before the ear. Play-out writes what may be heard; a speaker says when it was. Two are built in, a
 * transport may bring its own with `openSession`:
 *
 *                          queue            handed over          what was played
 *   reported (burst)       the far end's    as it is produced    `played`, until then what was sent, by time
 *   paced                  ours             by our clock         by our clock
 *   of a transport         its own          by `leadMs`          `played$`
 *
 * What leaves is told as `response.audio` whichever it is, ducking and clearing as `duck` and `playout.clear`: for the
 * built-in ones these events are the way to the far end.
 */
import { EMPTY, type Observable } from 'rxjs';

export interface Speaker {
  /** From the moment a sample is due until it reaches the ear: device buffer, jitter buffer, line. */
  readonly latencyMs: number;
  /**
   * Sound is written as 20 ms frames, at most so far ahead of real time, so that nearly all of what waits can still be
   * ducked, paused and dropped; absent: all of it as it is produced, and what is written is the speaker's own.
   */
  readonly leadMs?: number;
  /**
   * Output-rate mono in [−1, 1], to be played after everything written before. Takes all of it, whatever its length.
   */
  write(itemId: string, samples: Float32Array): void;
  /** No more of this item will be written. */
  end(itemId: string): void;
  /** Another level for what waits and for what is written from now on; absent: play-out lowers what it paces. */
  duck?(gainDb: number): void;
  /**
   * Stops where it is, and loses nothing; absent: what is written plays on. Comes with `resume`. What is paced is not
   * written meanwhile.
   */
  pause?(): void;
  resume?(): void;
  /** Throws away what was not played; it then plays what is written next, even if it was paused. */
  flush(): void;
  /** Any number of times an item. Must not emit while one of the calls above is under way. */
  readonly played$: Observable<Played>;
}

export interface Played {
  readonly itemId: string;
  /** Of the item, from its beginning. */
  readonly samples: number;
  /** Session-clock time at which the last of them reached the ear, or will. */
  readonly atMs: number;
  /** The same of the first of them, where it is known to the millisecond. */
  readonly firstAtMs?: number;
}

/**
 * Who owns play-out (docs/spec/protocols.md §7): the built-in speakers. `burst`: audio leaves as produced
 * and the transport or client reports what was heard; until it does, heard = min(sent, time since first sample).
 * `paced`: at most `leadMs` ahead of real time.
 */
export type Delivery = { readonly mode: 'burst' } | { readonly mode: 'paced'; readonly leadMs: number };

/** The far end has the queue: it hears of ducking and clearing by events, and reports what it played. */
const REPORTED: Speaker = { latencyMs: 0, write() {}, end() {}, flush() {}, played$: EMPTY };

/** The speaker that a session has whose transport brings none. */
export function builtInSpeaker(delivery: Delivery): Speaker {
  return delivery.mode === 'burst' ? REPORTED : { ...REPORTED, leadMs: delivery.leadMs };
}

/** All of what was sent is beyond our reach: the far end plays it by itself. */
export function playsByItself({ leadMs }: Speaker): boolean {
  return leadMs === undefined;
}
