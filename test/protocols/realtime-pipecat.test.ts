/**
 * Pipecat's service over `/v1/realtime` (its source of October 2026). It parses every event that comes with classes of
 * its own and stops at the first that has another type, another name or a fraction where a whole number is wanted; any
 * error but two ends it. So: these events alone, of these shapes, and none of the errors for what it sends.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pcm } from '../support/realtime-client.ts';
import { serveClients, textItem } from '../support/served-clients.ts';

const int = z.int();
const text = z.string();
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish();
const modalities = maybe(z.array(z.enum(['text', 'audio'])));
const format = maybe(
  z.union([
    z.object({ type: z.literal('audio/pcm'), rate: z.literal(24000) }),
    z.object({ type: z.enum(['audio/pcmu', 'audio/pcma']) }),
  ]),
);
const turnDetection = z.discriminatedUnion('type', [
  z.object({ type: z.literal('server_vad'), prefix_padding_ms: maybe(int), silence_duration_ms: maybe(int) }),
  z.object({ type: z.literal('semantic_vad'), eagerness: maybe(z.enum(['low', 'medium', 'high', 'auto'])) }),
]);
const audio = z.object({
  input: maybe(z.object({ format, turn_detection: maybe(turnDetection) })),
  output: maybe(z.object({ format, voice: maybe(text), speed: maybe(z.number()) })),
});
const session = z.object({
  ...{ type: z.literal('realtime'), object: z.literal('realtime.session'), id: text, model: text },
  ...{
    output_modalities: modalities,
    audio,
    tools: maybe(z.array(z.looseObject({}))),
    expires_at: maybe(int),
  },
  tool_choice: maybe(z.enum(['auto', 'none', 'required'])),
  max_output_tokens: maybe(z.union([int, z.literal('inf')])),
  include: maybe(z.array(text)),
});
const part = z.object({
  type: z.enum(['text', 'audio', 'input_text', 'input_audio', 'input_image', 'output_text', 'output_audio']),
  ...{ text: maybe(text), audio: maybe(text), transcript: maybe(text) },
});
const item = z.object({
  ...{ id: text, object: maybe(z.literal('realtime.item')), call_id: maybe(text), arguments: maybe(text) },
  type: z.enum(['message', 'function_call', 'function_call_output']),
  status: maybe(z.enum(['completed', 'in_progress', 'incomplete'])),
  role: maybe(z.enum(['user', 'assistant', 'system'])),
  content: maybe(z.array(part)),
});
const counts = z.object({ cached_tokens: maybe(int), text_tokens: maybe(int), audio_tokens: maybe(int) });
const usage = z.object({
  ...{ total_tokens: int, input_tokens: int, output_tokens: int },
  ...{ input_token_details: counts, output_token_details: counts },
});
const response = z.object({
  ...{
    id: text,
    object: z.literal('realtime.response'),
    output: z.array(item),
    output_modalities: modalities,
  },
  status: z.enum(['completed', 'in_progress', 'incomplete', 'cancelled', 'failed']),
  ...{ audio: maybe(audio), max_output_tokens: maybe(z.union([int, z.literal('inf')])), usage: maybe(usage) },
});
const error = z.object({
  type: text,
  code: maybe(text),
  message: text,
  param: maybe(text),
  event_id: maybe(text),
});
const at = { response_id: text, item_id: text, output_index: int, content_index: int };
const call = { response_id: text, item_id: text, output_index: int, call_id: text };
const heard = { item_id: text, content_index: int };

const EVENTS: Record<string, z.ZodRawShape> = {
  error: { error },
  'session.created': { session },
  'session.updated': { session },
  'conversation.created': {
    conversation: z.object({ id: text, object: z.literal('realtime.conversation') }),
  },
  'input_audio_buffer.committed': { previous_item_id: maybe(text), item_id: text },
  'input_audio_buffer.cleared': {},
  'input_audio_buffer.speech_started': { audio_start_ms: int, item_id: text },
  'input_audio_buffer.speech_stopped': { audio_end_ms: int, item_id: text },
  'conversation.item.added': { previous_item_id: maybe(text), item },
  'conversation.item.done': { previous_item_id: maybe(text), item },
  'conversation.item.input_audio_transcription.delta': { ...heard, delta: text },
  'conversation.item.input_audio_transcription.completed': { ...heard, transcript: text },
  'conversation.item.input_audio_transcription.failed': { ...heard, error },
  'conversation.item.truncated': { ...heard, audio_end_ms: int },
  'conversation.item.deleted': { item_id: text },
  'conversation.item.retrieved': { item },
  'response.created': { response },
  // Read without asking whether it is there.
  'response.done': { response: response.extend({ usage }) },
  'response.output_item.added': { response_id: text, output_index: int, item },
  'response.output_item.done': { response_id: text, output_index: int, item },
  'response.content_part.added': { ...at, part },
  'response.content_part.done': { ...at, part },
  'response.output_text.delta': { ...at, delta: text },
  'response.output_text.done': { ...at, text },
  'response.output_audio_transcript.delta': { ...at, delta: text },
  'response.output_audio_transcript.done': { ...at, transcript: text },
  'response.output_audio.delta': { ...at, delta: text },
  'response.output_audio.done': at,
  'response.function_call_arguments.delta': { ...call, delta: text },
  'response.function_call_arguments.done': { ...call, arguments: text },
  'rate_limits.updated': { rate_limits: z.array(z.looseObject({})) },
};
/** Said, and gone on from. */
const BORNE = new Set(['response_cancel_not_active', 'conversation_already_has_active_response']);

