/**
 * The effective configuration of one connection: what `session.updated` echoes, and its mapping to session settings.
 */
import type { SessionSettings, TurnDetection } from '../../actors/session-api.ts';
import { type PresetName, TURN_PRESETS, type TurnPreset } from '../../actors/turn-taking/index.ts';
import { withoutKeys } from './mcp-fields.ts';
import { refusal } from './protocol-error.ts';
import { toDeclarations, toToolChoice } from './tools.ts';
import type { AudioFormat, SessionFields, Truncation } from './session-fields.ts';

export interface SessionConfig {
  readonly type: 'realtime' | 'transcription';
  readonly model: string;
  readonly instructions: string;
  readonly output_modalities: readonly ('audio' | 'text')[];
  readonly audio: {
    readonly input: {
      readonly format: AudioFormat;
      /** There is no noise reduction, and the echo says so. */
      readonly noise_reduction: null;
      readonly transcription: Readonly<Record<string, unknown>> | null;
      readonly turn_detection: TurnDetectionConfig | null;
    };
    readonly output: { readonly format: AudioFormat; readonly voice: string; readonly speed: number };
  };
  readonly tools: readonly unknown[];
  readonly tool_choice: unknown;
  readonly parallel_tool_calls: boolean;
  readonly max_output_tokens: number | 'inf';
  readonly tracing: unknown;
  readonly truncation: Truncation;
  readonly prompt: unknown;
  readonly include: readonly string[] | null;
  readonly reasoning?: unknown;
  readonly longcat: { readonly extensions: boolean };
}

interface ResponseSwitches {
  readonly create_response: boolean;
  readonly interrupt_response: boolean;
}
type Eagerness = 'low' | 'medium' | 'high' | 'auto';
type TurnDetectionConfig = ResponseSwitches &
  (
    | {
        readonly type: 'server_vad';
        readonly threshold: number;
        readonly prefix_padding_ms: number;
        readonly silence_duration_ms: number;
        readonly idle_timeout_ms: number | null;
      }
    | { readonly type: 'semantic_vad'; readonly eagerness: Eagerness }
  );

/** What a client means by its eagerness; `auto` goes by the line. */
const EAGERNESS_PRESETS: Readonly<Record<Exclude<Eagerness, 'auto'>, PresetName>> = {
  low: 'patient',
  medium: 'balanced',
  high: 'fast',
};

/**
 * Used where the operator configured manual turns and a client asks for a VAD (docs/spec/protocols.md §1.4,
 * docs/spec/model.md §6.3).
 */
const FALLBACK_VAD = {
  threshold: 0.5,
  prefixPaddingMs: 300,
  endpointSilenceMs: 500,
  speculateSilenceMs: 200,
  meaning: null,
  telephone: null,
} as const;

const DEFAULT_VOICE = 'longcat';
const PCM: AudioFormat = { type: 'audio/pcm', rate: 24_000 };

export function initialConfig(
  model: string,
  type: SessionConfig['type'],
  defaults: SessionSettings,
): SessionConfig {
  return {
    type,
    model,
    instructions: defaults.instructions,
    output_modalities: [defaults.outputModality],
    audio: {
      input: {
        format: PCM,
        noise_reduction: null,
        transcription: type === 'transcription' ? { model } : null,
        turn_detection:
          defaults.turnDetection.mode === 'manual' ? null : freshServerVad(defaults.turnDetection),
      },
      output: { format: PCM, voice: DEFAULT_VOICE, speed: defaults.speechSpeed },
    },
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    max_output_tokens: 'inf',
    tracing: null,
    truncation: 'auto',
    prompt: null,
    include: null,
    longcat: { extensions: false },
  };
}

/**
 * The session object of `session.created` and `session.updated`: a transcription session has no other side to tell of.
 */
export function describeSession(
  config: SessionConfig,
  id: string,
  expiresAtSeconds: number,
): Readonly<Record<string, unknown>> {
  const identity = { id, expires_at: expiresAtSeconds };
  if (config.type === 'realtime')
    return { ...identity, object: 'realtime.session', ...config, tools: withoutKeys(config.tools) };
  const { type, audio, include, longcat } = config;
  const object = 'realtime.transcription_session';
  return { ...identity, object, type, audio: { input: audio.input }, include, longcat };
}

