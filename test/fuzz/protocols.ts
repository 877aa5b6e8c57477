/**
 * The protocols that the fuzzer knows: what their events are, how a conversation opens, and which ends its own frames
 * may have asked for.
 */
import type { z } from 'zod';
import type { Connection, ConnectionListener } from '../../protocols/connection.ts';
import * as live from '../../protocols/live/client-events.ts';
import { LiveConnection } from '../../protocols/live/live-connection.ts';
import * as realtime from '../../protocols/realtime/client-events.ts';
import { openRealtime, type RealtimeContext } from '../../protocols/realtime/realtime-connection.ts';

export interface FuzzedProtocol {
  readonly name: 'realtime' | 'live';
  /** Schemas of the events that are made. */
  readonly events: readonly z.ZodType[];
  /** Names that an event may be given instead of its own. */
  readonly types: readonly string[];
  open(connection: Connection, context: RealtimeContext): ConnectionListener;
  /** Sent before anything else; null: nothing has to be. */
  readonly opening: string | null;
  /** Of the event that brings sound. */
  readonly appendType: string;
  isAskedFor(code: number): boolean;
}

export const REALTIME: FuzzedProtocol = {
  name: 'realtime',
  events: realtime.clientEventSchema.options,
  types: [...realtime.CLIENT_EVENT_TYPES],
  open: (connection, context) =>
    openRealtime(connection, { type: 'realtime', isBeta: false, session: null }, context),
  opening: null,
  appendType: 'input_audio_buffer.append',
  isAskedFor: () => false,
};

export const LIVE: FuzzedProtocol = {
  name: 'live',
  // Among the names it is still: once in a while a frame ends its conversation.
  events: live.clientEventSchema.options.filter(({ shape }) => shape.type.value !== 'session.close'),
  types: [...live.CLIENT_EVENT_TYPES, ...Object.keys(live.REFUSED_EVENTS)],
  open: (connection, context) => new LiveConnection(connection, context),
  opening: JSON.stringify({ type: 'session.start', session: { model: 'any' } }),
  appendType: 'session.input_audio.append',
  isAskedFor: code => code === 1000,
};
