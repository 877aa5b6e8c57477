/**
 * The speaker of a telephone line: what play-out writes leaves as frames of the line's format, with a mark after every
 * other one. A mark that comes back says what was played, which is all the truth there is. One that is overdue says
 * that the line stands still: then the account is held at the last mark instead of running on by the clock. So what
 * counts as heard is never more than one mark, `MARK_SLACK_MS` and two frames ahead of what was played, and that only
 * while the line stalls.
 */
import { Subject } from 'rxjs';
import type { Timer } from '../../actors/core/clock.ts';
import type { Played, Speaker } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { type LineEncoder, lineEncoder, SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { LinePace, PhoneLine } from './line.ts';

const FRAMES_PER_MARK = 2;
/**
 * How late a mark may be before the line is taken to stand still. Too early a suspicion costs nothing: less counts,
 * until it comes.
 */
const MARK_SLACK_MS = 20;
/** Marks that a line may owe us; one that answers none is held to nothing. */
const MAX_OPEN_MARKS = 1024;
/** No line is believed to be slower. */
const MAX_DELAY_MS = 2000;
const SAMPLES_PER_MS = SESSION_OUTPUT_RATE_HZ / 1000;

interface Mark {
  readonly itemId: string;
  /** Of the item, from its beginning, that stand before the mark. */
  readonly samples: number;
  /** When the sound before it should begin to play, and when the mark should come back, as far as the line is known. */
  beginsAtMs: number;
  dueAtMs: number;
}

export class LineSpeaker implements Speaker {
  readonly latencyMs: number;
  readonly leadMs: number;
  readonly played$ = new Subject<Played>();
  /** Hears what is written, too; null: nobody. */
  tap: ((samples: Float32Array) => void) | null = null;
  readonly #line: PhoneLine;
  readonly #clock: Timers;
  readonly #frameMs: number;
  #encoder: LineEncoder;
  #itemId: string | null = null;
  /** Of the current item: samples written, and those of them in frames that were sent. */
  #written = 0;
  #sent = 0;
  #writtenAtMs = 0;
  /** When what was sent will have been played, by our own clock. */
  #playEndMs = 0;
  #framesSinceMark = 0;
  /** When the first of them begins to play. */
  #beginsAtMs = 0;
  /** From sending a frame to the mark behind it, less its length: what the last marks took. */
  #delayMs: number;
  /** Those that have not come back, by name, oldest first. */
  readonly #marks = new Map<string, Mark>();
  #markNumber = 0;
  #heard: { itemId: string; samples: number } | null = null;
  #watch: Timer | null = null;

  constructor(line: PhoneLine, pace: LinePace, clock: Timers) {
    this.#line = line;
    this.#clock = clock;
    this.#frameMs = pace.frameMs;
    this.leadMs = pace.leadMs;
    this.latencyMs = pace.latencyMs;
    this.#delayMs = pace.latencyMs;
    this.#encoder = lineEncoder(line.format, pace.frameMs);
  }

  /** The item that is being played, and how much of it was, as far as the line has told. */
  get heard(): { readonly itemId: string; readonly samples: number } | null {
    return this.#heard;
  }

  /** Everything that was given has been played, as far as the line has told. */
  get isIdle(): boolean {
    return this.#marks.size === 0 && this.#framesSinceMark === 0 && this.#encoder.isEmpty;
  }

  write(itemId: string, samples: Float32Array): void {
    if (this.#itemId !== itemId) this.#begin(itemId);
    this.tap?.(samples);
    this.#written += samples.length;
    this.#writtenAtMs = this.#clock.nowMs();
    this.#watchOn();
    this.#give(this.#encoder.push(samples));
  }

  end(itemId: string): void {
    if (this.#itemId !== itemId) return;
    this.#give(this.#encoder.finish());
    this.#sent = this.#written;
    if (this.#framesSinceMark > 0 || this.#marks.size > 0) this.#mark();
    this.#itemId = null;
  }

  flush(): void {
    if (!this.isIdle) this.#line.clear?.();
    // What comes back from now on may have been thrown away: it counts for nothing (docs/spec/protocols.md §2.3, §5.4).
    this.#marks.clear();
    this.#framesSinceMark = 0;
    this.#encoder = lineEncoder(this.#line.format, this.#frameMs);
    this.#itemId = null;
    this.#heard = null;
    this.#playEndMs = 0;
    this.#stopWatch();
  }

  /**
   * The line's format is another one from now on (`PhoneLine.format`); of what was encoded less than a frame is lost.
   */
  reformat(): void {
    this.#encoder = lineEncoder(this.#line.format, this.#frameMs);
  }

  /**
   * The line says that a mark was reached, and when, if it knows. Those before it were, too. An unknown one, or one
   * asked of before a flush, says nothing.
   */
  marked(name: string, exactAtMs?: number): void {
    const mark = this.#marks.get(name);
    if (!mark) return;
    for (const passed of this.#marks.keys()) {
      this.#marks.delete(passed);
      if (passed === name) break;
    }
    const atMs = exactAtMs ?? this.#clock.nowMs();
    const shiftMs = atMs - mark.dueAtMs;
    // What is still to come is as late as this one was.
    for (const later of this.#marks.values()) {
      later.beginsAtMs += shiftMs;
      later.dueAtMs += shiftMs;
    }
    this.#beginsAtMs += shiftMs;
    this.#playEndMs += shiftMs;
    this.#delayMs = Math.min(MAX_DELAY_MS, Math.max(0, this.#delayMs + shiftMs));
    const isFirst = mark.samples > 0 && (this.#heard?.itemId !== mark.itemId || this.#heard.samples === 0);
    const firstAtMs = atMs - mark.samples / SAMPLES_PER_MS;
    this.#tell(
      { itemId: mark.itemId, samples: mark.samples },
      { atMs, ...(isFirst && exactAtMs !== undefined && { firstAtMs }) },
    );
  }

  close(): void {
    this.#stopWatch();
    this.#marks.clear();
    this.played$.complete();
  }

  #begin(itemId: string): void {
    this.#itemId = itemId;
    this.#written = 0;
    this.#sent = 0;
    this.#heard ??= { itemId, samples: 0 };
  }

  #give(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#line.play(frame);
      this.#sent = Math.min(this.#written, this.#sent + this.#frameMs * SAMPLES_PER_MS);
      const beginsAtMs = Math.max(this.#playEndMs, this.#clock.nowMs() + this.#delayMs);
      if (this.#framesSinceMark === 0) this.#beginsAtMs = beginsAtMs;
      this.#playEndMs = beginsAtMs + this.#frameMs;
      this.#framesSinceMark += 1;
      if (this.#framesSinceMark >= FRAMES_PER_MARK) this.#mark();
    }
  }

  #mark(): void {
    this.#framesSinceMark = 0;
    if (!this.#line.mark || this.#itemId === null) return;
    if (this.#marks.size >= MAX_OPEN_MARKS) this.#marks.delete(this.#marks.keys().next().value!);
    const name = `m${++this.#markNumber}`;
    const times = { beginsAtMs: this.#beginsAtMs, dueAtMs: this.#playEndMs };
    this.#marks.set(name, { itemId: this.#itemId, samples: this.#sent, ...times });
    this.#line.mark(name);
  }

  /** A look every frame while something is owed: play-out must not be told of anything within a call of its own. */
  #watchOn(): void {
    this.#watch ??= this.#clock.setTimer(this.#frameMs, () => {
      this.#watch = null;
      this.#look();
    });
  }

  #look(): void {
    if (this.#itemId === null && this.#marks.size === 0) return;
    const nowMs = this.#clock.nowMs();
    // Held, or not made yet: what was sent shall be accounted for all the same.
    if (this.#framesSinceMark > 0 && nowMs - this.#writtenAtMs >= this.#frameMs) this.#mark();
    const next = this.#marks.values().next().value;
    const isPlaying = next && nowMs >= next.beginsAtMs && nowMs <= next.dueAtMs + MARK_SLACK_MS;
    if (!isPlaying) this.#standStill(next?.itemId ?? this.#itemId);
    this.#watchOn();
  }

  /** As if nothing had been played since the last mark, until the next one comes. */
  #standStill(itemId: string | null): void {
    if (itemId === null || !this.#line.mark) return;
    // Until the next look nothing more counts.
    const heard = this.#heard?.itemId === itemId ? this.#heard : { itemId, samples: 0 };
    this.#tell(heard, { atMs: this.#clock.nowMs() + this.#frameMs });
  }

  #tell(
    heard: { readonly itemId: string; readonly samples: number },
    times: Pick<Played, 'atMs' | 'firstAtMs'>,
  ): void {
    this.#heard = heard;
    this.played$.next({ ...heard, ...times });
  }

  #stopWatch(): void {
    this.#watch?.cancel();
    this.#watch = null;
  }
}
