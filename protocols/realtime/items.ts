/** Conversation items between the wire (docs/spec/protocols.md §1.6) and the session. */
import { randomUUID } from 'node:crypto';
import type { ConversationItem, ItemContent, NewItem } from '../../actors/session-api.ts';
import { decodeRecording, encodeRecording, recordingBytes } from './audio-format.ts';
import type { ContentPart, GivenItem, MessageItem } from './client-events.ts';
import type { DecodePicture } from './pictures.ts';
import { SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import { refusal } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';
import { toWireCall } from './tools.ts';

/** A message. */
export interface WireItem {
  readonly id: string;
  readonly object: 'realtime.item';
  readonly type: 'message';
  readonly role: MessageItem['role'];
  readonly status: ConversationItem['status'];
  readonly content: readonly WirePart[];
}

/** A call of a tool, what came of it, or something of the client's own. */
export type WireToolItem = Readonly<Record<string, unknown>> & Pick<WireItem, 'id' | 'object'>;

interface WirePart {
  readonly type: 'input_text' | 'input_audio' | 'output_text' | 'output_audio';
  readonly text?: string;
  readonly transcript?: string | null;
  readonly audio?: string;
}

export interface ItemFormats {
  readonly input: AudioFormat;
  readonly output: AudioFormat;
}

/** Characters of an item that is kept for the client alone. */
const MAX_FOREIGN_CHARS = 200_000;

const ALLOWED_PARTS: Readonly<Record<MessageItem['role'], ReadonlySet<ContentPart['type']>>> = {
  system: new Set(['input_text', 'text']),
  user: new Set(['input_text', 'input_audio', 'input_image', 'text']),
  assistant: new Set(['output_text', 'output_audio', 'text']),
};

/** At once, except when a picture has to be decoded first. */
export function toNewItem(
  given: GivenItem,
  formats: ItemFormats,
  decodePicture: DecodePicture,
  path = 'item',
): NewItem | Promise<NewItem> {
  return given.type === 'message' ? toMessage(given, formats, decodePicture, path) : toToolItem(given, path);
}

function toToolItem(given: Exclude<GivenItem, MessageItem>, path: string): NewItem {
  const { id, type } = given;
  if (type === 'function_call') {
    const { name, call_id: callId = `call_${randomUUID()}`, arguments: argumentsJson } = given;
    return { id, role: 'assistant', content: [{ type: 'call', callId, name, argumentsJson }] };
  }
  if (type === 'function_call_output') {
    const { call_id: callId, output } = given;
    return { id, role: 'tool', content: [{ type: 'call.output', callId, output }] };
  }
  const { object: _object, ...fields } = given;
  if (JSON.stringify(fields).length > MAX_FOREIGN_CHARS) {
    throw refusal('string_above_max_length', `The item exceeds ${MAX_FOREIGN_CHARS} characters.`, path);
  }
  return { id, role: 'tool', content: [{ type: 'foreign', kind: type, fields }] };
}

function toMessage(
  message: MessageItem,
  formats: ItemFormats,
  decodePicture: DecodePicture,
  path: string,
): NewItem | Promise<NewItem> {
  const { id, role } = message;
  const odd = message.content.findIndex(part => !ALLOWED_PARTS[role].has(part.type));
  if (odd >= 0) {
    throw refusal(
      'invalid_value',
      `A ${role} item cannot hold ${message.content[odd].type}.`,
      `${path}.content[${odd}].type`,
    );
  }
  if (message.content.length === 0 && role !== 'assistant') {
    throw refusal('invalid_value', `A ${role} item needs content.`, `${path}.content`);
  }
  // Pictures last: nothing is left decoding when another part is refused.
  const parts = message.content.map((part, index) =>
    part.type === 'input_image' ? null : toContent(part, formats, `${path}.content[${index}]`),
  );
  if (!parts.includes(null)) return { id, role, content: parts as ItemContent[] };
  return addPictures(message, parts, decodePicture, path).then(content => ({ id, role, content }));
}

async function addPictures(
  message: MessageItem,
  parts: (ItemContent | null)[],
  decodePicture: DecodePicture,
  path: string,
): Promise<ItemContent[]> {
  for (const [index, part] of message.content.entries()) {
    if (part.type !== 'input_image') continue;
    const image = await decodePicture(part.image_url, `${path}.content[${index}].image_url`);
    parts[index] = { type: 'image', image };
  }
  return parts as ItemContent[];
}

type PlainPart = Exclude<ContentPart, { type: 'input_image' }>;

function toContent(part: PlainPart, formats: ItemFormats, path: string): ItemContent {
  switch (part.type) {
    case 'input_audio':
      return toAudio(part, formats.input, SESSION_INPUT_RATE_HZ, path);
    case 'output_audio':
      return toAudio(part, formats.output, SESSION_OUTPUT_RATE_HZ, path);
    default:
      return { type: 'text', text: part.text };
  }
}

/** A restored history has the words of what was spoken, hardly ever the sound. */
function toAudio(
  { audio, transcript }: { readonly audio?: string; readonly transcript?: string },
  format: AudioFormat,
  rateHz: number,
  path: string,
): ItemContent {
  const bytes = audio ? recordingBytes(audio, format, `${path}.audio`) : null;
  const samples = bytes ? decodeRecording(format, bytes, rateHz) : new Float32Array(0);
  return { type: 'audio', samples, transcript: transcript ?? null };
}

/**
 * The item as clients see it. Audio bytes only where asked for (`retrieve`). Pictures are left out: stock clients throw
 * away an event whose item shows one (docs/spec/protocols.md §1.9). Without `showsWords` the transcripts are null.
 */
export function toWireItem(
  item: ConversationItem,
  audio: ItemFormats | null,
  showsWords: boolean,
): WireItem | WireToolItem {
  const { id, status } = item;
  const tool = toWireTool(item);
  if (tool) return tool;
  const role = item.role as MessageItem['role'];
  const content = item.content.flatMap(part => toWirePart(part, role, audio, showsWords));
  return { id, object: 'realtime.item', type: 'message', role, status, content };
}

function toWireTool(item: ConversationItem): WireToolItem | null {
  const { id, status, content } = item;
  const [part] = content;
  const head = { id, object: 'realtime.item' } as const;
  if (part?.type === 'call') return { ...head, ...toWireCall(item, part) };
  if (part?.type === 'call.output')
    return { ...head, type: 'function_call_output', status, call_id: part.callId, output: part.output };
  return part?.type === 'foreign' ? { ...part.fields, ...head, type: part.kind } : null;
}

function toWirePart(
  part: ItemContent,
  role: MessageItem['role'],
  audio: ItemFormats | null,
  showsWords: boolean,
): WirePart[] {
  const assistant = role === 'assistant';
  if (part.type !== 'text' && part.type !== 'audio') return [];
  if (part.type === 'text') return [{ type: assistant ? 'output_text' : 'input_text', text: part.text }];
  const transcript = showsWords ? part.transcript : null;
  const wire = { type: assistant ? 'output_audio' : 'input_audio', transcript } as const;
  if (audio === null) return [wire];
  const rateHz = assistant ? SESSION_OUTPUT_RATE_HZ : SESSION_INPUT_RATE_HZ;
  return [{ ...wire, audio: encodeRecording(assistant ? audio.output : audio.input, part.samples, rateHz) }];
}
