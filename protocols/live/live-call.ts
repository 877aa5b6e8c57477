/**
 * A session that has started, and what its client says to it:
 *
 *   append, mute ──► InputAudio ──► Session ──speech──► OutputLine ──► session.output_audio.delta
 *   … .append ─────► Additions ───►    └──── events ──► Transcripts ─► session.…_transcript.delta
 *
 * Where sound travels on a track (`LiveTrack`), it comes and goes there, and the events tell of the rest.
 */
import type { Subscription } from 'rxjs';
import type { Timer } from '../../actors/core/clock.ts';
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import type { DoorContext } from '../door.ts';
import type { Timers } from '../guard/index.ts';
import { refusal, wireCode } from '../json/index.ts';
import { Additions } from './additions.ts';
import { AppendedAudio } from './appended-audio.ts';
import type { ClientEvent, EventOf } from './client-events.ts';
import { EventOutlet } from './event-outlet.ts';
import { type Backend, Delegating } from './delegation/index.ts';
import { decodeFixture } from './fixture.ts';
import { InputAudio } from './input-audio.ts';
import type { Outbox } from './outbox.ts';
import { type Outlet, OutputLine } from './output-line.ts';
import {
  historyItem,
  type LiveConfig,
  mediaFormat,
  resolveConfig,
  toSettings,
  updateConfig,
} from './session-config.ts';
import { Timeline } from './timeline.ts';
import { Transcripts } from './transcripts.ts';

const USAGE_EVERY_MS = 10_000;
/** Of what a backend says of its failure. */
const MAX_QUOTED_CHARS = 500;

export type LiveContext = Pick<
  DoorContext,
  | 'runtime'
  | 'sessionDefaults'
  | 'modelName'
  | 'unixTimeMs'
  | 'log'
  | 'metrics'
  | 'limits'
  | 'quota'
  | 'clock'
> & {
  /** What answers delegations to `responses`; absent: nothing. */
  readonly backend?: Backend | undefined;
};

/** How the sound of a session travels that does not travel inside its events. */
export interface LiveTrack {
  readonly outlet: Outlet;
  /** Called once; the user is heard from now on. 16 kHz; `lost`: put in for what did not come. */
  opened(session: Session, hear: (samples: Float32Array, lost: boolean) => void): void;
  observe(event: SessionEvent): void;
}

export interface LiveCallOptions {
  readonly id: string;
  readonly context: LiveContext;
  /** Its callbacks may throw. */
  readonly clock: Timers;
  readonly outbox: Outbox;
  /** Null: sound travels inside the events. */
  readonly track: LiveTrack | null;
  readonly expiresAtSeconds: number;
  /** Tells the client; the session lives on. */
  readonly onError: (error: unknown, eventId: string | null) => void;
  /** What cannot go on, and the session's own end. */
  readonly onBroken: (error: unknown) => void;
  readonly onEnded: (reason: string) => void;
}

export type CloseReason = 'close_requested' | 'expired' | 'remote_hangup' | 'connection_lost';

export class LiveCall {
  readonly #options: LiveCallOptions;
  readonly #timeline: Timeline;
  readonly #line: OutputLine;
  readonly #session: Session;
  readonly #input: InputAudio;
  readonly #appended: AppendedAudio | null;
  readonly #additions: Additions;
  readonly #delegating: Delegating;
  readonly #transcripts: Transcripts;
  readonly #subscription: Subscription;
  #config: LiveConfig;
  #usage: Timer;
  #isOpen = true;

