/**
 * Runs a call of a tool: at most once a key where it has an effect, within its time, its result bounded. What comes out
 * is always something that the model can be told.
 */
import { Observable, observeOn, of, take, timeout } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import { refusedArguments } from './repair.ts';
import { DEFAULT_TOOL_TIMEOUT_MS, type Tool, ToolCrash } from './tool.ts';

/** Of what a tool gives; the rest is an error. */
const MAX_RESULT_CHARS = 16 * 1024;
/** An effect-free tool that crashed runs so often in all. */
const TRIES = 2;
/** Keys that are remembered: a call's repetition comes soon or never. */
const MAX_KEYS = 4096;

export interface ToolRun {
  readonly tool: Tool;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly callId: string;
  readonly sessionId: string;
}

export interface ToolOutcome {
  /** What the model is told. */
  readonly output: string;
  /** It is an error, or nobody knows. */
  readonly failed: boolean;
}

export interface RunningTool {
  /** Nobody wants the result of a tool without effect; of one with an effect it has none. */
  cancel(): void;
}

export class ToolRunner {
  readonly #clock: Clock;
  /** Of tools with an effect that were begun. */
  readonly #keys = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `done` is called once, later, unless it was cancelled before. */
  run(run: ToolRun, done: (outcome: ToolOutcome) => void): RunningTool {
    const { effect, timeoutMs = DEFAULT_TOOL_TIMEOUT_MS } = run.tool;
    const { scheduler } = this.#clock;
    const late = failure(`No answer within ${timeoutMs} ms; nobody knows whether it happened.`);
    const outcome$ = this.#outcome(run).pipe(
      timeout({ first: timeoutMs, with: () => of(late), scheduler }),
      // On the clock, so that what follows has its place among everything else that happens.
      observeOn(scheduler),
      take(1),
    );
    const waiting = outcome$.subscribe(done);
    return { cancel: () => effect === 'world' || waiting.unsubscribe() };
  }

  /** Asked when somebody listens; nobody listens any more: the tool is told to stop. */
  #outcome(run: ToolRun): Observable<ToolOutcome> {
    const { tool, key } = run;
    return new Observable(listener => {
      const abort = new AbortController();
      let isSettled = false;
      const settle = (outcome: ToolOutcome) => {
        isSettled = true;
        listener.next(outcome);
      };
      const refused = refusedArguments({ ...run.arguments }, tool.parameters);
      if (refused !== null) settle(failure(refused));
      else if (tool.effect === 'world' && !this.#begin(key))
        settle(failure('This call was made before; it is not made twice.'));
      else this.#try(run, abort.signal, TRIES, settle);
      return () => isSettled || abort.abort();
    });
  }

  /** A call that is not made has an outcome all the same. */
  refuse(message: string, done: (outcome: ToolOutcome) => void): RunningTool {
    return this.#clock.setTimer(0, () => done(failure(message)));
  }

  /** False where it was begun before. */
  #begin(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > MAX_KEYS)
      for (const oldest of [...this.#keys].slice(0, MAX_KEYS / 2)) this.#keys.delete(oldest);
    return true;
  }

  /**
   * What a tool promises is waited for by its own `then`, without a turn of the host: a simulated tool answers in an
   * event of the clock.
   */
  #try(run: ToolRun, signal: AbortSignal, tries: number, settle: (outcome: ToolOutcome) => void): void {
    const { tool, key, callId, sessionId } = run;
    const failed = (error: unknown) => {
      if (!(error instanceof ToolCrash)) settle(failure(messageOf(error)));
      else if (signal.aborted || tries <= 1) settle(failure(UNKNOWN));
      else if (tool.effect === 'none') this.#try(run, signal, tries - 1, settle);
      else void this.#afterCrash(run, signal, tries, settle);
    };
    const given = (result: unknown) => {
      try {
        settle(outcomeOf(result));
      } catch (error) {
        failed(error);
      }
    };
    try {
      const result = tool.run({ ...run.arguments }, { key, callId, sessionId, signal });
      if (isPromised(result)) void result.then(given, failed);
      else given(result);
    } catch (error) {
      failed(error);
    }
  }

  /** Repeated only if the tool itself says that it did not happen. */
  async #afterCrash(
    run: ToolRun,
    signal: AbortSignal,
    tries: number,
    settle: (outcome: ToolOutcome) => void,
  ): Promise<void> {
    const { tool, key } = run;
    try {
      const result = tool.happened ? await tool.happened(key) : undefined;
      if (result === null) this.#try(run, signal, tries - 1, settle);
      else settle(tool.happened ? outcomeOf(result) : failure(UNKNOWN));
    } catch {
      settle(failure(UNKNOWN));
    }
  }
}

function isPromised(result: unknown): result is PromiseLike<unknown> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function';
}

const UNKNOWN = 'The tool broke down; nobody knows whether it happened.';

/** What a tool threw, as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function errorOutput(message: string): string {
  return JSON.stringify({ error: message.slice(0, 500) });
}

export const CANCELLED_OUTPUT = JSON.stringify({ cancelled: true });
export const RUNNING_OUTPUT = JSON.stringify({ status: 'running' });

const failure = (message: string): ToolOutcome => ({ output: errorOutput(message), failed: true });

const outcomeOf = (result: unknown): ToolOutcome => ({ output: toldResult(result), failed: false });

/** What a tool gave, as the model is told. @throws Error where it is too long, or no JSON */
export function toldResult(result: unknown): string {
  const output = typeof result === 'string' ? result : (JSON.stringify(result ?? null) ?? 'null');
  if (output.length > MAX_RESULT_CHARS)
    throw new Error(`The result has ${output.length} characters, more than ${MAX_RESULT_CHARS}.`);
  return output;
}
