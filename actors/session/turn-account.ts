/**
 * What one turn took and why: the marks on the way from the user's last speech sample to the first heard sample
 * (ARCHITECTURE.md §3 "Trace"), and the timeline that `turn.trace` reports.
 */
import { FIRST_HEARD, SPEECH_END, type TraceMark, type Waterfall, waterfall } from '../core/trace.ts';
import type { TurnTrace } from '../session-api.ts';

type Moment = keyof TurnTrace['timeline'];

/** Session-clock times of a sample on its way to us. */
export interface SoundWay {
  readonly spokenAtMs: number;
  /** The packet that it stood in was full. */
  readonly packedAtMs: number;
  /** It came; later than it was full by what the network took beyond its least. */
  readonly arrivedAtMs: number;
  /** The door handed it over. */
  readonly handedAtMs: number;
}

/** What was decided later was not decided by it. */
const STALE_WAY_MS = 20;

export class TurnAccount {
  readonly turn: number;
  speculations = 0;
  rollbacks = 0;
  /** What the caption head heard. */
  userTranscript: string | null = null;
  readonly #session: string;
  readonly #marks: TraceMark[] = [];
  #way: SoundWay | null = null;
  readonly #timeline: Record<Moment, number | null> = {
    speechStart: null,
    speechEnd: null,
    speculate: null,
    endpoint: null,
    firstAudio: null,
    end: null,
  };

  constructor(session: string, turn: number) {
    this.#session = session;
    this.turn = turn;
  }

  /** The time since the previous mark was spent on `cause`. Nothing is marked after the first sound was heard. */
  mark(cause: string, atMs: number): void {
    if (this.#timeline.firstAudio !== null) return;
    this.#marks.push({ session: this.#session, turn: this.turn, cause, atMs });
  }

  /** The same of what ended so long ago by another clock; what was marked before keeps its time. */
  markAgo(cause: string, agoMs: number, nowMs: number): void {
    this.mark(cause, Math.max(this.#marks.at(-1)?.atMs ?? nowMs, nowMs - agoMs));
  }

  /** A step of an engine; the last `hopMs` of it were the way to another host and back. */
  markStep(cause: string, hopMs: number, nowMs: number): void {
    this.markAgo(cause, hopMs, nowMs);
    if (hopMs > 0) this.mark('hop', nowMs);
  }

  note(moment: Moment, atMs: number): void {
    this.#timeline[moment] = atMs;
  }

  at(moment: Moment): number | null {
    return this.#timeline[moment];
  }

  speechEnded(atMs: number): void {
    this.#timeline.speechEnd = atMs;
    this.mark(SPEECH_END, atMs);
  }

  /** How the sound came whose silence decides something now. */
  heard(way: SoundWay | null): void {
    this.#way = way;
  }

  /**
   * Silence ended `cause` where it was spoken; the rest of its packet, and what the door kept it for, came behind it.
   */
  silenceEnded(cause: string, atMs: number): void {
    const way = this.#way;
    const fromMs = this.#marks.at(-1)?.atMs ?? atMs;
    if (way && atMs - way.handedAtMs <= STALE_WAY_MS) {
      const within = (ms: number) => Math.max(Math.min(fromMs, atMs), Math.min(ms, atMs));
      this.mark(cause, within(way.spokenAtMs));
      this.mark('packet', within(way.packedAtMs));
      this.mark('uplink', within(way.arrivedAtMs));
      this.mark('jitter buffer', within(way.handedAtMs));
      if (atMs === way.handedAtMs) return;
    }
    this.mark(cause, atMs);
  }

  firstAudio(atMs: number): void {
    if (this.#timeline.firstAudio !== null) return;
    this.mark(FIRST_HEARD, atMs);
    this.#timeline.firstAudio = atMs;
  }

  /** Its first sound turned out to play at another time than was assumed when it was sent. */
  firstAudioWas(atMs: number): void {
    const assumedMs = this.#timeline.firstAudio;
    if (assumedMs === null || Math.abs(assumedMs - atMs) < 1) return;
    const mark = this.#marks.findLastIndex(({ cause }) => cause === FIRST_HEARD);
    this.#marks[mark] = { ...this.#marks[mark], atMs };
    this.#timeline.firstAudio = atMs;
  }

  waterfall(): Waterfall | null {
    const account = waterfall(this.#marks);
    if (!account) return null;
    const entries = account.entries
      .map(entry => (entry.cause === FIRST_HEARD ? { ...entry, cause: 'play-out' } : entry))
      .filter(entry => entry.ms > 0);
    return { ...account, entries };
  }

  trace(reply: {
    readonly text: string;
    readonly interrupted: boolean;
    readonly heardMs: number;
  }): TurnTrace {
    return {
      turn: this.turn,
      text: reply.text,
      userTranscript: this.userTranscript,
      timeline: { ...this.#timeline },
      waterfall: this.waterfall(),
      interrupted: reply.interrupted,
      heardMs: reply.heardMs,
      speculations: this.speculations,
      rollbacks: this.rollbacks,
    };
  }
}