  /** Throws a refusal, or the runtime's own error, and leaves nothing behind. */
  constructor(
    options: LiveCallOptions,
    { session: fields }: EventOf<'session.start'>,
    eventId: string | null,
  ) {
    const { clock, context, id, outbox, onError, track } = options;
    this.#options = options;
    const hasBackend = context.backend !== undefined;
    this.#config = resolveConfig(fields, { ...context, hasTrack: track !== null, hasBackend });
    const format = mediaFormat(this.#config);
    const timeline = new Timeline(clock);
    this.#timeline = timeline;
    const outlet = track?.outlet ?? new EventOutlet(format, bytes => outbox.audio(bytes));
    const line = new OutputLine({ clock, timeline, outlet });
    this.#line = line;
    this.#delegating = this.#openDelegating(timeline);
    try {
      this.#session = this.#open(id);
    } catch (error) {
      line.stop();
      throw error;
    }
    const session = this.#session;
    const input = new InputAudio(session, timeline);
    this.#input = input;
    const hear = (samples: Float32Array) => input.hear(samples);
    const isOpen = () => this.#isOpen;
    this.#appended = track ? null : new AppendedAudio({ session, clock, format, isOpen, hear });
    const { answers } = this.#delegating;
    this.#additions = new Additions({ session, clock, answers, onFailed: error => onError(error, null) });
    this.#transcripts = new Transcripts({ session, timeline, line, input, outbox });
    this.#subscription = session.events$.subscribe({ next: event => this.#observe(event) });
    outbox.send('session.started', { session: this.#describe() }, eventId);
    if (fields.delegation && !context.runtime.callsTools) this.#tellOfDelegation();
    this.#acknowledge();
    this.#usage = this.#tellUsageLater();
    track?.opened(session, (samples, lost) => this.#isOpen && input.hear(samples, lost));
  }

  handle(event: ClientEvent, eventId: string | null): Promise<void> | void {
    switch (event.type) {
      case 'session.start':
        throw refusal(
          'session_already_started',
          'The session has started; open another connection for another.',
        );
      case 'session.update':
        this.#config = updateConfig(this.#config, event.session);
        this.#acknowledge();
        return this.#options.outbox.send('session.updated', { session: this.#describe() }, eventId);
      case 'session.input_audio.append':
        if (!this.#appended) throw onTrack();
        return this.#appended.append(event.audio);
      case 'session.input_audio.mute':
      case 'session.input_audio.unmute':
        this.#input.isMuted = event.type === 'session.input_audio.mute';
        return this.#options.outbox.send(`${event.type}d`, {}, eventId);
      case 'session.output_audio.fixture.play':
        return this.#playFixture(event.audio, eventId);
      case 'response.item.create':
        return this.#delegating.createItem(event.item);
      case 'response.create':
        return this.#delegating.createResponse();
      case 'session.close':
        // The connection's own.
        return;
      default:
        if (this.#input.isDropped) throw fixturePlays();
        this.#additions.add(event);
        this.#options.outbox.send(`${event.type}ed`, { ...this.#timeline.instant() }, eventId);
    }
  }

  /** The client is told, if it is still there; the session is over. */
  end(reason: CloseReason, why: string, eventId: string | null = null): void {
    if (!this.#isOpen) return;
    const closed = { reason, session: this.#describe(), usage: this.#seconds() };
    this.#options.outbox.send('session.closed', closed, eventId);
    this.drop(why);
  }

  drop(why: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#usage.cancel();
    this.#line.stop();
    this.#delegating.close();
    this.#subscription.unsubscribe();
    this.#session.close(why);
  }

  #open(id: string): Session {
    const { runtime, sessionDefaults } = this.#options.context;
    const settings = toSettings(this.#config, sessionDefaults);
    const session = runtime.openSession(settings, {
      ...{ id, speaker: this.#line },
      tools: runtime.callsTools ? [this.#delegating.tool] : [],
    });
    try {
      for (const item of this.#config.input) session.send({ type: 'item.add', item: historyItem(item) });
      return session;
    } catch (error) {
      session.close('could not be set up');
      throw error;
    }
  }

  #openDelegating(timeline: Timeline): Delegating {
    const { context, outbox } = this.#options;
    return new Delegating({
      ...{ outbox, timeline, backend: context.backend ?? null },
      config: () => this.#config.delegation,
      session: () => this.#session,
      tell: () => this.#additions.tell(),
      comment: text => this.#additions.comment(text),
      onFailed: error => {
        const message = error instanceof Error ? error.message.slice(0, MAX_QUOTED_CHARS) : 'It failed.';
        outbox.error({ type: 'server_error', code: 'delegation_failed', message }, null);
      },
    });
  }

  /** "One moment" is what the model says before it hands over; how long it waits for the answer first. */
  #acknowledge(): void {
    const fillerAfterMs = this.#config.delegation.acknowledgement_delay_ms;
    const { toolPolicy } = this.#session.settings;
    this.#session.send({
      type: 'settings.update',
      settings: { toolPolicy: { ...toolPolicy, fillerAfterMs } },
    });
  }

  #describe(): object {
    const { id, expiresAtSeconds } = this.#options;
    return { id, expires_at: expiresAtSeconds, status: 'active', ...this.#config };
  }

  #tellOfDelegation(): void {
    const message =
      'This model was taught no tools: it answers by itself, and no session.delegation.created will come.';
    this.#options.outbox.send('info', { code: 'delegation_unavailable', message });
  }

  #tellUsageLater(): Timer {
    return this.#options.clock.setTimer(USAGE_EVERY_MS, () => {
      this.#options.outbox.send('session.usage.updated', { usage: this.#seconds() });
      if (this.#isOpen) this.#usage = this.#tellUsageLater();
    });
  }

  #seconds(): { readonly seconds: number } {
    return { seconds: Math.round(this.#timeline.nowMs / 100) / 10 };
  }

  /** Speech stops, and nothing of the user's counts until the fixture has been played. */
  #playFixture(base64: string, eventId: string | null): void {
    const { outbox } = this.#options;
    if (this.#input.isDropped) throw fixturePlays();
    const samples = decodeFixture(base64);
    const session = this.#session;
    session.send({ type: 'input.clear' });
    const active = this.#transcripts.activeResponse;
    if (active !== null) session.send({ type: 'response.cancel', responseId: active });
    this.#delegating.left();
    this.#input.isDropped = true;
    outbox.send('session.output_audio.fixture.playing', {}, eventId);
    this.#line.play(samples, () => {
      this.#input.isDropped = false;
      outbox.send('session.output_audio.fixture.played', {}, eventId);
    });
  }

  #observe(event: SessionEvent): void {
    const { context, onBroken, onEnded, outbox } = this.#options;
    const { metrics } = context;
    try {
      this.#transcripts.observe(event);
      this.#delegating.observe(event);
      this.#options.track?.observe(event);
      if (event.type === 'state') this.#additions.stateChanged(event.state);
      else if (event.type === 'turn.trace') metrics.turn(event.trace);
      else if (event.type === 'ended') onEnded(event.reason);
      else if (event.type === 'error') outbox.error({ ...faultOf(event) }, null);
      else if (event.type === 'response.done') {
        const { status } = event;
        metrics.responseDone(status.kind);
        if (status.kind === 'failed') outbox.error({ ...faultOf(status) }, null);
      }
    } catch (error) {
      // Ours to fail, not the session's: it must not be thrown back at the actors.
      onBroken(error);
    }
  }
}

function onTrack(): Error {
  return refusal('unsupported_event', 'This session’s sound comes on its track, not in events.', 'type');
}

function fixturePlays(): Error {
  return refusal(
    'fixture_active',
    'A fixture is being played; wait for session.output_audio.fixture.played.',
  );
}

/** What a client sent too much of is not the server's fault. */
function faultOf({ code, message }: { readonly code: string; readonly message: string }) {
  const type = /^(context|input)\./.test(code) ? 'invalid_request_error' : 'server_error';
  return { type, code: wireCode(code), message } as const;
}
