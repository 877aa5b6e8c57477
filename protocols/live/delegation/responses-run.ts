/**
 * One task at a backend: asked, answered in text, or with calls of functions that the client runs. When all of a
 * round's calls are answered and the client says so, the next round is asked with them.
 */
import { isRecord } from '../../json/index.ts';
import type { BackendEvent } from './backend.ts';

/** A backend that calls and calls is asked no further. */
const MAX_ROUNDS = 16;
const MAX_TEXT_CHARS = 16_000;

export interface ResponsesRunOptions {
  /** Null: it was the client's own to begin. */
  readonly delegationId: string | null;
  /** Asks with what this run has added to the conversation. */
  readonly ask: (added: readonly unknown[]) => AsyncIterable<BackendEvent>;
  readonly tell: (event: BackendEvent) => void;
}

export class ResponsesRun {
  readonly #options: ResponsesRunOptions;
  readonly #added: unknown[] = [];
  /** Calls of the last round, and what came of them; null: not yet. */
  #calls = new Map<string, unknown>();
  /** The round is complete but for the client's outputs. */
  #waits = false;
  #released = false;
  #onReleased: () => void = () => {};

  constructor(options: ResponsesRunOptions) {
    this.#options = options;
  }

  /** The text of the last round. Throws what the backend says of its failure. */
  async run(signal: AbortSignal): Promise<string> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const text = await this.#round();
      if (this.#calls.size === 0) return text;
      await this.#answered(signal);
      this.#added.push(...this.#calls.values());
      this.#calls = new Map();
    }
    throw new Error(`The backend called functions in ${MAX_ROUNDS} rounds and did not come to an end.`);
  }

  /** The output of a call of this run; false: it is none of its calls, or has one. */
  takeOutput(callId: string, item: unknown): boolean {
    if (this.#calls.get(callId) !== null) return false;
    this.#calls.set(callId, item);
    return true;
  }

  /** Calls that the client has not answered; null: this run waits for nothing of the client's. */
  get missing(): readonly string[] | null {
    if (!this.#waits) return null;
    return [...this.#calls].filter(([, output]) => output === null).map(([id]) => id);
  }

  /** The client has given all outputs. */
  goOn(): void {
    this.#waits = false;
    this.#released = true;
    this.#onReleased();
  }

  async #round(): Promise<string> {
    const { ask, tell } = this.#options;
    let text = '';
    for await (const event of ask(this.#added)) {
      // The client may go on as soon as it is told.
      if (event.type === 'response.completed') this.#waits = this.#calls.size > 0;
      tell(slim(event));
      if (event.type === 'response.output_text.delta') text += String(event.delta).slice(0, MAX_TEXT_CHARS);
      else if (event.type === 'response.output_item.done') this.#keep(event.item);
      else if (event.type === 'response.completed') return text.slice(0, MAX_TEXT_CHARS);
      else if (FAILED.has(event.type)) throw new Error(failure(event));
    }
    throw new Error('The backend broke off.');
  }

  #keep(item: unknown): void {
    if (!isRecord(item)) return;
    if (item.type === 'function_call' && typeof item.call_id === 'string')
      this.#calls.set(item.call_id, null);
    if (item.type === 'function_call' || item.type === 'message') this.#added.push(item);
  }

  async #answered(signal: AbortSignal): Promise<void> {
    if (!this.#released) {
      await new Promise<void>((resolve, reject) => {
        this.#onReleased = resolve;
        signal.addEventListener('abort', () => reject(new Error('The calls were not answered in time.')));
      });
    }
    this.#released = false;
  }
}

const FAILED: ReadonlySet<string> = new Set(['response.failed', 'response.incomplete', 'error']);

function failure({ type, response, message }: BackendEvent): string {
  const { error, incomplete_details } = isRecord(response)
    ? response
    : { error: null, incomplete_details: null };
  if (isRecord(error) && typeof error.message === 'string') return error.message;
  if (isRecord(incomplete_details)) return `The backend stopped early: ${String(incomplete_details.reason)}.`;
  return typeof message === 'string' ? message : `The backend says ${type}.`;
}

/** Snapshots of a response go without what it was made from and what it gave: that came piece by piece. */
function slim(event: BackendEvent): BackendEvent {
  if (!isRecord(event.response)) return event;
  const { input: _, ...response } = event.response;
  return { ...event, response: { ...response, instructions: null, tools: [], output: [] } };
}
