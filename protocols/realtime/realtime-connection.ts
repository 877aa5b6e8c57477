/**
 * One client of the Realtime protocol and its session:
 *
 *   frame → EventQueue → parseEvent → ClientHandler → Session
 *   frame ← Outbox     ← ResponseWriter, toWireItem ← SessionEvents ← Session.events$
 */
import { randomUUID } from 'node:crypto';
import type { Subscription } from 'rxjs';
import type { Clock } from '../../actors/core/clock.ts';
import type { Logger } from '../../actors/core/logger.ts';
import type { Runtime, Session, SessionEvent, SessionSettings } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  ConnectionWatch,
  EventQueue,
  guardedTimers,
  ODD_FRAMES,
  RateGuard,
  type WorkQuota,
} from '../guard/index.ts';
import type { Metrics } from '../server/metrics.ts';
import type { Connection } from '../connection.ts';
import { WireShape } from './beta/index.ts';
import { AllowedAddresses } from '../mcp/index.ts';
import { ClientHandler } from './client-handler.ts';
import { Continuations } from './continuations.ts';
import { VideoIntake } from './extensions.ts';
import { IdlePrompt } from './idle-prompt.ts';
import { OutOfBand, type OutOfBandOptions } from './out-of-band.ts';
import { JsonMedia } from './json-media.ts';
import { McpApprovals } from './mcp-approvals.ts';
import { McpServers } from './mcp-servers.ts';
import type { RealtimeMedia, RealtimeTransport } from './media.ts';
import { Outbox } from './outbox.ts';
import { type ParsedFrame, parseFrame } from './cut-pictures.ts';
import { parseEvent } from './parse-event.ts';
import type { ResumableListener, Resumption } from './resume/index.ts';
import type { PictureDecoder } from './pictures.ts';
import { refusal, wireCode, wireError } from './protocol-error.ts';
import { describeSession, initialConfig, type SessionConfig } from './session-config.ts';
import { ServerCalls } from './server-calls.ts';
import { SessionEvents } from './session-events.ts';
import type { SessionFields } from './session-fields.ts';
import { RealtimeState } from './state.ts';

const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_POLICY = 1008;
const CLOSE_FAILED = 1011;
const CLOSE_TRY_AGAIN = 1013;

export interface RealtimeLimits {
  /** Bytes a client may leave unread before it loses its connection. */
  readonly maxUnsentBytes: number;
  /** Without any frame from the client. */
  readonly idleMs: number;
  readonly lifetimeMs: number;
}

/** What connections share. */
export interface RealtimeContext {
  readonly runtime: Runtime;
  readonly sessionDefaults: Partial<SessionSettings>;
  readonly modelName: string;
  readonly clock: Clock;
  /** Unix time in milliseconds, for `expires_at`. */
  readonly unixTimeMs: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: RealtimeLimits;
  /** One for all, so that it can bound what is unpacked at a time. */
  readonly pictures: PictureDecoder;
  /** One for all, so that it can divide a turn of the event loop. */
  readonly quota: WorkQuota;
  /** Where MCP servers that clients name may be; absent: nowhere. */
  readonly mcpAllow?: AllowedAddresses;
}

export interface RealtimeOpening {
  readonly type: SessionConfig['type'];
  /** Configuration that came with an ephemeral key. */
  readonly session: SessionFields | null;
  /** The client asked for the beta shape (`beta/`). */
  readonly isBeta: boolean;
  /** The client may lose its line and come back (`resume/`). */
  readonly resumption?: Resumption;
}

const OVER_WEBSOCKET: RealtimeTransport = {
  openMedia: (session, state, clock) => new JsonMedia(session, state, clock),
};

/**
 * Opens a session for this connection, or tells the client why not and closes with 1013. `connection` carries the
 * control events, be it a WebSocket or a data channel; the sound travels as `transport` says.
 */
export function openRealtime(
  connection: Connection,
  opening: RealtimeOpening,
  context: RealtimeContext,
  transport = OVER_WEBSOCKET,
): ResumableListener {
  let session: Session | null = null;
  try {
    const settings = { ...context.sessionDefaults, delivery: { mode: 'burst' } as const };
    const { speaker } = transport;
    session = context.runtime.openSession(settings, {
      id: `sess_${randomUUID()}`,
      ...(speaker && { speaker }),
    });
    return new RealtimeConnection(connection, session, opening, context, transport);
  } catch (error) {
    session?.close('could not be set up');
    context.log.warn({ err: error }, 'A session could not be opened.');
    const shown = { ...wireError(error, null), type: 'server_error' };
    connection.send(JSON.stringify({ type: 'error', event_id: 'event_1', error: shown }));
    connection.close(error instanceof RuntimeError ? CLOSE_TRY_AGAIN : CLOSE_FAILED, shown.code);
    return { onText() {}, onBinary() {}, onClose: code => context.metrics.connectionClosed(code) };
  }
}

