/**
 * What the page at the other end of a data channel may say and hear (docs/spec/gpt-live.md §3, `client.data_channel`);
 * a server at the side may say and hear everything. Sound has no place on a channel beside a track.
 */
import { isRecord } from '../json/index.ts';
import type { SessionFields } from './session-config.ts';

/** Of a sideband alone, or of a WebSocket. */
const NEVER_HERE: ReadonlySet<string> = new Set([
  'session.start',
  'session.input_audio.append',
  'session.output_audio.fixture.play',
  'transport.dtmf.send',
]);

export interface ChannelPermissions {
  /** Null: it may say this; else the event that tells it why not. */
  refusalOf(text: string): string | null;
  mayHear(text: string): boolean;
}

export function channelPermissions({ client }: SessionFields): ChannelPermissions {
  const { allowed_client_events = 'all', allowed_server_events = 'all' } = client?.data_channel ?? {};
  const maySay = allowed_client_events === 'all' ? null : new Set(allowed_client_events);
  const mayHear =
    allowed_server_events === 'all' ? null : new Set(allowed_server_events.map(allowed => nameOf(allowed)));
  return {
    refusalOf(text) {
      const event = parsed(text);
      const type = typeof event?.type === 'string' ? event.type : null;
      // Whatever is no event is for the session to refuse.
      if (type === null || (!NEVER_HERE.has(type) && (maySay === null || maySay.has(type)))) return null;
      return refusal(type, typeof event?.event_id === 'string' ? event.event_id : null);
    },
    mayHear(text) {
      if (mayHear === null) return true;
      const event = parsed(text);
      return (
        event === null || mayHear.has(nameOf({ type: String(event.type), response_event: nested(event) }))
      );
    },
  };
}

/** A frame's type, without a look at the rest: ours begin with it. */
export const typeOf = (text: string): string => /^\{"type":"([^"]+)"/.exec(text)?.[1] ?? '';

const nameOf = ({ type, response_event = '' }: { type: string; response_event?: string | undefined }) =>
  `${type} ${response_event}`;

const nested = ({ event }: Record<string, unknown>): string | undefined =>
  isRecord(event) && typeof event.type === 'string' ? event.type : undefined;

function parsed(text: string): Record<string, unknown> | null {
  try {
    const event: unknown = JSON.parse(text);
    return isRecord(event) ? event : null;
  } catch {
    return null;
  }
}

function refusal(type: string, eventId: string | null): string {
  const name = JSON.stringify(type.slice(0, 100));
  const message = `The data channel of this session may not send ${name}.`;
  const caused = eventId === null ? {} : { client_event_id: eventId.slice(0, 512) };
  const error = { type: 'invalid_request_error', code: 'event_not_allowed', message, param: 'type' };
  return JSON.stringify({
    type: 'error',
    event_id: 'event_channel',
    ...caused,
    error: { ...error, ...caused },
  });
}
