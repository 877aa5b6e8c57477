/**
 * The beta shape of the Realtime protocol (header `OpenAI-Beta: realtime=v1`), towards us: its events become those of
 * the GA shape before anything is checked, so that the server behind speaks one language. Values are taken over as they
 * are; what is wrong with them is said by the schema, in the beta's names (`toBetaParam`).
 */

export type BetaFields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is BetaFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * An event that only the GA shape has: its sender speaks GA whatever its header says, as `openai` 5.18's own client
 * does.
 */
export function isGaEvent(event: BetaFields): boolean {
  if (event.type !== 'session.update' || !isFields(event.session)) return false;
  return ['type', 'audio', 'output_modalities', 'max_output_tokens'].some(
    name => name in (event.session as BetaFields),
  );
}

export function fromBetaEvent(event: BetaFields): BetaFields {
  const { type } = event;
  if (type === 'session.update' && isFields(event.session)) {
    return { ...event, session: fromBetaSession(event.session) };
  }
  if (type === 'transcription_session.update' && isFields(event.session)) {
    const session = { ...fromBetaSession(event.session), type: 'transcription' };
    return { ...event, type: 'session.update', session };
  }
  if (type === 'conversation.item.create') return { ...event, item: fromBetaItem(event.item) };
  if (type === 'response.create' && isFields(event.response)) {
    return { ...event, response: fromBetaResponse(event.response) };
  }
  return event;
}

export function fromBetaSession(beta: BetaFields): BetaFields {
  const input = present({
    format: beta.input_audio_format,
    noise_reduction: beta.input_audio_noise_reduction,
    transcription: beta.input_audio_transcription,
    turn_detection: fromBetaTurnDetection(beta.turn_detection),
  });
  const output = present({ format: beta.output_audio_format, voice: beta.voice, speed: beta.speed });
  const audio = present({ input, output });
  return (
    present({
      model: beta.model,
      instructions: beta.instructions,
      output_modalities: fromBetaModalities(beta.modalities),
      audio,
      tools: beta.tools,
      tool_choice: beta.tool_choice,
      max_output_tokens: beta.max_response_output_tokens,
      tracing: beta.tracing,
      prompt: beta.prompt,
      include: beta.include,
      longcat: beta.longcat,
    }) ?? {}
  );
}

function fromBetaResponse(beta: BetaFields): BetaFields {
  const output = present({ format: beta.output_audio_format, voice: beta.voice });
  const { instructions, tools, tool_choice, metadata, conversation, prompt } = beta;
  const maxTokens = beta.max_response_output_tokens ?? beta.max_output_tokens;
  return (
    present({
      ...{ instructions, tools, tool_choice, metadata, conversation, prompt },
      output_modalities: fromBetaModalities(beta.modalities),
      audio: present({ output }),
      max_output_tokens: maxTokens,
      input: Array.isArray(beta.input) ? beta.input.map(fromBetaItem) : beta.input,
    }) ?? {}
  );
}

/** In the beta audio always came with text, and both were named. */
function fromBetaModalities(modalities: unknown): unknown {
  if (!Array.isArray(modalities)) return modalities;
  const known = modalities.every(name => name === 'audio' || name === 'text');
  return known && modalities.includes('audio') ? ['audio'] : modalities;
}

/** Its `type` could be left out. */
function fromBetaTurnDetection(turnDetection: unknown): unknown {
  return isFields(turnDetection) ? { type: 'server_vad', ...turnDetection } : turnDetection;
}

function fromBetaItem(item: unknown): unknown {
  if (!isFields(item) || !Array.isArray(item.content)) return item;
  const content = item.content.map(part =>
    isFields(part) && part.type === 'audio' ? { ...part, type: 'output_audio' } : part,
  );
  return { ...item, content };
}

/** Without what was not given; undefined when nothing was. */
function present(fields: BetaFields): BetaFields | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}
