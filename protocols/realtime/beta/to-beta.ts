/** The beta shape of the Realtime protocol, from us: what the GA shape would have said, in the beta's names. */
import type { AudioFormat } from '../session-fields.ts';
import type { BetaFields } from './from-beta.ts';

interface BetaEvent {
  readonly type: string;
  readonly fields: BetaFields;
}

const RENAMED: Readonly<Record<string, string>> = {
  'response.output_text.delta': 'response.text.delta',
  'response.output_text.done': 'response.text.done',
  'response.output_audio.delta': 'response.audio.delta',
  'response.output_audio.done': 'response.audio.done',
  'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
  'response.output_audio_transcript.done': 'response.audio_transcript.done',
  'conversation.item.added': 'conversation.item.created',
};

/** An item was told of once in the beta. */
const UNKNOWN = new Set(['conversation.item.done']);

const FORMAT_NAMES: Readonly<Record<AudioFormat['type'], string>> = {
  'audio/pcm': 'pcm16',
  'audio/pcmu': 'g711_ulaw',
  'audio/pcma': 'g711_alaw',
};

/** None where the beta had no such event. */
export function toBetaEvents(type: string, fields: BetaFields): BetaEvent[] {
  if (UNKNOWN.has(type)) return [];
  if (type === 'session.created' || type === 'session.updated') {
    const session = toBetaSession(fields.session as BetaFields);
    const isTranscription = session.object === 'realtime.transcription_session';
    return [{ type: isTranscription ? `transcription_${type}` : type, fields: { session } }];
  }
  let told = fields;
  if (told.item) told = { ...told, item: toBetaItem(told.item as BetaFields) };
  if (told.response) told = { ...told, response: toBetaResponse(told.response as BetaFields) };
  if (type === 'error') told = { error: toBetaError(told.error as BetaFields) };
  return [{ type: RENAMED[type] ?? type, fields: told }];
}

export function toBetaSession(session: BetaFields): BetaFields {
  const { id, object, expires_at, model, instructions, tools, tool_choice, tracing, longcat, include } =
    session;
  const { input, output } = session.audio as {
    readonly input: BetaFields & { readonly format: AudioFormat };
    readonly output?: BetaFields & { readonly format: AudioFormat };
  };
  const heard = {
    input_audio_format: FORMAT_NAMES[input.format.type],
    input_audio_transcription: input.transcription,
    input_audio_noise_reduction: input.noise_reduction,
    turn_detection: input.turn_detection,
  };
  const identity = { id, object, expires_at };
  if (!output) return { ...identity, ...heard, include, longcat };
  return {
    ...identity,
    model,
    modalities: toBetaModalities(session.output_modalities),
    instructions,
    voice: output.voice,
    ...heard,
    output_audio_format: FORMAT_NAMES[output.format.type],
    speed: output.speed,
    ...{ tools, tool_choice, tracing },
    max_response_output_tokens: session.max_output_tokens,
    longcat,
  };
}

function toBetaModalities(modalities: unknown): readonly string[] {
  return (modalities as readonly string[]).includes('audio') ? ['text', 'audio'] : ['text'];
}

function toBetaItem(item: BetaFields): BetaFields {
  if (!Array.isArray(item.content)) return item;
  const content = item.content.map((part: BetaFields) => {
    if (part.type === 'output_text') return { ...part, type: 'text' };
    return part.type === 'output_audio' ? { ...part, type: 'audio' } : part;
  });
  return { ...item, content };
}

function toBetaResponse(response: BetaFields): BetaFields {
  const { audio, output_modalities, ...rest } = response;
  const { format, voice } = (audio as { output: { format: AudioFormat; voice: string } }).output;
  return {
    ...rest,
    modalities: toBetaModalities(output_modalities),
    output_audio_format: FORMAT_NAMES[format.type],
    voice,
    output: (rest.output as readonly BetaFields[]).map(toBetaItem),
  };
}

/** The longest first: a name that begins another must not take its place. */
const BETA_NAMES = [
  ['session.audio.input.noise_reduction', 'session.input_audio_noise_reduction'],
  ['session.audio.input.transcription', 'session.input_audio_transcription'],
  ['session.audio.input.turn_detection', 'session.turn_detection'],
  ['session.audio.input.format', 'session.input_audio_format'],
  ['session.audio.output.format', 'session.output_audio_format'],
  ['session.audio.output.voice', 'session.voice'],
  ['session.audio.output.speed', 'session.speed'],
  ['session.output_modalities', 'session.modalities'],
  ['session.max_output_tokens', 'session.max_response_output_tokens'],
  ['response.audio.output.format', 'response.output_audio_format'],
  ['response.audio.output.voice', 'response.voice'],
  ['response.output_modalities', 'response.modalities'],
  ['response.max_output_tokens', 'response.max_response_output_tokens'],
] as const;

/** A field's path, or a text that names it, in the beta's names. */
export function toBetaParam(text: string): string {
  return BETA_NAMES.reduce((told, [ga, beta]) => told.replaceAll(ga, beta), text);
}

function toBetaError(error: BetaFields): BetaFields {
  const { message, param } = error;
  return {
    ...error,
    message: toBetaParam(String(message)),
    param: typeof param === 'string' ? toBetaParam(param) : null,
  };
}
