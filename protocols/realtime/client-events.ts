/** Every event a client may send (docs/spec/protocols.md §1.2) and our extensions (README.md here). */
import { z } from 'zod';
import {
  audioFormatSchema,
  carriedFields,
  maxOutputTokensSchema,
  modalitiesSchema,
  optional,
  sessionFieldsSchema,
  voiceSchema,
} from './session-fields.ts';

/** 15 MiB of audio is what one append may carry; in base64 that is four characters for three bytes. */
export const MAX_APPEND_BYTES = 15 * 1024 * 1024;
const MAX_APPEND_BASE64 = Math.ceil(MAX_APPEND_BYTES / 3) * 4;
/** A frame is an append and its envelope. */
export const MAX_FRAME_BYTES = MAX_APPEND_BASE64 + 64 * 1024;
export const MAX_IMAGE_BASE64 = 8 * 1024 * 1024;

const id = z.string().min(1).max(128);
const eventId = { event_id: optional(z.string().max(512)) };
const base64Audio = z.string().max(MAX_APPEND_BASE64);
const imageData = z.string().min(1).max(MAX_IMAGE_BASE64);
const text = z.string().max(200_000);

const optionalText = optional(text).transform(value => value ?? '');

const contentPartSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('input_text'), text: optionalText }),
  z.object({ type: z.literal('input_audio'), audio: optional(base64Audio), transcript: optional(text) }),
  z.object({
    type: z.literal('input_image'),
    image_url: imageData,
    detail: optional(z.enum(['auto', 'low', 'high'])),
  }),
  z.object({ type: z.literal('output_text'), text: optionalText }),
  z.object({ type: z.literal('output_audio'), audio: optional(base64Audio), transcript: optional(text) }),
  z.object({ type: z.literal('text'), text: optionalText }),
]);
export type ContentPart = z.infer<typeof contentPartSchema>;

const message = z.object({
  type: z.literal('message'),
  id: optional(id),
  role: z.enum(['system', 'user', 'assistant']),
  content: z.array(contentPartSchema).max(64),
});
export type MessageItem = z.infer<typeof message>;

const callId = z.string().min(1).max(512);
const functionCall = z.object({
  type: z.literal('function_call'),
  id: optional(id),
  call_id: optional(callId),
  name: z.string().max(256),
  arguments: optionalText,
});
const functionCallOutput = z.object({
  type: z.literal('function_call_output'),
  id: optional(id),
  call_id: callId,
  output: optionalText,
});
/** Kept and echoed, so that a restored history is whole. */
const foreignItem = z.looseObject({
  type: z.enum(['mcp_list_tools', 'mcp_call', 'mcp_approval_request', 'mcp_approval_response']),
  id: optional(id),
});
const givenItem = z.discriminatedUnion('type', [message, functionCall, functionCallOutput, foreignItem]);
/** What a client may put into a conversation. */
export type GivenItem = z.infer<typeof givenItem>;

const itemReference = z.object({ type: z.literal('item_reference'), id });
const inputItem = z.discriminatedUnion('type', [
  message,
  itemReference,
  functionCall,
  functionCallOutput,
  foreignItem,
]);
export type InputItem = z.infer<typeof inputItem>;

const responseFields = z.object({
  ...carriedFields,
  instructions: optional(z.string().max(100_000)),
  output_modalities: optional(modalitiesSchema),
  audio: optional(
    z.object({
      output: optional(z.object({ format: optional(audioFormatSchema), voice: optional(voiceSchema) })),
    }),
  ),
  max_output_tokens: optional(maxOutputTokensSchema),
  metadata: optional(
    z
      .record(z.string().max(64), z.string().max(512))
      .refine(pairs => Object.keys(pairs).length <= 16, 'at most 16 pairs'),
  ),
  conversation: optional(z.string().max(128)),
  input: optional(z.array(inputItem).max(256)),
});
export type ResponseFields = z.infer<typeof responseFields>;

export const clientEventSchema = z.discriminatedUnion('type', [
  z.object({ ...eventId, type: z.literal('session.update'), session: sessionFieldsSchema }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.append'), audio: base64Audio }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.commit') }),
  z.object({ ...eventId, type: z.literal('input_audio_buffer.clear') }),
  z.object({
    ...eventId,
    type: z.literal('conversation.item.create'),
    item: givenItem,
    previous_item_id: id.nullish(),
  }),
  z.object({ ...eventId, type: z.literal('conversation.item.retrieve'), item_id: id }),
  z.object({
    ...eventId,
    type: z.literal('conversation.item.truncate'),
    item_id: id,
    content_index: z.literal(0),
    audio_end_ms: z.number().min(0),
  }),
  z.object({ ...eventId, type: z.literal('conversation.item.delete'), item_id: id }),
  z.object({ ...eventId, type: z.literal('response.create'), response: responseFields.nullish() }),
  z.object({ ...eventId, type: z.literal('response.cancel'), response_id: id.nullish() }),
  z.object({ ...eventId, type: z.literal('output_audio_buffer.clear') }),
  z.object({
    ...eventId,
    type: z.literal('longcat.video.frame'),
    image: imageData,
    captured_at_ms: optional(z.number().min(0)),
  }),
  z.object({
    ...eventId,
    type: z.literal('longcat.playback.report'),
    item_id: id,
    heard_ms: optional(z.number().min(0)),
    samples: optional(z.int().min(0)),
  }),
  z.object({ ...eventId, type: z.literal('longcat.received'), events: z.int().min(0) }),
]);

export type ClientEvent = z.infer<typeof clientEventSchema>;
export type ClientEventType = ClientEvent['type'];
export const CLIENT_EVENT_TYPES: ReadonlySet<string> = new Set(
  clientEventSchema.options.map(option => option.shape.type.value),
);
