/**
 * One client of the GPT-Live protocol: its frames in order, the start of its session, its end.
 *
 *   frame → EventQueue → parseEvent → LiveCall → Session
 *   frame ← Outbox     ← LiveCall   ← Session.events$, OutputLine
 */
import { randomUUID } from 'node:crypto';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import {
  ConnectionWatch,
  EventQueue,
  guardedTimers,
  ODD_FRAMES,
  RateGuard,
  type Timers,
} from '../guard/index.ts';
import { refusal } from '../json/index.ts';
import type { ClientEvent, LiveEventOf } from './client-events.ts';
import type { CloseReason, LiveContext, LiveTrack } from './call-options.ts';
import { LiveCall } from './live-call.ts';
import { Outbox, wireError } from './outbox.ts';
import { type ParsedEvent, parseEvent } from './parse-event.ts';
import type { SessionFields } from './session-config.ts';

const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_GONE = 1006;
const CLOSE_POLICY = 1008;
const CLOSE_FAILED = 1011;
const CLOSE_TRY_AGAIN = 1013;

/**
 * A session that a request beside the connection has asked for: it starts at once, and its sound travels on a track.
 */
export interface LiveOpening {
  readonly id: string;
  readonly session: SessionFields;
  readonly track: LiveTrack;
}

export class LiveConnection implements ConnectionListener {
  readonly #id: string;
  readonly #track: LiveTrack | null;
  readonly #context: LiveContext;
  readonly #clock: Timers;
  readonly #outbox: Outbox;
  readonly #queue: EventQueue;
  readonly #binary: RateGuard;
  readonly #watch: ConnectionWatch;
  readonly #expiresAtSeconds: number;
  /** Null: it has not started. */
  #call: LiveCall | null = null;
  #closed = false;

