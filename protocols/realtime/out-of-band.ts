/**
 * Responses outside the conversation (`conversation: "none"`, docs/spec/protocols.md §1.6). Each is made in a session
 * of its own that is gone with it: it may run beside the conversation's response, enters nothing into the conversation,
 * and takes a place in the process as any session does.
 */
import { randomUUID } from 'node:crypto';
import type {
  NewItem,
  ResponseOptions,
  ResponseStatus,
  Session,
  SessionEvent,
  SessionSettings,
  Usage,
} from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { createAudioEncoder } from './audio-format.ts';
import type { SendEvent } from './outbox.ts';
import { refusal } from './protocol-error.ts';
import { type ResponseHeader, ResponseWriter } from './response-writer.ts';

/** Of one connection. */
const MAX_AT_ONCE = 4;

const NO_USAGE: Usage = {
  inputTextTokens: 0,
  inputAudioTokens: 0,
  inputImageTokens: 0,
  cachedTextTokens: 0,
  cachedAudioTokens: 0,
  cachedImageTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0,
};

export interface OutOfBandRequest {
  readonly settings: Partial<SessionSettings>;
  readonly items: readonly NewItem[];
  readonly options: Partial<ResponseOptions>;
  readonly header: Omit<ResponseHeader, 'id' | 'itemId' | 'conversationId'>;
}

export interface OutOfBandOptions {
  readonly send: SendEvent;
  readonly clock: Timers;
  readonly openSession: (settings: Partial<SessionSettings>) => Session;
  readonly onDone: (status: string) => void;
  /** One could not be told of as a response. */
  readonly onFailed: (error: unknown) => void;
}

export class OutOfBand {
  readonly #options: OutOfBandOptions;
  readonly #sessions = new Map<string, Session>();
  /** By response. */
  readonly #ids = new Map<string, Session>();
  #closed = false;

  constructor(options: OutOfBandOptions) {
    this.#options = options;
  }

  /** Also what opening a session and adding its items may throw; nothing is left of it then. */
  start({ settings, items, options, header }: OutOfBandRequest): void {
    if (this.#closed) return;
    if (this.#sessions.size >= MAX_AT_ONCE) {
      const text = `At most ${MAX_AT_ONCE} responses outside the conversation run at once; response.create was refused.`;
      throw refusal('too_many_responses', text, 'response.conversation');
    }
    const session = this.#options.openSession({
      ...settings,
      turnDetection: { mode: 'manual' },
      delivery: { mode: 'burst' },
      // Beside the conversation nothing is done in the world.
      tools: [],
      toolChoice: 'none',
    });
    this.#sessions.set(session.id, session);
    const listener = new OutOfBandListener(header, this.#options.send);
    session.events$.subscribe(event => {
      if (this.#sessions.has(session.id)) this.#hear(session, listener, event);
    });
    try {
      for (const item of items) session.send({ type: 'item.add', item });
      const responseId = `resp_${randomUUID()}`;
      this.#ids.set(responseId, session);
      session.send({ type: 'response.create', responseId, options });
    } catch (error) {
      this.#end(session, 'could not be asked');
      throw error;
    }
  }

  /** False when it is none of these. */
  cancel(responseId: string): boolean {
    const session = this.#ids.get(responseId);
    session?.send({ type: 'response.cancel', responseId });
    return session !== undefined;
  }

  close(reason: string): void {
    this.#closed = true;
    for (const session of [...this.#sessions.values()]) this.#end(session, reason);
  }

  #hear(session: Session, listener: OutOfBandListener, event: SessionEvent): void {
    try {
      const status = listener.write(event);
      if (status === null) return;
      this.#options.onDone(status);
    } catch (error) {
      // Ours to fail, not the session's: it must not be thrown back at the actors.
      this.#options.onFailed(error);
    }
    this.#sessions.delete(session.id);
    // Not in the middle of its own delivery.
    this.#options.clock.setTimer(0, () => this.#end(session, 'its response is done'));
  }

  #end(session: Session, reason: string): void {
    this.#sessions.delete(session.id);
    for (const [id, one] of this.#ids) if (one === session) this.#ids.delete(id);
    session.close(reason);
  }
}

/** Tells the client what the session of one response says. */
class OutOfBandListener {
  readonly #header: OutOfBandRequest['header'];
  readonly #send: SendEvent;
  #writer: ResponseWriter | null = null;

  constructor(header: OutOfBandRequest['header'], send: SendEvent) {
    this.#header = header;
    this.#send = send;
  }

  /** How the response ended, null until it has. */
  write(event: SessionEvent): string | null {
    if (event.type === 'response.created') {
      const { responseId: id, itemId } = event;
      const header = { ...this.#header, id, itemId, conversationId: null };
      this.#writer = new ResponseWriter(this.#send, header, createAudioEncoder(header.format));
    } else if (event.type === 'response.text') this.#writer?.text(event.delta, null);
    else if (event.type === 'response.audio') this.#writer?.audio(event.samples, null);
    else if (event.type === 'response.done') return this.#done(event.status, event.usage);
    else if (event.type === 'ended')
      return this.#done({ kind: 'failed', code: 'session_ended', message: event.reason }, NO_USAGE);
    return null;
  }

  #done(status: ResponseStatus, usage: Usage): string {
    if (!this.#writer)
      throw refusal('response_failed', 'The response of response.create could not be begun.');
    this.#writer.done(status, usage);
    return status.kind;
  }
}