const { connect } = serveClients();

describe('Pipecat', () => {
  const update = (turnDetection: unknown) => ({
    type: 'session.update',
    session: {
      type: 'realtime',
      model: 'gpt-realtime-2',
      audio: {
        input: {
          transcription: { model: 'gpt-realtime-whisper' },
          noise_reduction: { type: 'near_field' },
          turn_detection: turnDetection,
        },
      },
    },
  });
  const create = { type: 'response.create', response: { output_modalities: ['audio'] } };
  const truncate = (item_id: string, audio_end_ms: number) => ({
    type: 'conversation.item.truncate',
    ...{ item_id, content_index: 0, audio_end_ms },
  });

  it.each([
    ['whose turns the server finds', { type: 'semantic_vad' }],
    ['who finds them itself', null],
  ] as const)('understands all that it is told, and is refused nothing: one %s', async (_name, detection) => {
    const client = await connect();
    client.send(update(detection));
    client.send({
      type: 'conversation.item.create',
      item: textItem('hi', '0123456789abcdef0123456789abcdef'),
    });
    client.send(update(detection));
    client.send(create);
    const { item_id } = await client.next('response.output_audio.delta');
    if (!detection) for (const type of ['input_audio_buffer.clear', 'response.cancel']) client.send({ type });
    client.send(truncate(item_id, 40.0));
    client.send({ type: 'input_audio_buffer.append', audio: pcm(400, 0.5) });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(1200, 0) });
    if (!detection) {
      client.send({ type: 'input_audio_buffer.commit' });
      client.send(create);
    }
    await client.next('conversation.item.input_audio_transcription.completed');
    client.send({ type: 'conversation.item.retrieve', item_id, event_id: `rci_${item_id}` });
    client.send({ type: 'conversation.item.delete', item_id });
    await client.next('conversation.item.deleted');

    for (const event of client.events) {
      const shape = EVENTS[event.type];
      expect(shape, event.type).toBeDefined();
      const told = z.object({ event_id: text, ...shape }).safeParse(event);
      expect(told.error?.issues ?? [], event.type).toEqual([]);
    }
    const errors = client.events.flatMap(event => (event.type === 'error' ? [event.error.code] : []));
    expect(errors.filter(code => !BORNE.has(code))).toEqual([]);
  });
});