  /** Without an opening it waits for `session.start`. */
  constructor(connection: Connection, context: LiveContext, opening: LiveOpening | null = null) {
    const { limits, metrics, quota } = context;
    this.#id = opening?.id ?? `live_${randomUUID()}`;
    this.#track = opening?.track ?? null;
    this.#context = context;
    this.#clock = guardedTimers(context.clock, error => this.#breakOff(error));
    this.#expiresAtSeconds = Math.floor((context.unixTimeMs() + limits.lifetimeMs) / 1000);
    this.#outbox = new Outbox(connection, limits.maxUnsentBytes, reason => {
      metrics.slowReader();
      this.#drop(reason);
    });
    this.#binary = new RateGuard(this.#clock, ODD_FRAMES.perSecond, ODD_FRAMES.burst);
    this.#queue = new EventQueue({
      handle: text => this.#handle(text),
      onFull: () => this.#tooFast(),
      pauseReading: paused => connection.pauseReading(paused),
      quota,
    });
    this.#watch = new ConnectionWatch(this.#clock, limits, why => this.#expired(why));
    if (opening) this.#start({ type: 'session.start', session: opening.session }, null);
  }

  onText(text: string): void {
    this.#watch.seen();
    this.#queue.push(text);
  }

  onUtf8(text: Uint8Array): void {
    this.#watch.seen();
    this.#queue.push(text);
  }

  onBinary(): void {
    if (!this.#binary.take()) {
      this.#close(CLOSE_UNSUPPORTED, 'binary frames mean nothing here');
      return;
    }
    const error = refusal(
      'invalid_event',
      'Events are JSON in text frames; binary frames mean nothing here.',
    );
    this.#fail(error, null);
  }

  onClose(code: number): void {
    this.#context.metrics.connectionClosed(code);
    const why = `connection closed with ${code}`;
    // Those at the side of it still hear this.
    if (!this.#closed) this.#call?.end(code === CLOSE_GONE ? 'connection_lost' : 'remote_hangup', why);
    this.#drop(why);
  }

  /** Never throws or rejects. */
  #handle(text: string): Promise<void> | void {
    if (this.#closed) return;
    const parsed = parseEvent(text);
    const { eventId } = parsed;
    try {
      if (!parsed.ok) return this.#refused(parsed);
      const { event } = parsed;
      this.#context.metrics.clientEvent(event.type);
      return this.#do(event, eventId)?.catch(error => this.#fail(error, eventId));
    } catch (error) {
      this.#fail(error, eventId);
    }
  }

  #do(event: ClientEvent, eventId: string | null): Promise<void> | void {
    if (event.type === 'session.close') return this.#finish('close_requested', 'close requested', eventId);
    if (this.#call) return this.#call.handle(event, eventId);
    if (event.type !== 'session.start') {
      throw refusal('session_not_started', `Send session.start before ${event.type}.`, 'type');
    }
    this.#start(event, eventId);
  }

  #start(event: LiveEventOf<'session.start'>, eventId: string | null): void {
    try {
      this.#call = new LiveCall(
        {
          id: this.#id,
          context: this.#context,
          clock: this.#clock,
          outbox: this.#outbox,
          track: this.#track,
          expiresAtSeconds: this.#expiresAtSeconds,
          onError: (error, of) => this.#fail(error, of),
          onBroken: error => this.#breakOff(error),
          onEnded: reason => this.#ended(reason),
        },
        event,
        eventId,
      );
    } catch (error) {
      this.#startFailed(error, eventId);
    }
  }

  #refused({ error, eventId, type }: ParsedEvent & { ok: false }): void {
    if (type === 'session.start' && !this.#call) this.#startFailed(error, eventId);
    else this.#fail(error, eventId);
  }

  /** A client that waits for `session.started` is told at once, and not left waiting. */
  #startFailed(error: unknown, eventId: string | null): void {
    const isFull = error instanceof RuntimeError && error.code.startsWith('runtime.');
    const { code, ...shown } = wireError(error);
    this.#context.log.warn({ err: error, session: this.#id }, 'A session could not be started.');
    this.#context.metrics.clientError(code);
    this.#outbox.error({ ...shown, code, ...(isFull && { type: 'server_error' }) }, eventId);
    const isOurs = shown.type === 'server_error';
    this.#close(isFull ? CLOSE_TRY_AGAIN : isOurs ? CLOSE_FAILED : CLOSE_POLICY, code);
  }

  #tooFast(): void {
    this.#fail(refusal('rate_limit_exceeded', 'Events come faster than they are handled.'), null);
    this.#close(CLOSE_POLICY, 'events come faster than they are handled');
  }

  /** Tells the client; the session lives on. */
  #fail(error: unknown, eventId: string | null): void {
    if (this.#closed) return;
    try {
      const shown = wireError(error);
      if (shown.type === 'server_error')
        this.#context.log.error({ err: error, session: this.#id }, 'An event failed.');
      this.#context.metrics.clientError(shown.code);
      this.#outbox.error(shown, eventId);
    } catch (cause) {
      this.#breakOff(cause);
    }
  }

  /** Not even the client can be told: the connection ends, and with it all that may be broken. */
  #breakOff(error: unknown): void {
    this.#context.log.error({ err: error, session: this.#id }, 'A connection failed.');
    try {
      this.#close(CLOSE_FAILED, 'internal error');
    } catch (cause) {
      this.#context.log.error({ err: cause, session: this.#id }, 'A connection could not be closed.');
    }
  }

  #expired(why: 'idle' | 'lifetime'): void {
    const { idleMs } = this.#context.limits;
    if (why === 'idle') this.#fail(refusal('session_idle', `No frame came for ${idleMs / 1000} s.`), null);
    this.#finish('expired', why === 'idle' ? 'session idle' : 'session expired');
  }

  /** The session has ended by itself, or the server takes it away. */
  #ended(reason: string): void {
    this.#call?.end('connection_lost', reason);
    this.#close(CLOSE_FAILED, `session ended: ${reason}`);
  }

  #finish(reason: CloseReason, why: string, eventId: string | null = null): void {
    this.#call?.end(reason, why, eventId);
    this.#close(CLOSE_NORMAL, why);
  }

  #close(code: number, reason: string): void {
    this.#drop(reason); // First: closing may call `onClose` at once, which knows the code only.
    this.#outbox.close(code, reason);
  }

  #drop(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    this.#queue.clear();
    this.#call?.drop(reason);
  }
}
