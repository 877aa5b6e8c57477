/**
 * How much of a turn of the event loop the clients' events may take: all of them together, and each connection of it.
 * What exceeds it waits for the next turn, in which connections are served in rotation. So a client that floods the
 * server slows itself down, and requests, engines and other calls get their turn. With nobody waiting an event is
 * handled at once.
 *
 * Time is measured, not events counted: one event may cost a thousand times another. Under the virtual clock, which
 * stands while an event is handled, nothing ever waits.
 */
import type { Timers } from './timers.ts';
import { WaitingRoom } from './waiting-room.ts';

/** Of one turn of the event loop. */
const TURN_MS = 8;
/** What is left of it for what waits, however long the turn took to keep what came. */
const LEAST_MS = 2;
/** Of it for one connection before the next has its turn. */
const SHARE_MS = 2;

/**
 * Of one turn, in frames; a longer frame counts as several. A server that is asked to stop reading may still hand over
 * what it has read (some 64 KB of each connection), and uWebSockets.js, which cannot stop, goes on bringing as much
 * (server/receive-buffer.ts; where there are no native kernels five megabytes of each). A frame costs the thread some
 * 10 µs, half of it before it is ours. Counted and not timed, so that nobody is put out because the machine was busy.
 */
const MAX_KEPT = 1536;
const FRAME_BYTES = 2048;
/**
 * Somebody may bring so many at once, as a recording that is sent in one go, and then waits until they are handled; so
 * may a turn.
 */
const MAX_BURST = 4096;
/** Whoever brought no more than this of them is not to blame; one frame, however long, is always taken. */
const BLAMELESS = 256;

/** A connection with events that wait. */
export interface Waiting {
  /** Handles the oldest event. False when none is left that can be handled now. */
  handleNext(): boolean;
}

export class WorkQuota {
  /** For what waits of all connections. */
  readonly room: WaitingRoom;
  readonly #clock: Timers;
  readonly #waiting = new Set<Waiting>();
  #usedMs = 0;
  /** Of this turn, by those who did not have to wait. */
  readonly #shares = new Map<Waiting, number>();
  /** Of this turn, in frames, and whose. */
  #kept = 0;
  #keepingSinceMs = 0;
  readonly #keptOf = new Map<Waiting, number>();
  /** Since nothing of theirs waited. */
  readonly #burstOf = new Map<Waiting, number>();
  #turnEnds = false;

  constructor(clock: Timers, room = new WaitingRoom()) {
    this.room = room;
    this.#clock = clock;
  }

  /** Runs `work` if this connection may have more of this turn; otherwise returns false. */
  tryNow(of: Waiting, work: () => void): boolean {
    if (this.#waiting.size > 0 || this.#usedMs >= TURN_MS) return false;
    const used = this.#shares.get(of) ?? 0;
    if (used >= SHARE_MS) return false;
    const spentMs = this.#timed(work);
    if (spentMs > 0) this.#shares.set(of, used + spentMs);
    return true;
  }

  /**
   * Whether one more frame may be kept in this turn. Where not, this connection has brought more of them than anybody
   * should.
   */
  mayKeep(of: Waiting, bytes: number): boolean {
    const own = this.#keptOf.get(of) ?? 0;
    const burst = this.#burstOf.get(of) ?? 0;
    const most = burst < MAX_BURST ? MAX_BURST : MAX_KEPT;
    if (this.#kept >= most && own >= BLAMELESS) return false;
    const frames = 1 + Math.floor(bytes / FRAME_BYTES);
    if (this.#kept === 0) this.#keepingSinceMs = this.#clock.nowMs();
    this.#kept += frames;
    this.#keptOf.set(of, own + frames);
    this.#burstOf.set(of, burst + frames);
    this.#endTurn();
    return true;
  }

  /** Its events are handled in the turns to come. */
  enlist(one: Waiting): void {
    this.#waiting.add(one);
    this.#endTurn();
  }

  /** Nothing of it waits any more. */
  drained(one: Waiting): void {
    this.#burstOf.delete(one);
  }

  leave(one: Waiting): void {
    this.#burstOf.delete(one);
    this.#waiting.delete(one);
    this.#shares.delete(one);
    this.#keptOf.delete(one);
  }

  #timed(work: () => void): number {
    const startMs = this.#clock.nowMs();
    work();
    const spentMs = this.#clock.nowMs() - startMs;
    this.#usedMs += spentMs;
    if (this.#usedMs > 0) this.#endTurn();
    return spentMs;
  }

  #endTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#clock.setTimer(0, () => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#turnEnds = false;
    const keepingMs = this.#kept > 0 ? this.#clock.nowMs() - this.#keepingSinceMs : 0;
    this.#usedMs = Math.min(keepingMs, TURN_MS - LEAST_MS);
    this.#shares.clear();
    this.#kept = 0;
    this.#keptOf.clear();
    // The first of a Set is the one that has waited longest.
    for (const one of this.#waiting) {
      if (this.#usedMs >= TURN_MS) break;
      this.#waiting.delete(one);
      if (this.#serve(one)) this.#waiting.add(one);
    }
    if (this.#waiting.size > 0) this.#endTurn();
  }

  /** Whether it has to come again. */
  #serve(one: Waiting): boolean {
    let leftMs = SHARE_MS;
    let more = true;
    while (more && leftMs > 0) {
      leftMs -= this.#timed(() => {
        more = one.handleNext();
      });
    }
    return more;
  }
}
