/**
 * One response on the wire, in the order of docs/spec/protocols.md §1.7 rule 3:
 *
 *   response.created → output_item.added → conversation.item.added → content_part.added → deltas
 *                    → typed .done → content_part.done → output_item.done → conversation.item.done
 *                    → each call: output_item.added → conversation.item.added → function_call_arguments.delta → .done
 *                                 → output_item.done → conversation.item.done; where nothing is to be heard before it,
 *                                 output_item.added and deltas come while it is written, and it enters the conversation
 *                                 when it is complete
 *                    → a call that the server runs, whenever it begins: output_item.added → conversation.item.added
 *                                 → mcp_call_arguments.delta → .done (`server-calls.ts` goes on) → output_item.done
 *                    → response.done
 *
 * Whatever the session's outcome, what was opened is closed, and the `.done` content is what the deltas said.
 */
import type { ResponseStatus, SessionEvent, Usage } from '../../actors/session-api.ts';
import { type MediaEncoder, SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { WireItem, WireToolItem } from './items.ts';
import type { SendEvent } from './outbox.ts';
import { faultType, wireCode } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';

type CallDelta = Omit<Extract<SessionEvent, { type: 'response.call.delta' }>, 'type' | 'responseId'>;

export interface ResponseHeader {
  readonly id: string;
  readonly itemId: string;
  /** Null: outside the conversation, into which its item does not come. */
  readonly conversationId: string | null;
  readonly modality: 'audio' | 'text';
  readonly format: AudioFormat;
  readonly voice: string;
  readonly maxOutputTokens: number | 'inf';
  readonly metadata: Readonly<Record<string, string>>;
}

interface BegunCall {
  readonly index: number;
  readonly item: WireToolItem;
  /** Of its arguments. */
  told: string;
}

export class ResponseWriter {
  readonly #send: SendEvent;
  readonly #header: ResponseHeader;
  readonly #deltas: MediaEncoder | null;
  /** Of the message in the response; null: it has none yet. */
  #index: number | null = null;
  #items = 0;
  #isDone = false;
  #previousItemId: string | null = null;
  readonly #calls: { readonly item: WireToolItem; readonly previousItemId: string | null }[] = [];
  /** Calls of the client's that were told while they were written, by their item. */
  readonly #begunCalls = new Map<string, BegunCall>();
  /** By their place in the response; those that the server runs and that have no outcome yet are open. */
  readonly #serverCalls = new Map<number, { item: WireToolItem; isOpen: boolean }>();
  #text = '';
  #samples = 0;

  /** `deltas` null: the sound travels elsewhere. */
  constructor(send: SendEvent, header: ResponseHeader, deltas: MediaEncoder | null) {
    this.#send = send;
    this.#header = header;
    this.#deltas = deltas;
    send('response.created', { response: this.#response('in_progress', null, [], null) });
  }

  get itemId(): string {
    return this.#header.itemId;
  }

  /** Audio sent so far. */
  get audioMs(): number {
    return (this.#samples / SESSION_OUTPUT_RATE_HZ) * 1000;
  }

  /** The item enters the conversation; deltas do it themselves when the session did not say so before. */
  open(previousItemId: string | null): void {
    if (this.#index !== null) return;
    this.#index = this.#items++;
    this.#previousItemId = previousItemId;
    const item = this.#item('in_progress', []);
    this.#send('response.output_item.added', { ...this.#place(this.#index), item });
    this.#sendConversation('conversation.item.added', item);
    this.#sendPart('response.content_part.added', '');
  }

  text(delta: string, previousItemId: string | null): void {
    this.open(previousItemId);
    this.#text += delta;
    const type =
      this.#header.modality === 'audio'
        ? 'response.output_audio_transcript.delta'
        : 'response.output_text.delta';
    this.#send(type, { ...this.#address(), delta });
  }

  audio(samples: Float32Array, previousItemId: string | null): void {
    this.open(previousItemId);
    this.#samples += samples.length;
    if (this.#deltas) this.#sendAudio(this.#deltas.push(samples));
  }

  /** Of a call that the client is to run, and that the model still writes. */
  callDelta({ itemId, callId, name, delta }: CallDelta): void {
    const begun = this.#begunCalls.get(itemId) ?? this.#beginCall(itemId, callId, name);
    if (delta === '') return;
    begun.told += delta;
    this.#send('response.function_call_arguments.delta', {
      ...this.#callAddress(begun.index, begun.item),
      delta,
    });
  }

  #beginCall(id: string, call_id: string, name: string): BegunCall {
    const fields = { id, object: 'realtime.item', type: 'function_call', status: 'in_progress' } as const;
    const begun = { index: this.#items++, item: { ...fields, call_id, name, arguments: '' }, told: '' };
    this.#begunCalls.set(id, begun);
    this.#send('response.output_item.added', { ...this.#place(begun.index), item: begun.item });
    return begun;
  }

  /** A call that the client is to run. */
  call(item: WireToolItem, previousItemId: string | null): void {
    this.#calls.push({ item, previousItemId });
  }

  /** A call that the server runs; returns its place in the response. */
  serverCall(item: WireToolItem, previousItemId: string | null): number {
    const index = this.#items++;
    this.#serverCalls.set(index, { item, isOpen: true });
    const { arguments: given } = item;
    const place = this.#place(index);
    const begun = { ...item, arguments: '' };
    this.#send('response.output_item.added', { ...place, item: begun });
    if (this.#header.conversationId !== null)
      this.#send('conversation.item.added', { item: begun, previous_item_id: previousItemId });
    const address = { ...place, item_id: item.id };
    this.#send('response.mcp_call_arguments.delta', { ...address, delta: given });
    this.#send('response.mcp_call_arguments.done', { ...address, arguments: given });
    return index;
  }

  /** It has its outcome; a response that ended before has told of it as it was. */
  serverCallDone(item: WireToolItem): void {
    for (const [index, call] of this.#serverCalls) {
      if (call.item.id !== item.id || this.#isDone) continue;
      this.#serverCalls.set(index, { item, isOpen: false });
      this.#send('response.output_item.done', { ...this.#place(index), item });
    }
  }

  done(status: ResponseStatus, usage: Usage): void {
    const items: (WireItem | WireToolItem)[] = [];
    if (this.#index !== null) {
      const item = this.#item(status.kind === 'completed' ? 'completed' : 'incomplete', [this.#content()]);
      this.#closePart();
      this.#send('response.output_item.done', { ...this.#place(this.#index), item });
      this.#sendConversation('conversation.item.done', item);
      items[this.#index] = item;
    }
    for (const [index, { item, isOpen }] of this.#serverCalls) {
      if (isOpen) this.#send('response.output_item.done', { ...this.#place(index), item });
      items[index] = item;
    }
    for (const { item, previousItemId } of this.#calls) {
      const index = this.#begunCalls.get(item.id)?.index ?? this.#items++;
      this.#sendCall(item, previousItemId, index);
      items[index] = item;
    }
    for (const { index, item, told } of this.#begunCalls.values()) {
      if (items[index]) continue;
      // It was broken off: it is no call, and does not enter the conversation.
      items[index] = { ...item, status: 'incomplete', arguments: told };
      this.#send('response.output_item.done', { ...this.#place(index), item: items[index] });
    }
    this.#isDone = true;
    this.#send('response.done', {
      response: this.#response(status.kind, statusDetails(status), items, wireUsage(usage)),
    });
  }

  #sendCall(item: WireToolItem, previousItemId: string | null, output_index: number): void {
    const { name } = item;
    const given = String(item.arguments);
    const of = this.#place(output_index);
    const address = this.#callAddress(output_index, item);
    const begun = { ...item, status: 'in_progress', arguments: '' };
    const told = this.#begunCalls.get(item.id)?.told;
    const tell = (type: string, of: object) => {
      if (this.#header.conversationId !== null)
        this.#send(type, { item: of, previous_item_id: previousItemId });
    };
    if (told === undefined) this.#send('response.output_item.added', { ...of, item: begun });
    tell('conversation.item.added', begun);
    const delta = given.slice(told?.length ?? 0);
    if (delta !== '') this.#send('response.function_call_arguments.delta', { ...address, delta });
    this.#send('response.function_call_arguments.done', { ...address, name, arguments: given });
    this.#send('response.output_item.done', { ...of, item });
    tell('conversation.item.done', item);
  }

  #callAddress(output_index: number, { id, call_id }: WireToolItem) {
    return { ...this.#place(output_index), item_id: id, call_id };
  }

  #closePart(): void {
    if (this.#header.modality === 'text') {
      this.#send('response.output_text.done', { ...this.#address(), text: this.#text });
    } else {
      if (this.#deltas) this.#sendAudio(this.#deltas.finish());
      this.#send('response.output_audio.done', this.#address());
      this.#send('response.output_audio_transcript.done', { ...this.#address(), transcript: this.#text });
    }
    this.#sendPart('response.content_part.done', this.#text);
  }

  #sendConversation(type: string, item: WireItem): void {
    if (this.#header.conversationId === null) return;
    this.#send(type, { item, previous_item_id: this.#previousItemId });
  }

  #sendAudio(bytes: Buffer): void {
    if (bytes.length > 0)
      this.#send('response.output_audio.delta', { ...this.#address(), delta: bytes.toString('base64') });
  }

  #sendPart(type: string, text: string): void {
    const part =
      this.#header.modality === 'audio' ? { type: 'audio', transcript: text } : { type: 'text', text };
    this.#send(type, { ...this.#address(), part });
  }

  #place(output_index: number) {
    return { response_id: this.#header.id, output_index };
  }

  #address() {
    return { ...this.#place(this.#index ?? 0), item_id: this.#header.itemId, content_index: 0 };
  }

  #content(): WireItem['content'][number] {
    if (this.#header.modality === 'audio') return { type: 'output_audio', transcript: this.#text };
    return { type: 'output_text', text: this.#text };
  }

  #item(status: WireItem['status'], content: WireItem['content']): WireItem {
    return {
      id: this.#header.itemId,
      object: 'realtime.item',
      type: 'message',
      role: 'assistant',
      status,
      content,
    };
  }

  #response(status: string, details: unknown, output: readonly (WireItem | WireToolItem)[], usage: unknown) {
    const { id, conversationId, modality, format, voice, maxOutputTokens, metadata } = this.#header;
    return {
      id,
      object: 'realtime.response',
      status,
      status_details: details,
      output,
      ...(conversationId === null ? {} : { conversation_id: conversationId }),
      output_modalities: [modality],
      audio: { output: { format, voice } },
      max_output_tokens: maxOutputTokens,
      metadata: Object.keys(metadata).length > 0 ? metadata : null,
      usage,
    };
  }
}

/** Why a response ended early, in the protocol's words; babble is ours. */
const WIRE_REASONS = {
  interrupted: 'turn_detected',
  asked: 'client_cancelled',
  'max-steps': 'max_output_tokens',
  babble: 'babble',
} as const;

function statusDetails(status: ResponseStatus): unknown {
  if (status.kind === 'completed') return null;
  if (status.kind === 'failed') {
    const { code, message } = status;
    // A message stands in no list of fields, and Pipecat reads it.
    return { type: 'failed', error: { type: faultType(code), code: wireCode(code), message } };
  }
  return { type: status.kind, reason: WIRE_REASONS[status.reason] };
}

function wireUsage(usage: Usage) {
  const input = usage.inputTextTokens + usage.inputAudioTokens + usage.inputImageTokens;
  const output = usage.outputTextTokens + usage.outputAudioTokens;
  return {
    total_tokens: input + output,
    input_tokens: input,
    output_tokens: output,
    input_token_details: {
      text_tokens: usage.inputTextTokens,
      audio_tokens: usage.inputAudioTokens,
      image_tokens: usage.inputImageTokens,
      cached_tokens: usage.cachedTextTokens + usage.cachedAudioTokens + usage.cachedImageTokens,
      cached_tokens_details: {
        text_tokens: usage.cachedTextTokens,
        audio_tokens: usage.cachedAudioTokens,
        image_tokens: usage.cachedImageTokens,
      },
    },
    output_token_details: { text_tokens: usage.outputTextTokens, audio_tokens: usage.outputAudioTokens },
  };
}
