/**
 * From the text of a frame to a client event, or a refusal that names the field and quotes the event's id. Never
 * throws.
 */
import type { RuntimeError } from '../../kernels/errors.ts';
import { checkSchema, isRecord, parseJson, refusal } from '../json/index.ts';
import { CLIENT_EVENT_TYPES, type ClientEvent, clientEventSchema } from './client-events.ts';
import { BETA_RESPONSE_FIELDS, BETA_SESSION_FIELDS } from './session-fields.ts';

export type ParsedEvent =
  | { readonly ok: true; readonly event: ClientEvent; readonly eventId: string | null }
  | { readonly ok: false; readonly error: RuntimeError; readonly eventId: string | null };

/** `toGa` turns an event of the client's shape into one of the GA shape before it is checked. */
export function parseEvent(text: string, toGa = (event: Fields): Fields => event): ParsedEvent {
  const json = parseJson(text);
  if (!json.ok) return { ...json, eventId: null };
  const given = json.value;
  if (!isRecord(given)) {
    return { ok: false, error: refusal('invalid_event', 'An event is a JSON object.'), eventId: null };
  }
  const eventId = typeof given.event_id === 'string' ? given.event_id.slice(0, 512) : null;
  const raw = toGa(given);
  const error = unknownType(raw) ?? betaField(raw);
  if (error) return { ok: false, error, eventId };
  const checked = checkSchema(clientEventSchema, raw);
  return checked.ok ? { ok: true, event: checked.value, eventId } : { ...checked, eventId };
}

type Fields = Readonly<Record<string, unknown>>;

function unknownType(raw: Fields): RuntimeError | null {
  if (raw.type === undefined) return refusal('missing_required_parameter', 'The event has no type.', 'type');
  if (typeof raw.type === 'string' && CLIENT_EVENT_TYPES.has(raw.type)) return null;
  if (raw.type === 'transcription_session.update') {
    const message =
      'transcription_session.update is of the beta shape; open with ?intent=transcription and send session.update, or open with the header OpenAI-Beta: realtime=v1.';
    return refusal('unknown_event_type', message, 'type');
  }
  const name =
    typeof raw.type === 'string' ? JSON.stringify(raw.type.slice(0, 100)) : `of a type that is no text`;
  return refusal('unknown_event_type', `There is no client event ${name}.`, 'type');
}

/** Without its header the beta shape is refused, never half understood. */
function betaField(raw: Fields): RuntimeError | null {
  if (raw.type === 'session.update') return betaName(raw.session, 'session', BETA_SESSION_FIELDS);
  return raw.type === 'response.create' ? betaName(raw.response, 'response', BETA_RESPONSE_FIELDS) : null;
}

function betaName(
  fields: unknown,
  path: string,
  gaNames: Readonly<Record<string, string>>,
): RuntimeError | null {
  const name = isRecord(fields) && Object.keys(fields).find(key => Object.hasOwn(gaNames, key));
  if (!name) return null;
  const message = `${path}.${name} is of the beta shape; the GA name is ${path}.${gaNames[name]}. For the beta shape open with the header OpenAI-Beta: realtime=v1.`;
  return refusal('unknown_parameter', message, `${path}.${name}`);
}
