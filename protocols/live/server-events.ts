/** The events that this server sends (docs/spec/gpt-live.md §5). README.md here tells of the others of the protocol. */
export const SERVER_EVENT_TYPES = [
  'session.started',
  'session.updated',
  'session.output_audio.delta',
  'session.input_transcript.delta',
  'session.output_transcript.delta',
  'session.instructions.appended',
  'session.thinking.appended',
  'session.commentary.appended',
  'session.delegation.created',
  'response.event',
  'session.input_audio.muted',
  'session.input_audio.unmuted',
  'session.output_audio.fixture.playing',
  'session.output_audio.fixture.played',
  'session.usage.updated',
  'session.closed',
  'error',
  'info',
] as const;

export type ServerEventType = (typeof SERVER_EVENT_TYPES)[number];

/**
 * Told to the servers at the side of a session alone. `session.output_audio.delta` is theirs, too, where sound travels
 * on a track.
 */
export const SIDEBAND_EVENT_TYPES = ['session.input_audio.append', 'transport.dtmf.received'] as const;

export type SidebandEventType = (typeof SIDEBAND_EVENT_TYPES)[number] | 'session.output_audio.delta';
