/**
 * The frames of Telnyx and Exotel (docs/spec/protocols.md §3), as far as a call needs them: Twilio's in snake case,
 * numbers as strings.
 */
import { z } from 'zod';

const id = z.string().min(1).max(128);
const count = z.union([z.string().regex(/^\d{1,12}$/), z.int().min(0)]).transform(Number);
const text = z.string().max(8192);

export const streamMessage = z.discriminatedUnion('event', [
  z.object({ event: z.literal('connected') }),
  z.object({
    event: z.literal('start'),
    stream_id: id.optional(),
    stream_sid: id.optional(),
    start: z.object({
      call_control_id: id.optional(),
      call_sid: id.optional(),
      from: text.optional(),
      to: text.optional(),
      custom_parameters: z.record(z.string().max(256), text).nullish(),
      media_format: z.object({
        encoding: z.string().max(64),
        sample_rate: z.union([z.string().regex(/^\d{4,6}$/), z.int()]).transform(Number),
        channels: z.union([z.string(), z.int()]).optional(),
      }),
    }),
  }),
  z.object({
    event: z.literal('media'),
    media: z.object({
      track: z.string().max(32).default('inbound'),
      chunk: count,
      timestamp: count,
      payload: z.string(),
    }),
  }),
  z.object({ event: z.literal('dtmf'), dtmf: z.object({ digit: z.string().max(8) }) }),
  z.object({ event: z.literal('mark'), mark: z.object({ name: z.string().max(128) }) }),
  z.object({ event: z.literal('clear') }),
  z.object({ event: z.literal('error') }),
  z.object({ event: z.literal('stop') }),
]);

export type StreamMessage = z.infer<typeof streamMessage>;
