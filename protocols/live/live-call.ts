/**
 * A session that has started, and what its client says to it:
 *
 *   append, mute ──► InputAudio ──► Session ──speech──► OutputLine ──► session.output_audio.delta
 *   … .append ─────► Additions ───►    └──── events ──► Transcripts ─► session.…_transcript.delta
 *
 * Where sound travels on a track (`LiveTrack`), it comes and goes there, and the events tell of the rest.
 */
import type { Subscription } from 'rxjs';
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import { Additions } from './additions.ts';
import { AppendedAudio } from './appended-audio.ts';
import type { CloseReason, LiveCallOptions } from './call-options.ts';
import type { ClientEvent, LiveEventOf } from './client-events.ts';
import { Delegating } from './delegation/index.ts';
import { EventOutlet } from './event-outlet.ts';
import { alreadyStarted, faultOf, fixturePlays, onTrack } from './faults.ts';
import { decodeFixture } from './fixture.ts';
import { InputAudio } from './input-audio.ts';
import { acknowledgeAfter, openSession } from './open-session.ts';
import { OutputLine } from './output-line.ts';
import { type LiveConfig, mediaFormat, resolveConfig, updateConfig } from './session-config.ts';
import { Timeline } from './timeline.ts';
import { Transcripts } from './transcripts.ts';
import { UsageMeter } from './usage.ts';

/** Of what a backend says of its failure. */
const MAX_QUOTED_CHARS = 500;

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
  readonly #usage: UsageMeter;
  readonly #subscription: Subscription;
  #config: LiveConfig;
  #isOpen = true;

  /** Throws a refusal, or the runtime's own error, and leaves nothing behind. */
  constructor(
    options: LiveCallOptions,
    { session: fields }: LiveEventOf<'session.start'>,
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
      const { tool } = this.#delegating;
      this.#session = openSession({ id, context, config: this.#config, speaker: line, tool });
    } catch (error) {
      line.stop();
      throw error;
    }
    const session = this.#session;
    const input = new InputAudio(session, timeline);
    this.#input = input;
    const hear = (samples: Float32Array) => input.hear({ samples });
    const isOpen = () => this.#isOpen;
    this.#appended = track ? null : new AppendedAudio({ session, clock, format, isOpen, hear });
    const { answers } = this.#delegating;
    this.#additions = new Additions({ session, clock, answers, onFailed: error => onError(error, null) });
    this.#transcripts = new Transcripts({ session, timeline, line, input, outbox });
    this.#subscription = session.events$.subscribe({ next: event => this.#observe(event) });
    outbox.send('session.started', { session: this.#describe() }, eventId);
    if (fields.delegation && !context.runtime.callsTools) this.#tellOfDelegation();
    this.#usage = new UsageMeter({ clock, timeline, outbox });
    track?.opened(session, sound => this.#isOpen && input.hear(sound));
  }

  handle(event: ClientEvent, eventId: string | null): Promise<void> | void {
    switch (event.type) {
      case 'session.start':
        throw alreadyStarted();
      case 'session.update':
        this.#config = updateConfig(this.#config, event.session);
        acknowledgeAfter(this.#session, this.#config);
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
    const closed = { reason, session: this.#describe(), usage: this.#usage.soFar };
    this.#options.outbox.send('session.closed', closed, eventId);
    this.drop(why);
  }

  drop(why: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#usage.stop();
    this.#line.stop();
    this.#delegating.close();
    this.#subscription.unsubscribe();
    this.#session.close(why);
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

  #describe(): object {
    const { id, expiresAtSeconds } = this.#options;
    return { id, expires_at: expiresAtSeconds, status: 'active', ...this.#config };
  }

  #tellOfDelegation(): void {
    const message =
      'This model was taught no tools: it answers by itself, and no session.delegation.created will come.';
    this.#options.outbox.send('info', { code: 'delegation_unavailable', message });
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
      else if (event.type === 'error') outbox.error(faultOf(event), null);
      else if (event.type === 'response.done') {
        const { status } = event;
        metrics.responseDone(status.kind);
        if (status.kind === 'failed') outbox.error(faultOf(status), null);
      }
    } catch (error) {
      // Ours to fail, not the session's: it must not be thrown back at the actors.
      onBroken(error);
    }
  }
}
