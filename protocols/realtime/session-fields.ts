/**
 * The session object as clients may send it (docs/spec/protocols.md §1.4–§1.5): every field optional, unknown ones
 * ignored.
 */
import { z } from 'zod';

/** A field that may be left out. Many clients write `null` for what they leave out, so null is the same as absent. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema
    .nullable()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional();

const shortText = z.string().max(256);

const PCM_RATE_HZ = 24_000;
/** Without a type it is PCM. */
const format = z
  .object({
    type: optional(z.enum(['audio/pcm', 'audio/pcmu', 'audio/pcma'])),
    rate: optional(z.number()),
  })
  .refine(
    ({ type, rate }) => (type ?? 'audio/pcm') !== 'audio/pcm' || (rate ?? PCM_RATE_HZ) === PCM_RATE_HZ,
    {
      message: `Invalid input: expected ${PCM_RATE_HZ}, the one rate of audio/pcm`,
      path: ['rate'],
    },
  )
  .transform(
    ({ type = 'audio/pcm' }): AudioFormat => (type === 'audio/pcm' ? { type, rate: PCM_RATE_HZ } : { type }),
  );
const legacyFormat = z
  .enum(['pcm16', 'g711_ulaw', 'g711_alaw'])
  .transform((name): AudioFormat => LEGACY_FORMATS[name]);

export type AudioFormat =
  | { readonly type: 'audio/pcm'; readonly rate: 24_000 }
  | { readonly type: 'audio/pcmu' }
  | { readonly type: 'audio/pcma' };

const LEGACY_FORMATS: Record<'pcm16' | 'g711_ulaw' | 'g711_alaw', AudioFormat> = {
  pcm16: { type: 'audio/pcm', rate: 24_000 },
  g711_ulaw: { type: 'audio/pcmu' },
  g711_alaw: { type: 'audio/pcma' },
};

export const audioFormatSchema = z.union([format, legacyFormat]);

const serverVad = z.object({
  type: z.literal('server_vad'),
  threshold: optional(z.number().min(0).max(1)),
  prefix_padding_ms: optional(z.int().min(0).max(10_000)),
  silence_duration_ms: optional(z.int().min(20).max(10_000)),
  create_response: optional(z.boolean()),
  interrupt_response: optional(z.boolean()),
  idle_timeout_ms: z.int().min(5_000).max(30_000).nullable().optional(),
});

const semanticVad = z.object({
  type: z.literal('semantic_vad'),
  eagerness: optional(z.enum(['low', 'medium', 'high', 'auto'])),
  create_response: optional(z.boolean()),
  interrupt_response: optional(z.boolean()),
});

const transcription = z.object({
  model: optional(shortText),
  language: optional(shortText),
  prompt: optional(z.string().max(10_000)),
});

/** A tool without a type is a function. */
const functionTool = z.object({
  type: optional(z.literal('function')).transform(() => 'function' as const),
  name: optional(shortText),
  description: optional(z.string().max(10_000)),
  parameters: optional(z.record(z.string(), z.unknown())),
});
const mcpFilter = z.object({
  tool_names: optional(z.array(shortText).max(128)),
  read_only: optional(z.boolean()),
});
export const mcpToolSchema = z.looseObject({
  type: z.literal('mcp'),
  server_label: shortText.min(1),
  server_url: optional(z.string().max(2048)),
  server_description: optional(z.string().max(10_000)),
  authorization: optional(z.string().max(8192)),
  headers: optional(z.record(z.string().max(256), z.string().max(8192))),
  allowed_tools: optional(z.union([z.array(shortText).max(128), mcpFilter])),
  require_approval: optional(
    z.union([
      z.enum(['always', 'never']),
      z.object({ always: optional(mcpFilter), never: optional(mcpFilter) }),
    ]),
  ),
});

const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.object({ type: z.literal('function'), name: shortText }),
  z.object({ type: z.literal('mcp'), server_label: shortText, name: optional(shortText) }),
]);

const truncation = z.union([
  z.enum(['auto', 'disabled']),
  z.object({
    type: z.literal('retention_ratio'),
    retention_ratio: z.number().min(0).max(1),
    token_limits: optional(z.object({ post_instructions: optional(z.int().min(1)) })),
  }),
]);
export type Truncation = z.infer<typeof truncation>;

export const voiceSchema = z.union([shortText.min(1), z.object({ id: shortText.min(1) })]);
export const modalitiesSchema = z
  .array(z.enum(['audio', 'text']))
  .min(1)
  .max(2)
  .refine(list => list.length === 1, 'must be ["audio"] or ["text"], not both');
export const maxOutputTokensSchema = z.union([z.int().min(1).max(4096), z.literal('inf')]);

/** Fields that one response may override; `prompt` and `reasoning` are carried without being acted on. */
export const carriedFields = {
  tools: optional(z.array(z.union([functionTool, mcpToolSchema])).max(128)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  reasoning: z.looseObject({}).nullable().optional(),
  prompt: z.looseObject({ id: shortText }).nullable().optional(),
};

const audioInput = z.object({
  format: optional(audioFormatSchema),
  noise_reduction: z
    .object({ type: z.enum(['near_field', 'far_field']) })
    .nullable()
    .optional(),
  transcription: transcription.nullable().optional(),
  turn_detection: z.discriminatedUnion('type', [serverVad, semanticVad]).nullable().optional(),
});

const audioOutput = z.object({
  format: optional(audioFormatSchema),
  voice: optional(voiceSchema),
  speed: optional(z.number().min(0.25).max(1.5)),
});

export const sessionFieldsSchema = z.object({
  ...carriedFields,
  type: optional(z.enum(['realtime', 'transcription'])),
  model: optional(shortText),
  instructions: optional(z.string().max(100_000)),
  output_modalities: optional(modalitiesSchema),
  audio: optional(z.object({ input: optional(audioInput), output: optional(audioOutput) })),
  max_output_tokens: optional(maxOutputTokensSchema),
  tracing: z
    .union([z.literal('auto'), z.looseObject({})])
    .nullable()
    .optional(),
  truncation: optional(truncation),
  /** Of `item.input_audio_transcription.logprobs`: the ear gives words, no probabilities. */
  include: z
    .array(shortText)
    .max(16)
    .refine(list => list.length === 0, 'this model has nothing to include (no logprobs); leave it out')
    .nullable()
    .optional(),
  longcat: optional(z.object({ extensions: z.boolean() })),
});

export type SessionFields = z.infer<typeof sessionFieldsSchema>;

/** Names of the beta shape. Ignoring them silently would leave a client in a mode it did not ask for. */
export const BETA_SESSION_FIELDS: Readonly<Record<string, string>> = {
  modalities: 'output_modalities',
  voice: 'audio.output.voice',
  input_audio_format: 'audio.input.format',
  output_audio_format: 'audio.output.format',
  input_audio_transcription: 'audio.input.transcription',
  input_audio_noise_reduction: 'audio.input.noise_reduction',
  turn_detection: 'audio.input.turn_detection',
  max_response_output_tokens: 'max_output_tokens',
  speed: 'audio.output.speed',
};

export const BETA_RESPONSE_FIELDS: Readonly<Record<string, string>> = {
  modalities: 'output_modalities',
  voice: 'audio.output.voice',
  output_audio_format: 'audio.output.format',
  max_response_output_tokens: 'max_output_tokens',
};