/** Answers beside the conversation are sessions of their own. */
function outOfBand(
  session: Session,
  { metrics, runtime, sessionDefaults }: RealtimeContext,
  to: Pick<OutOfBandOptions, 'send' | 'clock' | 'onFailed'>,
): OutOfBand {
  let asides = 0;
  return new OutOfBand({
    ...to,
    openSession: settings =>
      runtime.openSession({ ...sessionDefaults, ...settings }, { id: `${session.id}_aside${++asides}` }),
    onDone: status => metrics.responseDone(status),
  });
}

class RealtimeConnection implements ResumableListener {
  readonly #session: Session;
  readonly #context: RealtimeContext;
  readonly #shape: WireShape;
  readonly #outbox: Outbox;
  readonly #state: RealtimeState;
  readonly #handler: ClientHandler;
  readonly #media: RealtimeMedia;
  readonly #events: SessionEvents;
  readonly #outOfBand: OutOfBand;
  readonly #mcp: McpServers;
  readonly #continuations: Continuations;
  readonly #queue: EventQueue;
  /** Each is told off at once, so there may be only so many. */
  readonly #binary: RateGuard;
  readonly #idle: IdlePrompt;
  readonly #subscription: Subscription;
  readonly #expiresAtSeconds: number;
  readonly #watch: ConnectionWatch;

