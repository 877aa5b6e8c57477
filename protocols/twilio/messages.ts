/** Twilio's frames (docs/spec/protocols.md §2.2), as far as a call needs them. Numbers are strings. */
import { z } from 'zod';

const id = z.string().min(1).max(128);
const count = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number);
const parameters = z.record(z.string().max(256), z.string().max(8192)).default({});

export const twilioMessage = z.discriminatedUnion('event', [
  z.object({ event: z.literal('connected') }),
  z.object({
    event: z.literal('start'),
    streamSid: id,
    start: z.object({
      accountSid: id.optional(),
      callSid: id,
      customParameters: parameters,
      mediaFormat: z.object({
        encoding: z.literal('audio/x-mulaw'),
        sampleRate: z.literal(8000),
        channels: z.literal(1),
      }),
    }),
  }),
  z.object({
    event: z.literal('media'),
    media: z.object({
      track: z.enum(['inbound', 'outbound']).default('inbound'),
      chunk: count,
      timestamp: count,
      payload: z.string(),
    }),
  }),
  z.object({ event: z.literal('dtmf'), dtmf: z.object({ digit: z.string().max(8) }) }),
  z.object({ event: z.literal('mark'), mark: z.object({ name: z.string().max(128) }) }),
  z.object({ event: z.literal('stop') }),
]);

export type TwilioMessage = z.infer<typeof twilioMessage>;
