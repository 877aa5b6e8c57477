/**
 * The configuration of a session (docs/spec/gpt-live.md §3): strict, so that a misspelt field is refused by its name
 * instead of leaving a client in a mode it did not ask for; and what the session makes of it. What this server does not
 * do is refused here, at the start.
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
const someFields = z.record(z.string().max(256), z.unknown()).nullable().optional();
/** What the backend is asked with; its own matter but for their names. */
const responsesSchema = z.strictObject({
  model: shortText,
  instructions: z.string().max(MAX_INSTRUCTIONS_CHARS).nullable().optional(),
  tools: z
    .array(z.looseObject({ type: shortText }))
    .max(128)
    .nullable()
    .optional(),
  tool_choice: z
    .union([shortText, z.looseObject({})])
    .nullable()
    .optional(),
  parallel_tool_calls: z.boolean().nullable().optional(),
  reasoning: someFields,
  text: someFields,
  service_tier: shortText.nullable().optional(),
  max_output_tokens: z.int().min(1).nullable().optional(),
});
const clientDelegation = z.strictObject({ type: z.literal('client'), acknowledgement_delay_ms: delayMs });
const decisions = z.looseObject({ type: z.literal('decisions') });
const delegationSchema = z.discriminatedUnion('type', [
  clientDelegation,
  z.strictObject({
    type: z.literal('responses'),
    acknowledgement_delay_ms: delayMs,
    responses: responsesSchema,
  }),
  decisions,
]);
const delegationUpdate = z.discriminatedUnion('type', [
  clientDelegation,
  z.strictObject({
    type: z.literal('responses'),
    acknowledgement_delay_ms: delayMs,
    responses: responsesSchema.partial().optional(),
  }),
  decisions,
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

const triggers = z.array(z.looseObject({})).max(2).optional();
/** What may change while a session runs. */
export const sessionUpdateSchema = z.strictObject({
  delegation: delegationUpdate.nullable().optional(),
  triggers,
});
export const sessionConfigSchema = z.strictObject({
  delegation: delegationSchema.nullable().optional(),
  triggers,
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
export type ResponsesConfig = z.infer<typeof responsesSchema>;
type HistoryItem = z.infer<typeof historySchema>;
type Format = z.infer<typeof formatSchema>;

export type DelegationConfig =
  | { readonly type: 'client'; readonly acknowledgement_delay_ms: number }
  | {
      readonly type: 'responses';
      readonly acknowledgement_delay_ms: number;
      readonly responses: ResponsesConfig;
    };

/** What the server has of what a session may ask for. */
export interface Served {
  readonly modelName: string;
  readonly sessionDefaults: Partial<SessionSettings>;
  /** Sound travels on a track. */
  readonly hasTrack: boolean;
  /** A backend of the Responses API is configured. */
  readonly hasBackend: boolean;
}

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
  readonly delegation: DelegationConfig;
  readonly triggers: readonly [];
  readonly store: false;
  readonly safety_identifier: string | null;
  readonly client?: NonNullable<SessionFields['client']>;
}

/** Throws a refusal of what is not there: some delegations, triggers, storing. */
export function resolveConfig(fields: SessionFields, served: Served): LiveConfig {
  const { hasTrack, modelName, sessionDefaults } = served;
  checkTriggers(fields.triggers);
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
    instructions: given(fields.instructions) ?? given(sessionDefaults.instructions),
    input,
    audio: {
      ...(!hasTrack && { format: { ...format, rate: format.rate ?? defaultRate(format) } }),
      output: { voice: audio?.output?.voice ?? DEFAULT_VOICE },
    },
    delegation: resolveDelegation(delegation ?? { type: 'client' }, served.hasBackend),
    triggers: [],
    store: false,
    safety_identifier,
    ...(client && { client }),
  };
}

/** What `session.update` may change: the delegation, within its type. */
export function updateConfig(config: LiveConfig, { delegation, triggers }: SessionUpdate): LiveConfig {
  checkTriggers(triggers);
  if (!delegation) return config;
  const before = config.delegation;
  if (delegation.type !== before.type) {
    const message = `The delegation of this session is ${before.type}, and its type cannot change.`;
    throw refusal('unsupported_value', message, 'session.delegation.type');
  }
  const acknowledgement_delay_ms = delegation.acknowledgement_delay_ms ?? before.acknowledgement_delay_ms;
  if (before.type === 'client' || delegation.type !== 'responses')
    return { ...config, delegation: { ...before, acknowledgement_delay_ms } };
  const responses = { ...before.responses, ...givenFields(delegation.responses) };
  return { ...config, delegation: { ...before, acknowledgement_delay_ms, responses } };
}

function checkTriggers(triggers: SessionUpdate['triggers'] = []): void {
  if (triggers.length === 0) return;
  throw refusal(
    'unsupported_value',
    'There are no decisions here, so nothing to trigger.',
    'session.triggers',
  );
}

function resolveDelegation(
  delegation: NonNullable<SessionFields['delegation']>,
  hasBackend: boolean,
): DelegationConfig {
  if (delegation.type === 'decisions' || (delegation.type === 'responses' && !hasBackend)) {
    const message = `Delegation to ${delegation.type} is not served here: no backend model stands behind this server. Give {"type": "client"}, or leave it out.`;
    throw refusal('unsupported_value', message, 'session.delegation.type');
  }
  return { ...delegation, acknowledgement_delay_ms: delegation.acknowledgement_delay_ms ?? 0 };
}

const givenFields = <T extends object>(fields: T | undefined): Partial<T> =>
  Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;

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

/**
 * The operator's settings with the client's; here the server owns the turns, whatever the operator has set for other
 * doors.
 */
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
