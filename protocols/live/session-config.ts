/**
 * The configuration of a session (docs/spec/gpt-live.md §3): strict, so that a misspelt field is refused by its name instead of leaving
 * a client in a mode it did not ask for; and what the session makes of it. What this server does not do is refused here, at the start.
 */
import { z } from 'zod';
import type { NewItem, SessionSettings, TurnDetection } from '../../actors/session-api.ts';
import { refusal } from '../json/index.ts';
import type { MediaFormat } from '../media/index.ts';

const MAX_HISTORY = 128;
const MAX_INSTRUCTIONS_CHARS = 100_000;
const MAX_TEXT_CHARS = 50_000;
const DEFAULT_VOICE = 'marin';

const shortText = z.string().min(1).max(256);
const text = z.string().max(MAX_TEXT_CHARS);

const formatSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal([16_000, 24_000]).optional() }),
  z.strictObject({ type: z.literal('audio/pcmu'), rate: z.literal(8000).optional() }),
  z.strictObject({ type: z.literal('audio/pcma'), rate: z.literal(8000).optional() }),
]);

const message = { type: z.literal('message').optional(), id: shortText.nullable().optional() };
const status = z.enum(['incomplete', 'completed']).nullable().optional();
/** One part, always of text. */
const content = <T extends string>(types: readonly [T, ...T[]]) =>
  z
    .array(z.strictObject({ type: z.enum(types).optional(), text }))
    .min(1)
    .max(1);
const historySchema = z.discriminatedUnion('role', [
  z.strictObject({ ...message, status, role: z.literal('developer'), content: content(['input_text']) }),
  z.strictObject({ ...message, status, role: z.literal('user'), content: content(['input_text']) }),
  z.strictObject({
    ...message,
    status,
    role: z.literal('assistant'),
    content: content(['text', 'output_text']),
  }),
]);

const delayMs = z.int().min(0).max(60_000).optional();
const delegationSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('client'), acknowledgement_delay_ms: delayMs }),
  z.looseObject({ type: z.literal('responses') }),
  z.looseObject({ type: z.literal('decisions') }),
]);

const eventNames = z.array(shortText).max(64);
const dataChannel = z.strictObject({
  allowed_client_events: z.union([z.literal('all'), eventNames]).optional(),
  allowed_server_events: z
    .union([
      z.literal('all'),
      z.array(z.strictObject({ type: shortText, response_event: shortText.optional() })).max(64),
    ])
    .optional(),
});

/** What may change while a session runs. */
const changeable = {
  delegation: delegationSchema.nullable().optional(),
  triggers: z.array(z.looseObject({})).max(2).optional(),
};
export const sessionUpdateSchema = z.strictObject(changeable);
export const sessionConfigSchema = z.strictObject({
  ...changeable,
  model: shortText,
  instructions: z.string().max(MAX_INSTRUCTIONS_CHARS).nullable().optional(),
  input: z.array(historySchema).max(MAX_HISTORY).optional(),
  audio: z
    .strictObject({
      format: formatSchema.optional(),
      output: z
        .strictObject({ voice: z.union([shortText, z.strictObject({ id: shortText })]).optional() })
        .optional(),
    })
    .optional(),
  client: z.strictObject({ data_channel: dataChannel }).optional(),
  store: z.boolean().nullable().optional(),
  safety_identifier: z.string().max(512).nullable().optional(),
});

/** What asks for a session over WebRTC, whose configuration may say what it is. */
export const sessionRequestSchema = z.strictObject({
  session: sessionConfigSchema.extend({ type: z.literal('live').optional() }),
  transport: z.strictObject({ type: z.literal('webrtc'), sdp: z.string() }),
});

export type SessionFields = z.infer<typeof sessionConfigSchema>;
export type SessionUpdate = z.infer<typeof sessionUpdateSchema>;
type HistoryItem = z.infer<typeof historySchema>;
type Format = z.infer<typeof formatSchema>;

/** Everything resolved, as `session.started` shows it. */
export interface LiveConfig {
  readonly model: string;
  readonly instructions: string | null;
  readonly input: readonly HistoryItem[];
  readonly audio: {
    /** Absent: agreed on with the offer of a track. */
    readonly format?: { readonly type: Format['type']; readonly rate: number };
    readonly output: { readonly voice: string | { readonly id: string } };
  };
  readonly delegation: { readonly type: 'client'; readonly acknowledgement_delay_ms: number };
  readonly triggers: readonly [];
  readonly store: false;
  readonly safety_identifier: string | null;
  readonly client?: NonNullable<SessionFields['client']>;
}

