/** The session object as clients may send it (docs/spec/protocols.md §1.4–§1.5): every field optional, unknown ones ignored. */
import { z } from 'zod';

const shortText = z.string().max(256);

const pcm = z.object({ type: z.literal('audio/pcm'), rate: z.literal(24_000).default(24_000) });
const g711 = z.object({ type: z.enum(['audio/pcmu', 'audio/pcma']) });
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

export const audioFormatSchema = z.union([pcm, g711, legacyFormat]);

const serverVad = z.object({
  type: z.literal('server_vad'),
  threshold: z.number().min(0).max(1).optional(),
  prefix_padding_ms: z.int().min(0).max(10_000).optional(),
  silence_duration_ms: z.int().min(20).max(10_000).optional(),
  create_response: z.boolean().optional(),
  interrupt_response: z.boolean().optional(),
  idle_timeout_ms: z.int().min(5_000).max(30_000).nullable().optional(),
});

const semanticVad = z.object({
  type: z.literal('semantic_vad'),
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).optional(),
  create_response: z.boolean().optional(),
  interrupt_response: z.boolean().optional(),
});

const transcription = z.object({
  model: shortText.optional(),
  language: shortText.optional(),
  prompt: z.string().max(10_000).optional(),
});

const functionTool = z.object({
  type: z.literal('function'),
  name: shortText,
  description: z.string().max(10_000).optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});
const mcpTool = z.looseObject({ type: z.literal('mcp'), server_label: shortText });

const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.object({ type: z.literal('function'), name: shortText }),
  z.object({ type: z.literal('mcp'), server_label: shortText, name: shortText.optional() }),
]);

const truncation = z.union([
  z.enum(['auto', 'disabled']),
  z.looseObject({ type: z.literal('retention_ratio'), retention_ratio: z.number().min(0).max(1) }),
]);

export const voiceSchema = z.union([shortText.min(1), z.object({ id: shortText.min(1) })]);
export const modalitiesSchema = z
  .array(z.enum(['audio', 'text']))
  .min(1)
  .max(2)
  .refine(list => list.length === 1, 'must be ["audio"] or ["text"], not both');
export const maxOutputTokensSchema = z.union([z.int().min(1).max(4096), z.literal('inf')]);

/** Fields that one response may override and that this model carries without acting on them. */
export const carriedFields = {
  tools: z
    .array(z.union([functionTool, mcpTool]))
    .max(128)
    .optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).nullable().optional(),
  prompt: z.looseObject({ id: shortText }).nullable().optional(),
};

export const sessionFieldsSchema = z.object({
  ...carriedFields,
  type: z.enum(['realtime', 'transcription']).optional(),
  model: shortText.optional(),
  instructions: z.string().max(100_000).optional(),
  output_modalities: modalitiesSchema.optional(),
  audio: z
    .object({
      input: z
        .object({
          format: audioFormatSchema.optional(),
          noise_reduction: z
            .object({ type: z.enum(['near_field', 'far_field']) })
            .nullable()
            .optional(),
          transcription: transcription.nullable().optional(),
          turn_detection: z.union([serverVad, semanticVad]).nullable().optional(),
        })
        .optional(),
      output: z
        .object({
          format: audioFormatSchema.optional(),
          voice: voiceSchema.optional(),
          speed: z.number().min(0.25).max(1.5).optional(),
        })
        .optional(),
    })
    .optional(),
  max_output_tokens: maxOutputTokensSchema.optional(),
  tracing: z
    .union([z.literal('auto'), z.looseObject({})])
    .nullable()
    .optional(),
  truncation: truncation.optional(),
  include: z.array(shortText).max(16).nullable().optional(),
  longcat: z.object({ extensions: z.boolean() }).optional(),
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
