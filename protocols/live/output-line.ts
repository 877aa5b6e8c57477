/**
 * The endless line to the client: the agent's speech, and digital silence wherever there is none, at the pace of the
 * clock. Nothing can recall what was sent, so speech leaves at most `LEAD_MS` ahead, and silence never ahead. What is
 * written goes out within the same call when the line has room: speech that begins waits for no frame.
 *
 *   play-out ──20 ms frames, paced──► [ queue ] ──┐
 *                                      silence ───┴──► outlet: session.output_audio.delta, or a track
 *
 * A server that stalled does not make up for more than `MAX_GAP_MS`: the client has played nothing meanwhile, and would
 * play all that follows late by as much.
 */
import { EMPTY } from 'rxjs';
import type { Timer } from '../../actors/core/clock.ts';
import type { Speaker } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { Timeline } from './timeline.ts';

const FRAME_MS = 20;
const MAX_GAP_MS = 100;
const SAMPLES_PER_MS = SESSION_OUTPUT_RATE_HZ / 1000;
const SILENCE = new Float32Array(MAX_GAP_MS * SAMPLES_PER_MS);

/** Where the line ends: sound inside the events (`event-outlet.ts`), or a track. Samples of the output rate. */
export interface LineOutlet {
  /** At most so far ahead of the clock is speech handed over. */
  readonly leadMs: number;
  /** From there to the ear, as far as the client does not answer for it. */
  readonly latencyMs: number;
  /** `fromMs`: its place on the line. */
  sound(samples: Float32Array, fromMs: number): void;
  silence(samples: Float32Array): void;
  /** What follows is no continuation of what was handed over. */
  cut(): void;
}

export interface OutputLineOptions {
  readonly clock: Timers;
  readonly timeline: Timeline;
  readonly outlet: LineOutlet;
}

export class OutputLine implements Speaker {
  readonly latencyMs: number;
  readonly leadMs: number;
  readonly played$ = EMPTY;
  readonly #options: OutputLineOptions;
  /** Output samples of the line that were sent, or left out after a stall. */
  #sent = 0;
  #queue: Float32Array[] = [];
  #queued = 0;
  #ticks = 0;
  #timer: Timer | null = null;
  #onDrained: (() => void) | null = null;
  #stopped = false;

  constructor(options: OutputLineOptions) {
    this.#options = options;
    this.latencyMs = options.outlet.latencyMs;
    this.leadMs = options.outlet.leadMs;
    this.#schedule();
  }

  /** Where on the line, in milliseconds from its start, the next sample that is written will stand. */
  get positionMs(): number {
    return Math.max(this.#sent + this.#queued, this.#due) / SAMPLES_PER_MS;
  }

  write(_itemId: string, samples: Float32Array): void {
    this.#push(samples);
    this.#pump();
  }

  end(): void {}

  flush(): void {
    // A fixture is no speech of the agent's.
    if (this.#onDrained) return;
    this.#queue = [];
    this.#queued = 0;
    this.#options.outlet.cut();
  }

  /** Sound that is not the agent's, in the place of what waits. */
  play(samples: Float32Array, onDrained: () => void): void {
    this.flush();
    this.#onDrained = onDrained;
    this.#push(samples);
    this.#pump();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#queue = [];
    this.#queued = 0;
    this.#onDrained = null;
  }

  /** Samples that a line at the pace of the clock has given by now. */
  get #due(): number {
    return Math.floor(this.#options.timeline.nowMs * SAMPLES_PER_MS + 1e-6);
  }

  #push(samples: Float32Array): void {
    if (samples.length === 0) return;
    this.#queue.push(samples);
    this.#queued += samples.length;
  }

  #schedule(): void {
    const { clock, timeline } = this.#options;
    const dueMs = ++this.#ticks * FRAME_MS;
    this.#timer = clock.setTimer(Math.max(0, dueMs - timeline.nowMs), () => {
      // Behind by several frames it does not fire for each of them.
      this.#ticks = Math.max(this.#ticks, Math.floor(timeline.nowMs / FRAME_MS));
      this.#pump();
      this.#beSilent();
      // The client may have been found to read nothing.
      if (!this.#stopped) this.#schedule();
    });
  }

  #pump(): void {
    if (this.#queued > 0) this.#beSilent();
    const most = this.#due + this.leadMs * SAMPLES_PER_MS;
    while (this.#queue.length > 0 && this.#sent < most) {
      const [head] = this.#queue;
      const count = Math.min(head.length, most - this.#sent);
      if (count === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(count);
      this.#queued -= count;
      const fromMs = this.#sent / SAMPLES_PER_MS;
      this.#sent += count;
      this.#options.outlet.sound(head.subarray(0, count), fromMs);
    }
    const drained = this.#queue.length === 0 ? this.#onDrained : null;
    if (!drained) return;
    this.#onDrained = null;
    drained();
  }

  /** Up to now. */
  #beSilent(): void {
    const behind = this.#due - this.#sent;
    if (behind <= 0) return;
    const given = Math.min(behind, SILENCE.length);
    this.#sent += behind;
    this.#options.outlet.silence(SILENCE.subarray(0, given));
  }
}