/** Throws a refusal of what is not there: other delegations, triggers, storing. */
export function resolveConfig(
  fields: SessionFields,
  modelName: string,
  defaults: Partial<SessionSettings>,
  hasTrack = false,
): LiveConfig {
  checkServed(fields);
  if (hasTrack && fields.audio?.format) {
    const message = 'The format of a track is agreed on with the offer; leave audio.format out.';
    throw refusal('unsupported_value', message, 'session.audio.format');
  }
  if (fields.store === true) {
    throw refusal(
      'unsupported_value',
      'Sessions are not stored here, so none can be forked.',
      'session.store',
    );
  }
  const { input = [], audio, delegation, safety_identifier = null, client } = fields;
  const format = audio?.format ?? { type: 'audio/pcm' };
  return {
    model: modelName,
    instructions: given(fields.instructions) ?? given(defaults.instructions),
    input,
    audio: {
      ...(!hasTrack && { format: { ...format, rate: format.rate ?? defaultRate(format) } }),
      output: { voice: audio?.output?.voice ?? DEFAULT_VOICE },
    },
    delegation: resolveDelegation(delegation, 0),
    triggers: [],
    store: false,
    safety_identifier,
    ...(client && { client }),
  };
}

/** What `session.update` may change, which is next to nothing where the client is the only one to delegate to. */
export function updateConfig(config: LiveConfig, update: SessionUpdate): LiveConfig {
  checkServed(update);
  const { delegation } = update;
  if (delegation === undefined) return config;
  const before = config.delegation.acknowledgement_delay_ms;
  return { ...config, delegation: resolveDelegation(delegation, before) };
}

function checkServed({ delegation, triggers = [] }: SessionUpdate): void {
  if (delegation && delegation.type !== 'client') {
    const message = `Delegation to ${delegation.type} is not served here: no backend model stands behind this server. Give {"type": "client"}, or leave it out.`;
    throw refusal('unsupported_value', message, 'session.delegation.type');
  }
  if (triggers.length > 0) {
    throw refusal(
      'unsupported_value',
      'There are no decisions here, so nothing to trigger.',
      'session.triggers',
    );
  }
}

function resolveDelegation(
  delegation: SessionUpdate['delegation'],
  otherwise: number,
): LiveConfig['delegation'] {
  const delay = delegation?.type === 'client' ? delegation.acknowledgement_delay_ms : undefined;
  return { type: 'client', acknowledgement_delay_ms: delay ?? otherwise };
}

/** Blank is not given. */
const given = (instructions: string | null | undefined): string | null =>
  instructions?.trim() ? instructions : null;

const defaultRate = ({ type }: Format): number => (type === 'audio/pcm' ? 24_000 : 8000);

/** Of the sound inside the events. */
export function mediaFormat({ audio }: LiveConfig): MediaFormat {
  const format = audio.format ?? { type: 'audio/pcm', rate: 24_000 };
  const codecs = { 'audio/pcm': 'pcm16', 'audio/pcmu': 'mu-law', 'audio/pcma': 'a-law' } as const;
  return { codec: codecs[format.type], rateHz: format.rate };
}

/** The operator's settings with the client's; here the server owns the turns, whatever the operator has set for other doors. */
export function toSettings(
  config: LiveConfig,
  { turnDetection, ...defaults }: Partial<SessionSettings>,
): Partial<SessionSettings> {
  const turns: { turnDetection?: TurnDetection } =
    turnDetection?.mode === 'vad'
      ? { turnDetection: { ...turnDetection, createResponse: true, interruptResponse: true } }
      : {};
  return { ...defaults, ...turns, outputModality: 'audio', instructions: config.instructions ?? '' };
}

const ROLES = { developer: 'system', user: 'user', assistant: 'assistant' } as const;

export function historyItem({ id, role, content: [part] }: HistoryItem): NewItem {
  return { ...(id && { id }), role: ROLES[role], content: [{ type: 'text', text: part.text }] };
}
