/**
 * Simulated time: nothing happens between two events, and each event sees its own due time as now (ARCHITECTURE.md §6).
 *
 * Two ways to run, with the same order of events. `run…` is asynchronous and lets every microtask of an event finish
 * before the next event; it is the one that awaits settled work. `run…Sync` is for pure simulations whose callbacks
 * use neither promises nor `settle`: millions of events a second.
 */
import type { SchedulerLike } from 'rxjs';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock, Timer, XStateClock } from './clock.ts';
import { checkDelay, schedulerOf, xstateClockOf } from './clock-faces.ts';
import { EventHeap } from './event-heap.ts';
import { hostTurn, hostWait } from './real-clock.ts';

export interface VirtualClockOptions {
  /** More events than this without progress of time is a livelock. */
  readonly maxEventsPerInstant?: number;
  /** Machine time that one settled piece of work may take. */
  readonly maxHostWaitMs?: number;
}

export interface CompletionOptions {
  /** A run that has not come to rest after this many events fails. */
  readonly maxEvents?: number;
}

/** Work done outside the clock, waiting in the heap for its virtual time. */
class Settlement {
  /** Hands the outcome to whoever called `settle`. */
  readonly deliver: Promise<() => void>;
  answered = false;

  constructor(deliver: PromiseLike<() => void>) {
    this.deliver = Promise.resolve(deliver).finally(() => {
      this.answered = true;
    });
  }
}

export class VirtualClock implements Clock {
  readonly scheduler: SchedulerLike;
  readonly xstate: XStateClock;
  readonly #heap = new EventHeap<(() => void) | Settlement>();
  readonly #maxEventsPerInstant: number;
  readonly #maxHostWaitMs: number;
  #nowMs = 0;
  #eventsThisInstant = 0;
  #running = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#maxEventsPerInstant = options.maxEventsPerInstant ?? 1_000_000;
    this.#maxHostWaitMs = options.maxHostWaitMs ?? 600_000;
    this.scheduler = schedulerOf(
      () => this.#nowMs,
      (delayMs, callback) => this.setTimer(delayMs, callback),
    );
    this.xstate = xstateClockOf((delayMs, callback) => this.setTimer(delayMs, callback));
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Events that are still to come: timers and settled work. */
  get pending(): number {
    return this.#heap.size;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    checkDelay(delayMs);
    return this.#heap.push(this.#nowMs + delayMs, callback);
  }

  settle<T>(work: PromiseLike<T>, costMs = 0): Promise<T> {
    checkDelay(costMs);
    return new Promise<T>((resolve, reject) => {
      const deliver = work.then(
        value => () => resolve(value),
        reason => () => reject(reason),
      );
      this.#heap.push(this.#nowMs + costMs, new Settlement(deliver));
    });
  }

  /** Runs what is due up to and including `timeMs`, then stands there. Returns the number of events. */
  runUntil(timeMs: number): Promise<number> {
    return this.#run(this.#checkTarget(timeMs), Number.POSITIVE_INFINITY);
  }

  runFor(durationMs: number): Promise<number> {
    return this.runUntil(this.#nowMs + durationMs);
  }

  /** Runs until nothing is pending; the clock stands at the last event. Error `clock.too-many-events`. */
  runToCompletion({ maxEvents = 100_000_000 }: CompletionOptions = {}): Promise<number> {
    return this.#run(Number.POSITIVE_INFINITY, maxEvents);
  }

  runUntilSync(timeMs: number): number {
    return this.#runSync(this.#checkTarget(timeMs), Number.POSITIVE_INFINITY);
  }

  runForSync(durationMs: number): number {
    return this.runUntilSync(this.#nowMs + durationMs);
  }

  runToCompletionSync({ maxEvents = 100_000_000 }: CompletionOptions = {}): number {
    return this.#runSync(Number.POSITIVE_INFINITY, maxEvents);
  }

  async #run(untilMs: number, maxEvents: number): Promise<number> {
    this.#enter();
    try {
      let events = 0;
      // What was started before the run may still be about to schedule its first event.
      await hostTurn();
      while (this.#heap.nextTimeMs() <= untilMs && this.#heap.size > 0) {
        if (++events > maxEvents) throw this.#tooManyEvents(maxEvents);
        const event = this.#advance();
        if (event instanceof Settlement) await this.#deliver(event);
        else event();
        await hostTurn();
      }
      this.#standAt(untilMs);
      return events;
    } finally {
      this.#running = false;
    }
  }

  #runSync(untilMs: number, maxEvents: number): number {
    this.#enter();
    try {
      let events = 0;
      while (this.#heap.nextTimeMs() <= untilMs && this.#heap.size > 0) {
        if (++events > maxEvents) throw this.#tooManyEvents(maxEvents);
        const event = this.#advance();
        if (event instanceof Settlement) throw settledInSyncRun(this.#nowMs);
        event();
      }
      this.#standAt(untilMs);
      return events;
    } finally {
      this.#running = false;
    }
  }

  /** Takes the next event and moves time to it. */
  #advance(): (() => void) | Settlement {
    const dueMs = this.#heap.nextTimeMs();
    if (dueMs > this.#nowMs) {
      this.#nowMs = dueMs;
      this.#eventsThisInstant = 0;
    }
    if (++this.#eventsThisInstant > this.#maxEventsPerInstant) throw this.#livelock();
    return this.#heap.pop()!;
  }

  async #deliver(settlement: Settlement): Promise<void> {
    if (!settlement.answered) await hostTurn();
    const deliver = settlement.answered
      ? await settlement.deliver
      : await hostWait(settlement.deliver, this.#maxHostWaitMs);
    deliver();
  }

  #standAt(timeMs: number): void {
    if (timeMs === Number.POSITIVE_INFINITY || timeMs <= this.#nowMs) return;
    this.#nowMs = timeMs;
    this.#eventsThisInstant = 0;
  }

  #enter(): void {
    if (this.#running) {
      throw new RuntimeError(
        'clock.already-running',
        'The virtual clock is already being run.',
        { nowMs: this.#nowMs },
        'Await the first run; an event must not run the clock that runs it.',
      );
    }
    this.#running = true;
  }

  #checkTarget(timeMs: number): number {
    if (timeMs >= this.#nowMs && timeMs < Number.POSITIVE_INFINITY) return timeMs;
    throw new RuntimeError(
      'clock.bad-target',
      'The virtual clock runs to a finite time that is not in the past.',
      { nowMs: this.#nowMs, timeMs },
      'To run until nothing is pending use runToCompletion.',
    );
  }

  #livelock(): RuntimeError {
    return new RuntimeError(
      'clock.livelock',
      'Events keep coming but time does not pass.',
      { nowMs: this.#nowMs, maxEventsPerInstant: this.#maxEventsPerInstant, pending: this.pending },
      'Look for a timer of 0 ms that schedules itself.',
    );
  }

  #tooManyEvents(maxEvents: number): RuntimeError {
    return new RuntimeError(
      'clock.too-many-events',
      'The simulation did not come to rest.',
      { nowMs: this.#nowMs, maxEvents, pending: this.pending },
      'Stop what repeats for ever, or run to a given time with runUntil.',
    );
  }
}

function settledInSyncRun(nowMs: number): RuntimeError {
  return new RuntimeError(
    'clock.settle-in-sync-run',
    'Settled work is due, but a synchronous run cannot wait for it.',
    { nowMs },
    'Use the asynchronous run: await clock.runUntil(…).',
  );
}