function freshServerVad(from: TurnDetection): TurnDetectionConfig {
  const vad = from.mode === 'vad' ? from : { ...FALLBACK_VAD, createResponse: true, interruptResponse: true };
  return {
    type: 'server_vad',
    threshold: vad.threshold,
    prefix_padding_ms: vad.prefixPaddingMs,
    silence_duration_ms: vad.endpointSilenceMs,
    idle_timeout_ms: null,
    create_response: vad.createResponse,
    interrupt_response: vad.interruptResponse,
  };
}

export interface MergeContext {
  readonly defaults: SessionSettings;
  /** The voice is fixed from the first sample that was spoken. */
  readonly hasSpoken: boolean;
}

/** Merges field by field; throws a refusal and changes nothing when a value is not allowed now. */
export function mergeConfig(
  current: SessionConfig,
  fields: SessionFields,
  context: MergeContext,
): SessionConfig {
  const { input, output } = fields.audio ?? {};
  const voice = output?.voice === undefined ? current.audio.output.voice : voiceName(output.voice);
  if (context.hasSpoken && voice !== current.audio.output.voice) {
    throw refusal(
      'cannot_update_voice',
      'The voice cannot change once the model has spoken.',
      'session.audio.output.voice',
    );
  }
  if (fields.type !== undefined && fields.type !== current.type) {
    throw refusal('invalid_value', `This is a ${current.type} session and stays one.`, 'session.type');
  }
  if (
    fields.tracing !== undefined &&
    current.tracing !== null &&
    !sameJson(fields.tracing, current.tracing)
  ) {
    throw refusal('cannot_update_tracing', 'Tracing cannot be altered once it is on.', 'session.tracing');
  }
  return {
    ...current,
    instructions: fields.instructions ?? current.instructions,
    output_modalities: fields.output_modalities ?? current.output_modalities,
    audio: {
      input: {
        format: input?.format ?? current.audio.input.format,
        noise_reduction: null,
        transcription: mergeNullable(current.audio.input.transcription, input?.transcription),
        turn_detection: mergeTurnDetection(
          current.audio.input.turn_detection,
          turnDetectionGiven(current, input),
          context.defaults,
        ),
      },
      output: {
        format: output?.format ?? current.audio.output.format,
        voice,
        speed: output?.speed ?? current.audio.output.speed,
      },
    },
    tools: fields.tools ?? current.tools,
    tool_choice: fields.tool_choice ?? current.tool_choice,
    parallel_tool_calls: fields.parallel_tool_calls ?? current.parallel_tool_calls,
    max_output_tokens: fields.max_output_tokens ?? current.max_output_tokens,
    tracing: given(fields.tracing, current.tracing),
    truncation: fields.truncation ?? current.truncation,
    prompt: given(fields.prompt, current.prompt),
    include: given(fields.include, current.include),
    ...(fields.reasoning ? { reasoning: fields.reasoning } : {}),
    longcat: fields.longcat ?? current.longcat,
  };
}

const given = <T>(value: T | undefined, otherwise: T): T => (value === undefined ? otherwise : value);
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
export const voiceName = (voice: string | { id: string }): string =>
  typeof voice === 'string' ? voice : voice.id;

function mergeNullable(
  current: Readonly<Record<string, unknown>> | null,
  next: Readonly<Record<string, unknown>> | null | undefined,
): Readonly<Record<string, unknown>> | null {
  return next === undefined ? current : next && { ...current, ...present(next) };
}

/** Without the fields that were left out, so that they take nothing away from what is there. */
function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

type InputFields = NonNullable<NonNullable<SessionFields['audio']>['input']>;
type TurnDetectionFields = InputFields['turn_detection'];

/**
 * Transcription models whose clients end the turns themselves. OpenAI's have no turn detection, so stock clients
 * (LiveKit's, which chooses the first unless told otherwise) leave the field out and commit when their own detector
 * says so.
 */
const CLIENT_ENDS_TURNS = ['gpt-realtime-whisper', 'gpt-live-transcribe'];

function turnDetectionGiven({ type }: SessionConfig, input: InputFields | undefined): TurnDetectionFields {
  const model = String(input?.transcription?.model ?? '');
  const isTheClients = type === 'transcription' && CLIENT_ENDS_TURNS.some(name => model.startsWith(name));
  return input?.turn_detection === undefined && isTheClients ? null : input?.turn_detection;
}

