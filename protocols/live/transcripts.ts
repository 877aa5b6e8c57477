/**
 * What both sides say, as fragments on the one timeline. The agent's words are told with the sound that says them, so
 * what is interrupted is never told further than it was sent; the user's as soon as they are understood.
 */
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import { SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { InputAudio } from './input-audio.ts';
import type { Outbox } from './outbox.ts';
import type { OutputLine } from './output-line.ts';
import type { Timeline } from './timeline.ts';

export interface TranscriptsOptions {
  readonly session: Session;
  readonly timeline: Timeline;
  readonly line: OutputLine;
  readonly input: InputAudio;
  readonly outbox: Outbox;
}

const SAMPLES_PER_MS = SESSION_OUTPUT_RATE_HZ / 1000;

type EventOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>;

interface SpokenReply {
  samples: number;
  told: string;
  /** Where on the timeline the next fragment begins. */
  fromMs: number;
}

interface SpokenTurnText {
  readonly itemId: string;
  fromMs: number;
  /** Null: the user still speaks. */
  untilMs: number | null;
}

export class Transcripts {
  readonly #options: TranscriptsOptions;
  readonly #replies = new Map<string, SpokenReply>();
  #turn: SpokenTurnText | null = null;
  /** The reply that is being made or sent. */
  activeResponse: string | null = null;

  constructor(options: TranscriptsOptions) {
    this.#options = options;
  }

  observe(event: SessionEvent): void {
    if (event.type === 'response.created') this.activeResponse = event.responseId;
    else if (event.type === 'response.audio') this.#spoken(event);
    else if (event.type === 'response.done') this.#done(event);
    else if (event.type === 'speech.started') this.#turnBegins(event);
    else if (event.type === 'speech.stopped') this.#turnEnds(event);
    else if (event.type === 'input.transcript') this.#understood(event);
  }

  #spoken({ itemId, samples }: EventOf<'response.audio'>): void {
    const { line } = this.#options;
    let reply = this.#replies.get(itemId);
    if (!reply) {
      // What has just been written stands before the end of the line.
      reply = { samples: 0, told: '', fromMs: line.positionMs - samples.length / SAMPLES_PER_MS };
      this.#replies.set(itemId, reply);
    }
    reply.samples += samples.length;
    this.#tell(itemId, reply, reply.samples);
  }

  #done({ itemId, responseId, status }: EventOf<'response.done'>): void {
    if (this.activeResponse === responseId) this.activeResponse = null;
    const reply = this.#replies.get(itemId);
    this.#replies.delete(itemId);
    // All of it has left; of others the words end where the sound did.
    if (reply && (status.kind === 'completed' || status.kind === 'incomplete'))
      this.#tell(itemId, reply, Number.POSITIVE_INFINITY);
  }

  #tell(itemId: string, reply: SpokenReply, samples: number): void {
    const { line, outbox, session, timeline } = this.#options;
    const said = session.wordsWithin(itemId, samples);
    if (said.length <= reply.told.length || !said.startsWith(reply.told)) return;
    const delta = said.slice(reply.told.length);
    reply.told = said;
    const span = timeline.fragment(reply.fromMs, line.positionMs);
    reply.fromMs = span.end_ms;
    outbox.send('session.output_transcript.delta', { delta, ...span });
  }

  #turnBegins({ itemId, audioStartMs }: EventOf<'speech.started'>): void {
    this.#turn = { itemId, fromMs: this.#options.input.timelineMs(audioStartMs), untilMs: null };
  }

  #turnEnds({ itemId, audioEndMs }: EventOf<'speech.stopped'>): void {
    if (this.#turn?.itemId === itemId) this.#turn.untilMs = this.#options.input.timelineMs(audioEndMs);
  }

  #understood({ itemId, delta }: EventOf<'input.transcript'>): void {
    if (delta === '') return;
    const { outbox, timeline } = this.#options;
    const now = timeline.nowMs;
    const turn = this.#turn?.itemId === itemId ? this.#turn : { itemId, fromMs: now, untilMs: now };
    const span = timeline.fragment(turn.fromMs, turn.untilMs ?? now);
    turn.fromMs = span.end_ms;
    outbox.send('session.input_transcript.delta', { delta, ...span });
  }
}
