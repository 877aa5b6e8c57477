/**
 * What one turn took and why: the marks on the way from the user's last speech sample to the first heard sample
 * (ARCHITECTURE.md §3 "Trace"), and the timeline that `turn.trace` reports.
 */
import { FIRST_HEARD, SPEECH_END, type TraceMark, type Waterfall, waterfall } from '../core/trace.ts';
import type { TurnTrace } from '../session-api.ts';

type Moment = keyof TurnTrace['timeline'];

export class TurnAccount {
  readonly turn: number;
  speculations = 0;
  rollbacks = 0;
  /** What the caption head heard. */
  userTranscript: string | null = null;
  readonly #session: string;
  readonly #marks: TraceMark[] = [];
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
