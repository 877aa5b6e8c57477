/** What happens in the session, told in the protocol's events (docs/spec/protocols.md §1.3, §1.7). */
import type { ConversationItem, RuntimeLimits, Session, SessionEvent } from '../../actors/session-api.ts';
import { SESSION_INPUT_RATE_HZ } from '../media/index.ts';
import type { Continuations } from './continuations.ts';
import { toExtensionEvent } from './extensions.ts';
import { toWireItem, type WireToolItem } from './items.ts';
import type { RealtimeMedia } from './media.ts';
import type { SendEvent } from './outbox.ts';
import { toPlainEvent } from './plain-events.ts';
import { ResponseWriter } from './response-writer.ts';
import type { ServerCalls } from './server-calls.ts';
import type { RealtimeState } from './state.ts';

export interface SessionEventsOptions {
  readonly session: Session;
  readonly state: RealtimeState;
  readonly send: SendEvent;
  readonly media: RealtimeMedia;
  readonly serverCalls: ServerCalls;
  readonly continuations: Continuations;
  /** Sessions this process can hold and holds: the one limit a response runs into. */
  readonly capacity: () => { readonly limit: RuntimeLimits['maxSessions']; readonly used: number };
  /** A response ended; `audioMs` of it were sent. */
  readonly onResponseDone: (status: string, audioMs: number) => void;
}

type EventOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>;

export class SessionEvents {
  readonly #options: SessionEventsOptions;
  readonly #send: SendEvent;
  readonly #responses = new Map<string, ResponseWriter>();
  /** Replies' items that the session announced before their response: item id → the item before it. */
  readonly #announced = new Map<string, string | null>();
  /** Transcripts of user items so far. */
  readonly #transcripts = new Map<string, string>();

  constructor(options: SessionEventsOptions) {
    this.#options = options;
    this.#send = options.send;
  }

  write(event: SessionEvent): void {
    if (event.type === 'item.added') this.#itemAdded(event);
    else if (event.type === 'item.done') this.#itemDone(event.item);
    else if (event.type === 'input.transcript') this.#transcript(event);
    else if (event.type === 'input.untranscribed') this.#untranscribed(event.itemId);
    else if (event.type === 'response.created') this.#responseCreated(event);
    else if (event.type === 'response.call') this.#call(event);
    else if (event.type === 'response.call.delta') this.#callDelta(event);
    else if (event.type === 'response.text') this.#text(event);
    else if (event.type === 'response.audio') this.#audio(event);
    else if (event.type === 'response.done') this.#responseDone(event);
    else this.#plain(event);
  }

  #itemAdded({ item, responseId }: EventOf<'item.added'>): void {
    const [part] = item.content;
    if (part?.type === 'call' && responseId !== undefined) {
      const { serverCalls } = this.#options;
      if (serverCalls.added(item, part, this.#responses.get(responseId))) return;
    }
    if (item.role === 'assistant' && item.status === 'in_progress' && part?.type !== 'call') {
      this.#announced.set(item.id, item.previousItemId);
      this.#writerOf(item.id)?.open(item.previousItemId);
    } else {
      this.#sendItem('conversation.item.added', item);
    }
  }

  #itemDone(item: ConversationItem): void {
    // A reply's item ends within its response, so that the order of rule 3 holds.
    if (this.#announced.has(item.id) || this.#writerOf(item.id)) return;
    const { continuations, serverCalls, state } = this.#options;
    if (state.unfinished.has(item.id)) return;
    const [part] = item.content;
    const isOurs = part?.type === 'call' && part.output !== undefined;
    if (isOurs) serverCalls.done(item, part);
    this.#sendItem('conversation.item.done', item);
    if (isOurs) continuations.callDone();
  }

  #sendItem(type: string, item: ConversationItem): void {
    const wire = toWireItem(item, null, this.#options.state.showsWords(item.id));
    this.#send(type, { item: wire, previous_item_id: item.previousItemId });
  }

  #responseCreated(event: EventOf<'response.created'>): void {
    const { state, capacity } = this.#options;
    const { config } = state;
    const overrides = state.takeOverrides(event.responseId);
    const format = overrides?.format ?? config.audio.output.format;
    const header = {
      id: event.responseId,
      itemId: event.itemId,
      conversationId: state.conversationId,
      modality: overrides?.modality ?? config.output_modalities[0],
      format,
      voice: config.audio.output.voice,
      maxOutputTokens: overrides?.maxOutputTokens ?? config.max_output_tokens,
      metadata: overrides?.metadata ?? {},
    };
    const writer = new ResponseWriter(this.#send, header, this.#options.media.deltas(format));
    this.#responses.set(event.responseId, writer);
    this.#options.continuations.responseBegan();
    const { limit, used } = capacity();
    const requests = { name: 'requests', limit, remaining: Math.max(0, limit - used), reset_seconds: 0 };
    this.#send('rate_limits.updated', { rate_limits: [requests] });
    const previousItemId = this.#announced.get(event.itemId);
    if (previousItemId !== undefined) writer.open(previousItemId);
  }

  #text(event: EventOf<'response.text'>): void {
    this.#responses.get(event.responseId)?.text(event.delta, this.#previousOf(event.itemId));
  }

