import type { Clock, Timer } from './clock.ts';
import { MeasuredCost } from './step-cost.ts';

/** Times what steps of their size took lately. */
const ALLOWANCE = 4;
/** Where nothing is known of a component's steps yet. */
const FIRST_STEP_MS = 20_000;
/** How long after its deadline an answer may have been under way: it is given a turn of the loop to arrive. */
const SECOND_LOOK_MS = 20;
/** Sums of times are not exact. */
const ROUNDING_MS = 0.01;
/** A timer that came later than it should shows that this process was held up, and its threads maybe too. */
const MAX_LATENESS_MS = 2000;
/**
 * After a step was given up the next may take twice as long, up to this, until one is answered: its time counts from
 * then on.
 */
const MAX_PATIENCE = 32;

/** A step that is not answered yet. */
export interface WatchedStep {
  readonly size: number;
  startMs: number;
  isLate: boolean;
}

export interface StepWatchEvents {
  /** The oldest step is not answered and will not be waited for. */
  overdue(step: WatchedStep, tookMs: number, deadlineMs: number): void;
  /** Answered, but it took more than half its deadline. */
  slow(step: WatchedStep, tookMs: number, deadlineMs: number): void;
}

/**
 * Sees to it that steps of one component end in time: within `deadlineMs`, or where they are large within some times of
 * what steps of that size have taken. One timer looks at the oldest; it is set anew only for an earlier look.
 */
export class StepWatch {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #on: StepWatchEvents;
  readonly #cost = new MeasuredCost();
  readonly #steps: WatchedStep[] = [];
  #patience = 1;
  #timer: Timer | null = null;
  #looksAtMs = 0;
  #isHeld = false;

  constructor(clock: Clock, deadlineMs: number, on: StepWatchEvents) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#on = on;
  }

  begin(size: number): WatchedStep {
    const step = { size, startMs: this.#clock.nowMs(), isLate: false };
    this.#steps.push(step);
    if (this.#steps.length === 1) this.#arm();
    return step;
  }

  answered(step: WatchedStep): void {
    const tookMs = this.#clock.nowMs() - step.startMs;
    const deadlineMs = this.#deadlineOf(step);
    if (!this.ended(step)) return;
    this.#cost.observe(step.size, tookMs);
    this.#patience = 1;
    if (tookMs > deadlineMs / 2) this.#on.slow(step, tookMs, deadlineMs);
  }

  /** Without an answer. False: it was no longer watched. */
  ended(step: WatchedStep): boolean {
    const at = this.#steps.indexOf(step);
    if (at < 0) return false;
    this.#steps.splice(at, 1);
    // The next one is computed from now on.
    if (at === 0 && this.#steps.length > 0) {
      this.#steps[0].startMs = this.#clock.nowMs();
      this.#arm();
    }
    return true;
  }

  /** The component computes nothing for the time being: what waits is not late. */
  hold(): void {
    this.#isHeld = true;
    this.#cancel();
  }

  resume(): void {
    this.#isHeld = false;
    const nowMs = this.#clock.nowMs();
    for (const step of this.#steps) {
      step.startMs = nowMs;
      step.isLate = false;
    }
    this.#arm();
  }

  #deadlineOf(step: WatchedStep): number {
    const expectedMs = this.#cost.expectedMs(step.size);
    const ms = expectedMs === null ? FIRST_STEP_MS : Math.max(this.#deadlineMs, ALLOWANCE * expectedMs);
    return ms * this.#patience;
  }

  /** A look at the oldest step when it is due; one that comes earlier serves as well, it looks again. */
  #arm(): void {
    const oldest = this.#steps[0];
    if (!oldest || this.#isHeld) return;
    const inMs = Math.max(0, oldest.startMs + this.#deadlineOf(oldest) - this.#clock.nowMs());
    if (!this.#timer || this.#looksAtMs > this.#clock.nowMs() + inMs) this.#lookIn(inMs);
  }

  #look(): void {
    this.#timer = null;
    const oldest = this.#steps[0];
    if (!oldest || this.#isHeld) return;
    const deadlineMs = this.#deadlineOf(oldest);
    const tookMs = this.#clock.nowMs() - oldest.startMs;
    if (tookMs + ROUNDING_MS < deadlineMs) this.#arm();
    else if (!oldest.isLate) {
      oldest.isLate = true;
      this.#lookIn(SECOND_LOOK_MS + Math.min(tookMs - deadlineMs, MAX_LATENESS_MS));
    } else {
      this.#steps.shift();
      this.#patience = Math.min(MAX_PATIENCE, this.#patience * 2);
      this.#on.overdue(oldest, tookMs, deadlineMs);
      this.#arm();
    }
  }

  #lookIn(delayMs: number): void {
    this.#cancel();
    this.#looksAtMs = this.#clock.nowMs() + delayMs;
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
