/**
 * The JSON array form of Chrome's Trace Event Format, which ui.perfetto.dev and chrome://tracing open. Its closing
 * bracket may be missing, so that a file that is still being written, or was cut, can be read; one that was closed is
 * JSON for everybody.
 */
import type { TurnSpan, TurnSpans } from './turn-spans.ts';

const PROCESS_ID = 1;

/** Where bytes go; false when no more is taken. */
export interface ByteSink {
  write(bytes: Uint8Array): boolean;
  close(): void;
}

/** Every session has two threads of the picture, one a side: an interruption overlaps with what it interrupts. */
export class PerfettoWriter {
  readonly #sink: ByteSink;
  readonly #encoder = new TextEncoder();
  /** The user's thread of each open session; the agent's is the next. */
  readonly #threads = new Map<string, number>();
  #nextThread = 1;
  #isFull = false;
  #separator = '';

  constructor(sink: ByteSink) {
    this.#sink = sink;
    this.#isFull = !sink.write(this.#encoder.encode('[\n'));
  }

  turn({ session, turn, user, agent, attributes }: TurnSpans): void {
    const thread = this.#threadOf(session);
    const answer = agent.length > 0 && { ...agent[0], endMs: agent[agent.length - 1].endMs, name: turn.name };
    this.#write([
      ...(user ? [complete(user, thread, attributes)] : []),
      ...(answer ? [complete(answer, thread + 1, attributes)] : []),
      ...agent.map(span => complete(span, thread + 1)),
    ]);
  }

  sessionEnded(session: string): void {
    this.#threads.delete(session);
  }

  close(): void {
    if (!this.#isFull) this.#sink.write(this.#encoder.encode('\n]\n'));
    this.#sink.close();
  }

  #threadOf(session: string): number {
    const known = this.#threads.get(session);
    if (known !== undefined) return known;
    const thread = this.#nextThread;
    this.#nextThread += 2;
    this.#threads.set(session, thread);
    this.#write([threadName(thread, `${session} user`), threadName(thread + 1, `${session} agent`)]);
    return thread;
  }

  /** Whole events only: what is beyond the limit is left out, and all that follows. */
  #write(events: readonly object[]): void {
    if (this.#isFull) return;
    const text = events.map(event => JSON.stringify(event)).join(',\n');
    if (text === '') return;
    const bytes = this.#encoder.encode(this.#separator + text);
    this.#separator = ',\n';
    this.#isFull = !this.#sink.write(bytes);
  }
}

function complete({ name, startMs, endMs }: TurnSpan, tid: number, args?: TurnSpans['attributes']): object {
  const times = { ts: Math.round(startMs * 1000), dur: Math.round((endMs - startMs) * 1000) };
  return { ph: 'X', cat: 'turn', pid: PROCESS_ID, tid, name, ...times, ...(args && { args }) };
}

function threadName(tid: number, name: string): object {
  return { ph: 'M', name: 'thread_name', pid: PROCESS_ID, tid, args: { name } };
}