  #audio(event: EventOf<'response.audio'>): void {
    this.#options.state.hasSpoken = true;
    this.#responses.get(event.responseId)?.audio(event.samples, this.#previousOf(event.itemId));
  }

  #call({ responseId, item }: EventOf<'response.call'>): void {
    const wire = toWireItem(item, null, true) as WireToolItem;
    this.#responses.get(responseId)?.call(wire, item.previousItemId);
  }

  #callDelta({ responseId, ...call }: EventOf<'response.call.delta'>): void {
    this.#responses.get(responseId)?.callDelta(call);
  }

  #responseDone(event: EventOf<'response.done'>): void {
    const writer = this.#responses.get(event.responseId);
    if (!writer) return;
    this.#responses.delete(event.responseId);
    writer.done(event.status, event.usage);
    this.#announced.delete(event.itemId);
    this.#options.continuations.responseDone();
    this.#options.onResponseDone(event.status.kind, writer.audioMs);
  }

  #transcript({ itemId, delta, final }: EventOf<'input.transcript'>): void {
    const before = this.#transcripts.get(itemId) ?? '';
    if (final) this.#transcripts.delete(itemId);
    if (this.#options.state.config.audio.input.transcription === null) return;
    const transcript = before + delta;
    const address = { item_id: itemId, content_index: 0 };
    if (delta !== '') this.#send('conversation.item.input_audio_transcription.delta', { ...address, delta });
    if (!final) {
      this.#transcripts.set(itemId, transcript);
      return;
    }
    this.#options.state.told(itemId);
    const usage = { type: 'duration', seconds: this.#audioSeconds(itemId) };
    this.#send('conversation.item.input_audio_transcription.completed', { ...address, transcript, usage });
  }

  #untranscribed(itemId: string): void {
    if (this.#options.state.config.audio.input.transcription === null) return;
    const error = {
      type: 'server_error',
      code: 'transcription_unsupported',
      message: 'This model hears no words; it answers the sound.',
      param: null,
    };
    const fields = { item_id: itemId, content_index: 0, error };
    this.#send('conversation.item.input_audio_transcription.failed', fields);
  }

  #audioSeconds(itemId: string): number {
    const parts = this.#options.session.items.find(item => item.id === itemId)?.content ?? [];
    return parts.reduce(
      (sum, part) => sum + (part.type === 'audio' ? part.samples.length / SESSION_INPUT_RATE_HZ : 0),
      0,
    );
  }

  #writerOf(itemId: string): ResponseWriter | undefined {
    for (const writer of this.#responses.values()) if (writer.itemId === itemId) return writer;
    return undefined;
  }

  #previousOf(itemId: string): string | null {
    return (
      this.#announced.get(itemId) ??
      this.#options.session.items.find(item => item.id === itemId)?.previousItemId ??
      null
    );
  }

  #plain(event: SessionEvent): void {
    const { state } = this.#options;
    if (event.type === 'input.committed') {
      state.uncommittedMs = 0;
      state.committed(event.itemId);
    }
    if (event.type === 'item.deleted') state.told(event.itemId);
    const plain = toPlainEvent(event) ?? (state.config.longcat.extensions ? toExtensionEvent(event) : null);
    if (plain) this.#send(plain.type, plain.fields);
  }
}
