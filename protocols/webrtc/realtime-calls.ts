/**
 * Calls that carry the Realtime protocol (docs/spec/webrtc.md §1): the same connection that serves a WebSocket, on the
 * call's line.
 */
import { openRealtime, type RealtimeContext, type SessionFields } from '../realtime/index.ts';
import type { CallProtocol } from './call-protocol.ts';
import type { ChannelEvents } from './channel-events.ts';
import { RtcMedia } from './rtc-media.ts';

export function realtimeCalls(realtime: RealtimeContext, session: SessionFields | null): CallProtocol {
  return {
    prefix: 'rtc_',
    events: REALTIME_EVENTS,
    open({ line, speaker, limits, opened, observe }) {
      const opening = { type: session?.type ?? ('realtime' as const), session, isBeta: false };
      return openRealtime(
        line,
        opening,
        { ...realtime, limits },
        {
          speaker,
          openMedia: (held, state, _clock, send) => {
            const media = new RtcMedia(held, state, send, speaker, observe);
            opened(media);
            return media;
          },
        },
      );
    },
  };
}

const REALTIME_EVENTS: ChannelEvents = {
  greeting(text) {
    if (!/^\{"type":"session\.(?:created|updated)"/.test(text)) return null;
    const { session } = JSON.parse(text) as { readonly session: unknown };
    return JSON.stringify({ type: 'session.created', session });
  },
  shortened: (text, bytes, maxBytes) => withoutSound(text, maxBytes) ?? tooLong(bytes, maxBytes),
};

/** The caller's browser would close the channel over it. */
function tooLong(bytes: number, maxBytes: number): string {
  const message = `An event of ${bytes} bytes does not pass the data channel, which takes ${maxBytes}; ask for it over a WebSocket (?call_id=).`;
  const error = { type: 'server_error', code: 'event_too_large', message, param: null, event_id: null };
  return JSON.stringify({ type: 'error', error });
}

/**
 * An item that is asked for has its sound with it: where that does not pass, its words do. Null: they do not either.
 */
function withoutSound(text: string, maxBytes: number): string | null {
  const event = JSON.parse(text) as {
    readonly type: string;
    readonly item?: { readonly content?: object[] };
  };
  if (event.type !== 'conversation.item.retrieved') return null;
  const content = event.item?.content?.map(part => ({ ...part, audio: undefined }));
  const shorter = JSON.stringify({ ...event, item: { ...event.item, content } });
  return Buffer.byteLength(shorter) <= maxBytes ? shorter : null;
}