  constructor(
    connection: Connection,
    session: Session,
    opening: RealtimeOpening,
    context: RealtimeContext,
    { openMedia }: RealtimeTransport,
  ) {
    const { limits, metrics } = context;
    this.#session = session;
    this.#context = context;
    const clock = guardedTimers(context.clock, error => this.#breakOff(error));
    this.#expiresAtSeconds = Math.floor((context.unixTimeMs() + limits.lifetimeMs) / 1000);
    this.#shape = new WireShape(opening.isBeta);
    this.#outbox = new Outbox(connection, this.#shape, limits.maxUnsentBytes, reason => {
      metrics.slowReader();
      this.#end(reason);
    });
    const { send } = this.#outbox;
    const defaults = session.settings;
    this.#state = new RealtimeState(
      `conv_${randomUUID()}`,
      initialConfig(context.modelName, opening.type, defaults),
    );
    this.#idle = new IdlePrompt(session, this.#state, send, clock, error => this.#fail(error, null));
    const video = new VideoIntake(session, context.pictures, () => !this.#state.closed);
    const media = openMedia(session, this.#state, clock, send);
    this.#media = media;
    const onFailed = (error: unknown) => this.#fail(error, null);
    this.#outOfBand = outOfBand(session, context, { send, clock, onFailed });
    const serverCalls = new ServerCalls(send);
    const approvals = new McpApprovals(session, clock, callId => serverCalls.begun(callId));
    this.#continuations = new Continuations(clock);
    this.#mcp = new McpServers({
      session,
      state: this.#state,
      send,
      clock,
      allow: context.mcpAllow ?? new AllowedAddresses([]),
      approvals,
      onListed: () => this.#handler.toolsListed(),
      onFailed,
    });
    this.#handler = new ClientHandler({
      session,
      state: this.#state,
      outOfBand: this.#outOfBand,
      pictures: context.pictures,
      nextTurn: () => new Promise<void>(resolve => void clock.setTimer(0, resolve)),
      send,
      media,
      defaults,
      describe: () => this.#describe(),
      onVideoFrame: event => video.push(event, error => this.#fail(error, event.event_id ?? null)),
      mcp: this.#mcp,
      approvals,
      continuations: this.#continuations,
      resumption: opening.resumption ?? null,
      onFailed,
    });
    this.#events = new SessionEvents({
      session,
      state: this.#state,
      send,
      media,
      serverCalls,
      continuations: this.#continuations,
      capacity: () => ({ limit: context.runtime.limits.maxSessions, used: context.runtime.sessions.size }),
      onResponseDone: (status, audioMs) => {
        metrics.responseDone(status);
        if (status === 'completed') this.#idle.start(audioMs);
      },
    });
    this.#binary = new RateGuard(clock, ODD_FRAMES.perSecond, ODD_FRAMES.burst);
    this.#queue = this.#newQueue(connection);
    this.#subscription = session.events$.subscribe({ next: event => this.#onSessionEvent(event) });
    this.#greet(opening);
    this.#watch = new ConnectionWatch(clock, limits, why => this.#expired(why));
  }

  #newQueue(connection: Connection): EventQueue {
    return new EventQueue({
      handle: text => this.#handle(() => ({ parsed: parseEvent(text, this.#toGa), pictures: [] })),
      handleLong: utf8 => this.#handle(() => parseFrame(utf8, this.#toGa)),
      onFull: () => this.#tooFast(),
      pauseReading: paused => connection.pauseReading(paused),
      quota: this.#context.quota,
    });
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
    this.#fail(
      refusal('invalid_event', 'Events are JSON in text frames; binary frames mean nothing here.'),
      null,
    );
  }

  onClose(code: number): void {
    this.#context.metrics.connectionClosed(code);
    this.#end(`connection closed with ${code}`);
  }

  onLineLost(): void {
    this.#session.send({ type: 'line', lost: true });
  }

  onLineBack(): void {
    this.#watch.seen();
    this.#session.send({ type: 'line', lost: false });
  }

  #greet({ type, session, resumption }: RealtimeOpening): void {
    if (type === 'transcription' || session !== null) this.#handler.configure(session ?? {});
    const resume = resumption && { token: resumption.token, window_seconds: resumption.windowSeconds };
    const { longcat } = this.#state.config;
    const described = { ...this.#describe(), ...(resume && { longcat: { ...longcat, resume } }) };
    this.#outbox.send('session.created', { session: described });
    const conversation = { id: this.#state.conversationId, object: 'realtime.conversation' };
    this.#outbox.send('conversation.created', { conversation });
  }

  readonly #toGa = (event: Readonly<Record<string, unknown>>) => this.#shape.incoming(event);

  /** Never throws or rejects. */
  #handle(parse: () => ParsedFrame): Promise<void> | void {
    if (this.#state.closed) return;
    let eventId: string | null = null;
    let type: string | null = null;
    try {
      const { parsed, pictures } = parse();
      eventId = parsed.eventId;
      if (!parsed.ok) throw parsed.error;
      type = parsed.event.type;
      this.#context.metrics.clientEvent(type);
      return this.#handler.handle(parsed.event, pictures)?.catch(error => this.#fail(error, eventId, type));
    } catch (error) {
      this.#fail(error, eventId, type);
    }
  }

  #tooFast(): void {
    this.#fail(refusal('rate_limit_exceeded', 'Events come faster than they are handled.'), null);
    this.#close(CLOSE_POLICY, 'events come faster than they are handled');
  }

  /** Tells the client; the session lives on. */
  #fail(error: unknown, eventId: string | null, during: string | null = null): void {
    if (this.#state.closed) return;
    try {
      const shown = wireError(error, eventId, during);
      if (shown.type === 'server_error')
        this.#context.log.error({ err: error, session: this.#session.id }, 'An event failed.');
      this.#context.metrics.clientError(shown.code);
      this.#outbox.send('error', { error: shown });
    } catch (cause) {
      this.#breakOff(cause);
    }
  }

  /** Not even the client can be told: the connection ends, and with it all that may be broken. */
  #breakOff(error: unknown): void {
    this.#context.log.error({ err: error, session: this.#session.id }, 'A connection failed.');
    try {
      this.#close(CLOSE_FAILED, 'internal error');
    } catch (cause) {
      this.#context.log.error({ err: cause, session: this.#session.id }, 'A connection could not be closed.');
    }
  }

  #onSessionEvent(event: SessionEvent): void {
    try {
      this.#idle.observe(event);
      this.#events.write(event);
      this.#media.observe?.(event);
      if (event.type === 'turn.trace') this.#context.metrics.turn(event.trace);
      if (event.type === 'ended') this.#close(CLOSE_FAILED, `session ended: ${event.reason}`);
    } catch (error) {
      // Ours to fail, not the session's: it must not be thrown back at the actors.
      this.#fail(error, null);
      this.#breakOff(error);
    }
  }

  #describe(): Readonly<Record<string, unknown>> {
    return describeSession(this.#state.config, this.#session.id, this.#expiresAtSeconds);
  }

  #expired(why: 'idle' | 'lifetime'): void {
    const { lifetimeMs, idleMs } = this.#context.limits;
    const error =
      why === 'lifetime'
        ? refusal('session_expired', `A session lasts at most ${lifetimeMs / 1000} s.`)
        : refusal('session_idle', `No frame came for ${idleMs / 1000} s.`);
    this.#fail(error, null);
    this.#close(CLOSE_NORMAL, wireCode(error.code));
  }

  #close(code: number, reason: string): void {
    this.#end(reason); // First: closing may call `onClose` at once, which knows the code only.
    this.#outbox.close(code, reason);
  }

  #end(reason: string): void {
    if (this.#state.closed) return;
    this.#state.closed = true;
    this.#watch.stop();
    this.#idle.stop();
    this.#queue.clear();
    this.#subscription.unsubscribe();
    this.#outOfBand.close(reason);
    this.#mcp.close();
    this.#continuations.stop();
    this.#session.close(reason);
  }
}
