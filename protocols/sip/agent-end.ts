/** The agent at our end of a SIP call: a `PhoneCall` like any other, whose line is the call's RTP session. */
import { randomUUID } from 'node:crypto';
import type { DoorContext } from '../door.ts';
import type { Timers } from '../guard/index.ts';
import { PhoneCall, type DigitSettings, type LinePace, type PhoneLine } from '../telephone/index.ts';
import type { CallEnd } from './call-end.ts';
import type { CallMedia } from './call-media.ts';

/**
 * Sound is at most three packets ahead of the wheel, and all of that can still be thrown away. From there to the ear: what RTCP says, until
 * then a packet and the far jitter buffer.
 */
const PACE: LinePace = { frameMs: 20, leadMs: 60, latencyMs: 80 };

export interface AgentEndOptions {
  readonly context: DoorContext;
  readonly clock: Timers;
  readonly digits: DigitSettings;
  readonly media: CallMedia;
  /** The agent ends the call. */
  readonly hangUp: (reason: string) => void;
  /** Of this call alone; absent: the operator's. */
  readonly instructions?: string;
}

/** Errors: those of `Runtime.openSession`. */
export function agentEnd({ context, clock, digits, media, hangUp, instructions }: AgentEndOptions): {
  readonly id: string;
  readonly end: CallEnd;
} {
  const { log, metrics, runtime, sessionDefaults } = context;
  const line: PhoneLine = {
    get format() {
      return media.format;
    },
    play: frame => media.session.play(frame),
    mark: name => media.session.mark(name),
    clear: () => media.session.clear(),
    hangUp,
  };
  const id = `call_${randomUUID()}`;
  const call = new PhoneCall({
    ...{ id, carrier: 'sip', line, pace: PACE, runtime, sessionDefaults, digits, clock, log, metrics },
    ...(instructions !== undefined && { instructions }),
    onEnded: () => {},
  });
  return { id, end: call };
}
