/**
 * A backend of the Responses API does what is handed over; its functions are the client's to run
 * (docs/spec/gpt-live.md §8).
 */
import type { Session } from '../../../actors/session-api.ts';
import { refusal } from '../../json/index.ts';
import type { Outbox } from '../outbox.ts';
import type { ResponsesConfig } from '../session-config.ts';
import type { Backend } from './backend.ts';
import { backendInput } from './backend-input.ts';
import type { Delegation } from './delegations.ts';
import { ResponsesRun } from './responses-run.ts';

const MAX_RUNS = 8;
/** Items of the client's own in the backend's conversation. */
const MAX_ITEMS = 64;

export interface ResponsesDelegationOptions {
  readonly backend: Backend;
  readonly outbox: Outbox;
  readonly config: () => ResponsesConfig;
  readonly session: () => Session;
  /** What a run of the client's own came to. */
  readonly onText: (text: string) => void;
  readonly onFailed: (error: unknown) => void;
}

export type ResponsesInput = Readonly<Record<string, unknown>> & { readonly type?: string | undefined };

export class ResponsesDelegation {
  readonly #options: ResponsesDelegationOptions;
  readonly #runs = new Set<ResponsesRun>();
  readonly #items: ResponsesInput[] = [];
  readonly #closing = new AbortController();

  constructor(options: ResponsesDelegationOptions) {
    this.#options = options;
  }

  async begin({ id, task, signal }: Delegation): Promise<string> {
    try {
      return await this.#run(id, task, AbortSignal.any([signal, this.#closing.signal]));
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** `response.item.create`. Throws a refusal. */
  createItem(item: ResponsesInput): void {
    if (item.type !== 'function_call_output') {
      if (this.#items.length >= MAX_ITEMS)
        throw refusal('items_full', `At most ${MAX_ITEMS} items may be added for the backend.`, 'item');
      this.#items.push(item);
      return;
    }
    const callId = String(item.call_id).slice(0, 256);
    for (const run of this.#runs) if (run.takeOutput(callId, item)) return;
    const message = `No function call ${JSON.stringify(callId)} waits for an output.`;
    throw refusal('unknown_call', message, 'item.call_id');
  }

  /**
   * `response.create`: goes on with what has all its outputs; where nothing waits for any, asks the backend anew.
   * Throws a refusal.
   */
  create(): void {
    const waiting = [...this.#runs].filter(({ missing }) => missing !== null);
    const ready = waiting.filter(({ missing }) => missing?.length === 0);
    if (waiting.length > 0 && ready.length === 0) {
      const calls = waiting.flatMap(({ missing }) => missing ?? []).join(', ');
      throw refusal('missing_outputs', `These function calls have no output yet: ${calls.slice(0, 500)}.`);
    }
    for (const run of ready) run.goOn();
    if (ready.length > 0) return;
    const { onText } = this.#options;
    void this.#run(null, '', this.#closing.signal).then(onText, error => this.#failed(error));
  }

  close(): void {
    this.#closing.abort();
  }

  async #run(delegationId: string | null, task: string, signal: AbortSignal): Promise<string> {
    const { backend, config, outbox, session } = this.#options;
    if (this.#runs.size >= MAX_RUNS) throw new Error(`More than ${MAX_RUNS} tasks at once.`);
    const run = new ResponsesRun({
      delegationId,
      ask: added => {
        const responses = config();
        const input = [...backendInput(session().items, task), ...this.#items, ...added];
        const model = backend.model ?? responses.model;
        return backend.ask({ ...responses, model, input, stream: true, store: false }, signal);
      },
      tell: event => outbox.send('response.event', { delegation_id: delegationId, event }),
    });
    this.#runs.add(run);
    try {
      return await run.run(signal);
    } finally {
      this.#runs.delete(run);
    }
  }

  #failed(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#options.onFailed(error);
  }
}
