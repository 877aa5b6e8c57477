/**
 * Keeps the books of a recording. Time stands still within an entry: whoever asks for it while a cause is being worked
 * off gets the same answer, live as in the replay.
 *
 * A recording begins when a session opens while nothing else is going on, and ends when the last session is closed and
 * the engine is idle, so that a replay begins where this began: from nothing.
 */
import { PartlyFailed } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { EngineComponent } from '../core/engine-steps.ts';
import type { Logger } from '../core/logger.ts';
import type { SessionEvent } from '../session-api.ts';
import {
  type Cause,
  type RecordingEntry,
  FORMAT,
  type RecordedOutcome,
  type RecordedCall,
  type RecordedToolOutcome,
  type ToolAsk,
  type RecordingHeader,
  VERSION,
} from './format.ts';
import { encodeFrame, MAX_FRAME_BYTES } from './frames.ts';
import { hashOf, printable } from './hash.ts';

/** One recording on its way to where it is kept. */
export interface RecordingFile {
  /** Takes a whole frame. Returns false when it takes no more: limit reached, disk full, too slow. */
  write(frame: Uint8Array): boolean;
  close(): void;
}

/** Where recordings are kept. */
export interface RecordingTarget {
  /** Null when no more may begin; says why in the log. */
  create(): RecordingFile | null;
}

export type RecordingNames = Omit<RecordingHeader, 'format' | 'version' | 'startedAtMs'>;

/** Set before this recording began, or while nothing is recorded. */
const BEFORE = -1;
const UNRECORDED: RecordedOutcome = { dropped: [], hash: '' };

export class Recorder {
  readonly #clock: Clock;
  readonly #target: RecordingTarget;
  readonly #names: RecordingNames;
  readonly #log: Logger;
  #file: RecordingFile | null = null;
  /** Counts recordings, so that what was begun in another one is known. */
  #recording = 0;
  #entry: RecordingEntry | null = null;
  #nowMs: number;
  #timers = 0;
  #steps = 0;
  #asks = 0;
  #sessions = 0;
  #running = 0;
  /** Numbers, within the entry, of the events that are being delivered; the innermost last. */
  readonly #delivering: number[] = [];
  #answers: Promise<void> = Promise.resolve();

  /** @param clock the real time behind the recorded one */
  constructor(clock: Clock, target: RecordingTarget, names: RecordingNames, log: Logger) {
    this.#clock = clock;
    this.#target = target;
    this.#names = names;
    this.#log = log;
    this.#nowMs = clock.nowMs();
  }

  /** The time of the entry. */
  nowMs(): number {
    return this.#nowMs;
  }

  /** A timer was set. Returns what is called when it fires. */
  timer(dueMs: number, callback: () => void): () => void {
    const recording = this.#recording;
    const timer = this.#timers++;
    this.#entry?.timers.push(dueMs);
    return () => {
      this.#begin({ type: 'timer', timer: recording === this.#recording ? timer : BEFORE });
      callback();
      this.#endWhenIdle();
    };
  }

