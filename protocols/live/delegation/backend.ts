/**
 * A backend that answers requests of the Responses API (docs/spec/gpt-live.md §8): what is asked of it, and the events
 * of its stream.
 */

/** One event of the stream; `type` says what. */
export interface BackendEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Backend {
  /** Instead of the one that the client names; absent: the client's. */
  readonly model?: string | undefined;
  /** Throws where no stream comes of it. */
  ask(request: Readonly<Record<string, unknown>>, signal: AbortSignal): AsyncIterable<BackendEvent>;
}
