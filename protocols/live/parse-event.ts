/**
 * From the text of a frame to a client event, or a refusal that names the field and quotes the event's id. Never
 * throws.
 */
import type { RuntimeError } from '../../kernels/errors.ts';
import { checkSchema, isRecord, parseJson, refusal } from '../json/index.ts';
import { CLIENT_EVENT_TYPES, type ClientEvent, clientEventSchema, REFUSED_EVENTS } from './client-events.ts';

/** `type` is known where it is one of the protocol's. */
export type ParsedEvent =
  | { readonly ok: true; readonly event: ClientEvent; readonly eventId: string | null }
  | {
      readonly ok: false;
      readonly error: RuntimeError;
      readonly eventId: string | null;
      readonly type: string | null;
    };

const MAX_QUOTED_CHARS = 512;

export function parseEvent(text: string): ParsedEvent {
  const json = parseJson(text);
  if (!json.ok) return { ...json, eventId: null, type: null };
  const given = json.value;
  if (!isRecord(given)) {
    const error = refusal('invalid_event', 'An event is a JSON object.');
    return { ok: false, error, eventId: null, type: null };
  }
  const eventId = typeof given.event_id === 'string' ? given.event_id.slice(0, MAX_QUOTED_CHARS) : null;
  const error = typeFault(given.type);
  if (error) return { ok: false, error, eventId, type: null };
  const checked = checkSchema(clientEventSchema, given);
  return checked.ok
    ? { ok: true, event: checked.value, eventId }
    : { ...checked, eventId, type: given.type as string };
}

function typeFault(type: unknown): RuntimeError | null {
  if (type === undefined) return refusal('missing_required_parameter', 'The event has no type.', 'type');
  if (typeof type !== 'string')
    return refusal('unknown_event_type', 'The type of an event is a text.', 'type');
  if (CLIENT_EVENT_TYPES.has(type)) return null;
  if (Object.hasOwn(REFUSED_EVENTS, type)) {
    return refusal('unsupported_event', `${type} is refused. ${REFUSED_EVENTS[type]}`, 'type');
  }
  const name = JSON.stringify(type.slice(0, 100));
  return refusal('unknown_event_type', `There is no client event ${name}.`, 'type');
}
