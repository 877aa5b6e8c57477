/** What Genesys says on an AudioHook stream, version 2, as far as it is looked at (docs/spec/protocols.md §3). */
import { z } from 'zod';

const text = z.string().max(512);
const values = z.record(z.string().max(128), z.unknown());

const mediaFormat = z.looseObject({
  type: text.optional(),
  format: text,
  rate: z.number(),
  channels: z.array(text).max(8),
});

export type OfferedMedia = z.infer<typeof mediaFormat>;

export const genesysMessage = z.looseObject({
  version: z.literal('2'),
  type: z.string().max(64),
  id: z.string().min(1).max(128),
  seq: z.number().int().min(0),
  parameters: z
    .looseObject({
      conversationId: text.optional(),
      participant: z.looseObject({ ani: text.optional(), dnis: text.optional() }).optional(),
      media: z.array(mediaFormat).max(32).optional(),
      inputVariables: values.optional(),
      customConfig: values.optional(),
      digit: z.string().max(8).optional(),
      reason: text.optional(),
    })
    .optional(),
});

export type GenesysMessage = z.infer<typeof genesysMessage>;
