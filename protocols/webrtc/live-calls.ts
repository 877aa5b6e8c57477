/**
 * Calls that carry the GPT-Live protocol (docs/spec/gpt-live.md §1): the connection that serves its WebSocket, on the
 * call's line.
 */
import {
  channelPermissions,
  LiveConnection,
  type LiveCalls,
  type LiveContext,
  resolveConfig,
  type SessionFields,
  typeOf,
} from '../live/index.ts';
import type { CallProtocol } from './call-protocol.ts';
import type { WebRtcCalls } from './calls.ts';
import { CallTrack } from './live-track.ts';

export function liveCalls(calls: WebRtcCalls, context: LiveContext): LiveCalls {
  const own = (id: string) => id.startsWith(PREFIX) && calls.has(id);
  return {
    async start(offer, session) {
      // What it refuses is told before anything is opened.
      resolveConfig(session, { ...context, hasTrack: true, hasBackend: context.backend !== undefined });
      return await calls.start({ offer, protocol: liveProtocol(context, session) });
    },
    has: own,
    change: (id, offer) => calls.negotiation(id).change(offer),
    hangUp: id => void (own(id) && calls.hangUp(id, 'hung up')),
    attach: id => (own(id) ? calls.attach(id) : null),
  };
}

const PREFIX = 'live_';

function liveProtocol(context: LiveContext, session: SessionFields): CallProtocol {
  const permissions = channelPermissions(session);
  return {
    prefix: PREFIX,
    events: {
      greeting(text) {
        const type = typeOf(text);
        return type === 'session.started' || type === 'session.updated' ? asStarted(text) : null;
      },
      shortened: tooLong,
      isForCaller: permissions.mayHear,
      refusalOf: permissions.refusalOf,
    },
    open(ends) {
      const { id, limits, line } = ends;
      return new LiveConnection(line, { ...context, limits }, { id, session, track: new CallTrack(ends) });
    },
  };
}

function asStarted(text: string): string {
  const { event_id, session } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify({ type: 'session.started', event_id, session });
}

function tooLong(text: string, bytes: number, maxBytes: number): string {
  const message = `${typeOf(text)} of ${bytes} bytes does not pass the data channel, which takes ${maxBytes}; a sideband hears it.`;
  const error = { type: 'server_error', code: 'event_too_large', message };
  return JSON.stringify({ type: 'error', event_id: 'event_channel', error });
}