  /**
   * An engine step was begun. Its answer is an entry of its own: one after the other, with time for all that waits for
   * it, because several may have arrived at once. `finish` sees the answers (null: the step failed) when they are
   * delivered.
   */
  step<Answer>(
    component: EngineComponent,
    batch: readonly unknown[],
    work: PromiseLike<(Answer | null)[]>,
    finish: (answers: (Answer | null)[] | null) => (Answer | null)[],
  ): Promise<(Answer | null)[]> {
    const recording = this.#recording;
    const step = this.#steps++;
    if (this.#entry) this.#entry.steps.push({ component, hash: hashOf(batch) });
    this.#running += 1;
    const begin = (outcome: () => RecordedOutcome) => {
      this.#running -= 1;
      const known = recording === this.#recording ? step : BEFORE;
      this.#begin({ type: 'answer', step: known, outcome: this.#file ? outcome() : UNRECORDED });
    };
    return new Promise((resolve, reject) => {
      work.then(
        answers =>
          this.#arrived(() => {
            const delivered = finish(answers);
            begin(() => outcomeOf(delivered));
            resolve(delivered);
          }),
        error =>
          this.#arrived(() => {
            finish(null);
            // A recording knows answered steps and failed ones: one that failed in part fails whole.
            const whole = error instanceof PartlyFailed ? error.errors[0] : error;
            begin(() => failureOf(whole));
            reject(whole);
          }),
      );
    });
  }

  /** A tool was asked. Its answer is an entry of its own, in a turn of the host's of its own. */
  ask(
    ask: ToolAsk,
    answered: PromiseLike<RecordedToolOutcome>,
    deliver: (outcome: RecordedToolOutcome) => void,
  ): void {
    const recording = this.#recording;
    const number = this.#asks++;
    this.#entry?.asks.push(ask);
    void answered.then(outcome =>
      this.#clock.setTimer(0, () => {
        this.#begin({ type: 'tool', ask: recording === this.#recording ? number : BEFORE, outcome });
        deliver(outcome);
      }),
    );
  }

  event(session: string, event: SessionEvent, deliver: () => void): void {
    const number = this.#entry ? this.#entry.events.push({ session, json: printable(event) }) - 1 : 0;
    this.#delivering.push(number);
    try {
      deliver();
    } finally {
      this.#delivering.pop();
    }
  }

  /** A call from outside; what it throws is thrown. */
  call<T>(call: RecordedCall, perform: () => T): T {
    if (call.method === 'open') this.#open();
    const afterEvent = this.#delivering.at(-1);
    if (afterEvent === undefined) this.#begin({ type: 'call', call });
    else this.#entry?.nested.push({ afterEvent, call });
    try {
      return perform();
    } catch (error) {
      // In time: the entry is encoded when the next begins.
      call.refused = failureOf(error).code;
      if (call.method === 'open') this.sessionEnded();
      throw error;
    } finally {
      this.#endWhenIdle();
    }
  }

  sessionEnded(): void {
    this.#sessions -= 1;
  }

  #arrived(deliver: () => void): void {
    this.#answers = this.#answers
      .then(deliver)
      .then(() => {})
      .then(() => {})
      .then(() => this.#endWhenIdle());
  }

  /** Nothing is recorded from here on. */
  stop(reason: string): void {
    if (this.#file) this.#end(reason);
  }

  #open(): void {
    const isIdle = this.#sessions === 0 && this.#running === 0;
    this.#sessions += 1;
    if (!isIdle || this.#file) return;
    this.#file = this.#target.create();
    if (!this.#file) return;
    this.#recording += 1;
    [this.#timers, this.#steps, this.#asks] = [0, 0, 0];
    this.#nowMs = this.#laterMs();
    this.#write({ format: FORMAT, version: VERSION, ...this.#names, startedAtMs: this.#nowMs });
  }

  #begin(cause: Cause): void {
    this.#flush();
    this.#nowMs = this.#laterMs();
    if (this.#file) this.#entry = { atMs: this.#nowMs, cause, ...nothingFollowed(), nested: [] };
  }

  #laterMs(): number {
    return Math.max(this.#nowMs, this.#clock.nowMs());
  }

  #flush(): void {
    if (this.#entry) this.#write(this.#entry);
    this.#entry = null;
  }

  #write(content: RecordingHeader | RecordingEntry): void {
    if (!this.#file) return;
    const frame = encodeFrame(content);
    if (frame.length <= MAX_FRAME_BYTES && this.#file.write(frame)) return;
    this.#log.warn({ frameBytes: frame.length }, 'the recording takes no more: the rest is not recorded');
    this.#file.close();
    this.#file = null;
  }

  #endWhenIdle(): void {
    if (this.#file && this.#sessions === 0 && this.#running === 0 && this.#delivering.length === 0)
      this.#end('idle');
  }

  #end(reason: string): void {
    this.#begin({ type: 'end', reason });
    this.#flush();
    this.#file?.close();
    this.#file = null;
  }
}

/** An entry of which nothing followed yet. */
export function nothingFollowed(): Pick<RecordingEntry, 'timers' | 'steps' | 'asks' | 'events'> {
  return { timers: [], steps: [], asks: [], events: [] };
}

function outcomeOf(answers: readonly unknown[]): RecordedOutcome {
  const dropped = answers.flatMap((answer, i) => (answer === null ? [i] : []));
  return { dropped, hash: hashOf(answers.filter(answer => answer !== null)) };
}

export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof RuntimeError) return { code: error.code, message: error.message };
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}
