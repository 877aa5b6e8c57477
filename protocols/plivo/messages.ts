/** Plivo's frames (docs/spec/protocols.md §3), as far as a call needs them. Numbers come as numbers or as strings. */
import { z } from 'zod';

const id = z.string().min(1).max(128);
const count = z.union([z.string().regex(/^\d{1,15}$/), z.int().min(0)]).transform(Number);

export const plivoMessage = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    start: z.object({
      streamId: id,
      callId: id.optional(),
      mediaFormat: z.object({ encoding: z.string().max(64), sampleRate: count }),
    }),
    extra_headers: z.string().max(8192).nullish(),
  }),
  z.object({
    event: z.literal('media'),
    media: z.object({
      track: z.string().max(32).default('inbound'),
      /** Unix time, in milliseconds. */
      timestamp: count.nullish(),
      chunk: count.nullish(),
      payload: z.string(),
    }),
  }),
  z.object({ event: z.literal('dtmf'), dtmf: z.object({ digit: z.string().max(8) }) }),
  z.object({ event: z.literal('playedStream'), name: z.string().max(128) }),
  z.object({ event: z.literal('clearedAudio') }),
  z.object({ event: z.literal('stop') }),
]);

export type PlivoMessage = z.infer<typeof plivoMessage>;
