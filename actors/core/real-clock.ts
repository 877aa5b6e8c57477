/**
 * The machine's clock, and the only file that reads it. Timers wait in the same heap as under virtual time, so that
 * their order is (due time, sequence) here too; one host timer waits for the earliest.
 */
import type { SchedulerLike } from 'rxjs';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock, Timer, XStateClock } from './clock.ts';
import { checkDelay, schedulerOf, xstateClockOf } from './clock-faces.ts';
import { EventHeap, type HeapEvent } from './event-heap.ts';

/** Timers that are called before sockets get a turn. */
const MOST_A_TURN = 16;
/** The longest delay Node's timers hold; longer ones would fire at once. */
const MAX_HOST_DELAY_MS = 2 ** 31 - 1;

export class RealClock implements Clock {
  readonly scheduler: SchedulerLike;
  readonly xstate: XStateClock;
  readonly #startedAtMs = performance.now();
  readonly #heap = new EventHeap<() => void>();
  /** When the host wakes us; Infinity when it will not. */
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** The turn's other timers, which are called next. */
  readonly #others: NodeJS.Immediate[] = [];
  #dueByMs = 0;

  constructor() {
    this.scheduler = schedulerOf(
      () => this.nowMs(),
      (delayMs, callback) => this.setTimer(delayMs, callback),
    );
    this.xstate = xstateClockOf((delayMs, callback) => this.setTimer(delayMs, callback));
  }

  nowMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** Never early; late by up to about 1 ms (the host's grain), except delay 0, which runs in the next host turn. */
  setTimer(delayMs: number, callback: () => void): Timer {
    checkDelay(delayMs);
    const dueMs = this.nowMs() + delayMs;
    const event = this.#heap.push(dueMs, callback);
    if (dueMs < this.#wakeAtMs) this.#arm();
    return new RealTimer(event, () => this.#disarmWhenEmpty());
  }

  settle<T>(work: PromiseLike<T>): Promise<T> {
    return Promise.resolve(work);
  }

  /**
   * What is due by now, a few timers a turn of the host's loop: each is called by the host, so that microtasks get
   * theirs between two, and sockets after a few. A turn of the loop for each timer of hundreds of calls would cost more
   * than what they do. What they set for now comes in a later turn.
   */
  readonly #wake = (): void => {
    this.#wakeAtMs = Number.NEGATIVE_INFINITY;
    this.#dueByMs = this.nowMs();
    const others = this.#heap.countDue(this.#dueByMs, MOST_A_TURN) - 1;
    for (let n = 0; n < others; n++) this.#others.push(setImmediate(this.#wakeOther));
    this.#wakeOne();
  };

  readonly #wakeOther = (): void => {
    this.#others.shift();
    this.#wakeOne();
  };

  #wakeOne(): void {
    try {
      if (this.#heap.nextTimeMs() <= this.#dueByMs) this.#heap.pop()!();
    } finally {
      if (this.#others.length === 0) {
        this.#wakeAtMs = Number.POSITIVE_INFINITY;
        this.#arm();
      }
    }
  }

  #arm(): void {
    const dueMs = this.#heap.nextTimeMs();
    if (dueMs >= this.#wakeAtMs) return;
    this.#disarm();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#wakeAtMs = dueMs;
    const waitMs = Math.min(Math.ceil(dueMs - this.nowMs()), MAX_HOST_DELAY_MS);
    if (waitMs <= 0) this.#immediate = setImmediate(this.#wake);
    else this.#timeout = setTimeout(this.#wake, waitMs);
  }

  /** A process with nothing left to wait for may exit. */
  #disarmWhenEmpty(): void {
    if (this.#heap.size === 0) this.#disarm();
  }

  #disarm(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    for (const other of this.#others) clearImmediate(other);
    this.#others.length = 0;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
  }
}

class RealTimer implements Timer {
  readonly #event: HeapEvent<() => void>;
  readonly #onCancel: () => void;

  constructor(event: HeapEvent<() => void>, onCancel: () => void) {
    this.#event = event;
    this.#onCancel = onCancel;
  }

  cancel(): void {
    this.#event.cancel();
    this.#onCancel();
  }
}

/** For names and dates that people read; nothing is timed by it. */
export const unixTimeMs = (): number => Date.now();

/** Resolves after one turn of the host's loop: every microtask queued before, and all they queue, has run. */
export function hostTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/** Waits for work on the host. Error `clock.work-stuck` after `limitMs` of machine time, so that nothing hangs. */
export async function hostWait<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => {
      const remedy = 'The engine did not answer; look at its log, or raise maxHostWaitMs.';
      reject(
        new RuntimeError(
          'clock.work-stuck',
          'Work awaited by the virtual clock did not end.',
          { limitMs },
          remedy,
        ),
      );
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timeout);
  }
}