function mergeTurnDetection(
  current: TurnDetectionConfig | null,
  next: TurnDetectionFields,
  defaults: SessionSettings,
): TurnDetectionConfig | null {
  if (next === undefined) return current;
  if (next === null) return null;
  const given = present(next);
  if (current?.type === given.type) return { ...current, ...given } as TurnDetectionConfig;
  const fresh = freshServerVad(defaults.turnDetection);
  if (given.type === 'server_vad') return { ...fresh, ...given } as TurnDetectionConfig;
  const { create_response, interrupt_response } = fresh;
  return { eagerness: 'auto', create_response, interrupt_response, ...given } as TurnDetectionConfig;
}

/** The part of the configuration that the session acts on. */
export function toSettings(config: SessionConfig, defaults: SessionSettings): Partial<SessionSettings> {
  return {
    instructions: config.instructions,
    outputModality: config.output_modalities[0],
    turnDetection: toTurnDetection(config, defaults.turnDetection),
    maxReplySteps: boundedSteps(config.max_output_tokens, defaults),
    speechSpeed: config.audio.output.speed,
    truncation: toTruncation(config.truncation),
    tools: toDeclarations(config.tools),
    toolChoice: toToolChoice(config.tool_choice),
    parallelToolCalls: config.parallel_tool_calls,
  };
}

function toTruncation(truncation: Truncation): SessionSettings['truncation'] {
  if (typeof truncation === 'string') return { mode: truncation };
  const maxPositions = truncation.token_limits?.post_instructions;
  return { mode: 'retain', share: truncation.retention_ratio, ...(maxPositions && { maxPositions }) };
}

/** The operator's bound holds whatever a client asks for. */
export function boundedSteps(tokens: number | 'inf', defaults: SessionSettings): number {
  return tokens === 'inf' ? defaults.maxReplySteps : Math.min(tokens, defaults.maxReplySteps);
}

function toTurnDetection(config: SessionConfig, operator: TurnDetection): TurnDetection {
  const vad = config.audio.input.turn_detection;
  if (vad === null) return { mode: 'manual' };
  const base = operator.mode === 'vad' ? operator : FALLBACK_VAD;
  const common = {
    mode: 'vad',
    createResponse: vad.create_response && config.type === 'realtime',
    interruptResponse: vad.interrupt_response,
  } as const;
  if (vad.type === 'semantic_vad') {
    const { prefixPaddingMs } = base;
    return {
      ...common,
      prefixPaddingMs,
      ...TURN_PRESETS[presetOf(vad.eagerness, config.audio.input.format)],
      // What the format does not say the sound does: many a bridge sends a telephone as wide-band PCM.
      telephone: vad.eagerness === 'auto' ? TURN_PRESETS.telephone : null,
    };
  }
  // Who asks for a silence of his own gets silence alone.
  const isOperators = vad.silence_duration_ms === base.endpointSilenceMs;
  return {
    ...common,
    threshold: vad.threshold,
    prefixPaddingMs: vad.prefix_padding_ms,
    endpointSilenceMs: vad.silence_duration_ms,
    speculateSilenceMs: base.speculateSilenceMs,
    ...(isOperators && base.meaning && { meaning: base.meaning }),
    ...(isOperators && base.telephone && telephoneOf(base.telephone, vad.threshold, base.threshold, config)),
  };
}

/** Of a telephone by its format the policy is the telephone's at once, of another line when it is heard to be one. */
function telephoneOf(
  preset: TurnPreset,
  threshold: number,
  operatorThreshold: number,
  config: SessionConfig,
): Partial<TurnPreset> & { readonly telephone?: TurnPreset } {
  // A threshold that a client asks for holds on every line.
  const telephone = threshold === operatorThreshold ? preset : { ...preset, threshold };
  return config.audio.input.format.type === 'audio/pcm' ? { telephone } : telephone;
}

function presetOf(eagerness: Eagerness, { type }: AudioFormat): PresetName {
  if (eagerness !== 'auto') return EAGERNESS_PRESETS[eagerness];
  return type === 'audio/pcm' ? 'balanced' : 'telephone';
}
