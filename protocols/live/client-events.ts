/** Every event a client may send (docs/spec/gpt-live.md §4), and those that this server can do nothing with. */
import { z } from 'zod';
import { sessionConfigSchema, sessionUpdateSchema } from './session-config.ts';

const MAX_APPEND_BYTES = 15 * 1024 * 1024;
const MAX_APPEND_BASE64 = Math.ceil(MAX_APPEND_BYTES / 3) * 4;
/** 30 s of 16 bits at 24 kHz. */
export const MAX_FIXTURE_BYTES = 30 * 48_000;
const MAX_FIXTURE_BASE64 = Math.ceil(MAX_FIXTURE_BYTES / 3) * 4;
/** Five hundred tokens, at most sixteen characters each. */
const MAX_CONTENT_CHARS = 8000;
const MAX_ITEM_CHARS = 64 * 1024;

const eventId = { event_id: z.string().max(512).nullable().optional() };
const addition = {
  ...eventId,
  content: z.string().min(1).max(MAX_CONTENT_CHARS),
  delegation_id: z.string().max(256).nullable(),
};

/** Of a backend's conversation, which says what it takes. */
const itemSchema = z
  .looseObject({ type: z.string().max(256).optional() })
  .refine(item => JSON.stringify(item).length <= MAX_ITEM_CHARS, {
    error: `at most ${MAX_ITEM_CHARS} characters of JSON are taken`,
  });

export const clientEventSchema = z.discriminatedUnion('type', [
  z.object({ ...eventId, type: z.literal('session.start'), session: sessionConfigSchema }),
  z.object({ ...eventId, type: z.literal('session.update'), session: sessionUpdateSchema }),
  z.object({
    ...eventId,
    type: z.literal('session.input_audio.append'),
    audio: z.string().max(MAX_APPEND_BASE64),
  }),
  z.object({ ...eventId, type: z.literal('session.input_audio.mute') }),
  z.object({ ...eventId, type: z.literal('session.input_audio.unmute') }),
  z.object({ ...addition, type: z.literal('session.instructions.append') }),
  z.object({ ...addition, type: z.literal('session.thinking.append') }),
  z.object({ ...addition, type: z.literal('session.commentary.append') }),
  z.object({
    ...eventId,
    type: z.literal('session.output_audio.fixture.play'),
    audio: z.string().max(MAX_FIXTURE_BASE64),
  }),
  z.object({ ...eventId, type: z.literal('response.item.create'), item: itemSchema }),
  z.object({ ...eventId, type: z.literal('response.create') }),
  z.object({ ...eventId, type: z.literal('session.close') }),
]);

export type ClientEvent = z.infer<typeof clientEventSchema>;
export type ClientEventType = ClientEvent['type'];
export type LiveEventOf<T extends ClientEventType> = Extract<ClientEvent, { type: T }>;
export type Addition = LiveEventOf<
  'session.instructions.append' | 'session.thinking.append' | 'session.commentary.append'
>;

export const CLIENT_EVENT_TYPES: ReadonlySet<string> = new Set(
  clientEventSchema.options.flatMap(({ shape }) => [...shape.type.values]),
);

const NO_DECISIONS = 'There are no decisions here.';

/** Events of the protocol that are refused, and why. */
export const REFUSED_EVENTS: Readonly<Record<string, string>> = {
  'decision.create': NO_DECISIONS,
  'decision.item.create': NO_DECISIONS,
  'decision.item.delete': NO_DECISIONS,
  'transport.dtmf.send': 'Keys are sent to telephone calls, and this session is none.',
};
