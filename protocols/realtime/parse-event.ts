/** From the text of a frame to a client event, or a refusal that names the field and quotes the event's id. Never throws. */
import type { z } from 'zod';
import type { RuntimeError } from '../../kernels/errors.ts';
import { CLIENT_EVENT_TYPES, type ClientEvent, clientEventSchema } from './client-events.ts';
import { shapeFault } from './frame-shape.ts';
import { refusal } from './protocol-error.ts';
import { schemaRefusal } from './schema-refusal.ts';
import { BETA_SESSION_FIELDS } from './session-fields.ts';

export type ParsedEvent =
  | { readonly ok: true; readonly event: ClientEvent; readonly eventId: string | null }
  | { readonly ok: false; readonly error: RuntimeError; readonly eventId: string | null };

export function parseEvent(text: string): ParsedEvent {
  const json = parseJson(text);
  if (!json.ok) return { ...json, eventId: null };
  const raw = json.value;
  if (!isRecord(raw)) {
    return { ok: false, error: refusal('invalid_event', 'An event is a JSON object.'), eventId: null };
  }
  const eventId = typeof raw.event_id === 'string' ? raw.event_id.slice(0, 512) : null;
  const error = unknownType(raw) ?? betaField(raw);
  if (error) return { ok: false, error, eventId };
  const checked = checkSchema(clientEventSchema, raw);
  return checked.ok ? { ok: true, event: checked.value, eventId } : { ...checked, eventId };
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RuntimeError };

/** What a client sent as JSON, unless it is none or would keep the process busy. */
export function parseJson(text: string): Checked<unknown> {
  const fault = shapeFault(text);
  if (fault !== null) return { ok: false, error: refusal('invalid_event', `The JSON is refused: ${fault}.`) };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, error: refusal('invalid_json', 'The text is not JSON.') };
  }
}

/** Zod itself throws on some values (a `length` that cannot become a number); that is the sender's fault like any other. */
export function checkSchema<S extends z.ZodType>(schema: S, raw: unknown): Checked<z.infer<S>> {
  try {
    const parsed = schema.safeParse(raw);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, error: schemaRefusal(parsed.error.issues[0], raw) };
  } catch {
    return { ok: false, error: refusal('invalid_value', 'A field holds a value of a wrong kind.') };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownType(raw: Record<string, unknown>): RuntimeError | null {
  if (raw.type === undefined) return refusal('missing_required_parameter', 'The event has no type.', 'type');
  if (typeof raw.type === 'string' && CLIENT_EVENT_TYPES.has(raw.type)) return null;
  if (raw.type === 'transcription_session.update') {
    const message =
      'transcription_session.update is of the beta shape; open with ?intent=transcription and send session.update.';
    return refusal('unknown_event_type', message, 'type');
  }
  const name =
    typeof raw.type === 'string' ? JSON.stringify(raw.type.slice(0, 100)) : `of a type that is no text`;
  return refusal('unknown_event_type', `There is no client event ${name}.`, 'type');
}

function betaField(raw: Record<string, unknown>): RuntimeError | null {
  if (raw.type !== 'session.update' || !isRecord(raw.session)) return null;
  const name = Object.keys(raw.session).find(key => Object.hasOwn(BETA_SESSION_FIELDS, key));
  if (name === undefined) return null;
  const message = `session.${name} is of the beta shape; the GA name is session.${BETA_SESSION_FIELDS[name]}.`;
  return refusal('unknown_parameter', message, `session.${name}`);
}
