/** The agent at our end of a SIP call: a `PhoneCall` like any other, whose line is the call's RTP session. */
import { randomUUID } from 'node:crypto';
import type { DoorContext } from '../door.ts';
import type { Timers } from '../guard/index.ts';
import {
  PhoneCall,
  type DigitSettings,
  type OnMachine,
  type LinePace,
  type PhoneLine,
} from '../telephone/index.ts';
import type { Seat } from './seat.ts';
import type { SeatEnd } from './seat-end.ts';

/**
 * Sound is at most three packets ahead of the wheel, and all of that can still be thrown away. From there to the ear:
 * what RTCP says, until then a packet and the far jitter buffer.
 */
const PACE: LinePace = { frameMs: 20, leadMs: 60, latencyMs: 80 };

export interface AgentEndOptions {
  readonly context: DoorContext;
  readonly clock: Timers;
  readonly digits: DigitSettings;
  readonly seat: Seat;
  /** Of this call alone; absent: the operator's. */
  readonly instructions?: string;
  /** Of a call of ours. */
  readonly onMachine?: OnMachine;
  readonly about: { readonly callId?: string; readonly from?: string; readonly to?: string };
}

/**
 * The agent takes its seat; the end that it has there, and the name of its session. Errors: those of
 * `Runtime.openSession`.
 */
export function agentEnd(options: AgentEndOptions): {
  readonly id: string;
  readonly end: SeatEnd;
  readonly phone: PhoneCall;
} {
  const { context, clock, digits, seat, instructions, about, onMachine } = options;
  const { callEvents: events, log, metrics, runtime, sessionDefaults, switchboard } = context;
  const line: PhoneLine = {
    get format() {
      return seat.media.format;
    },
    play: frame => seat.media.session.play(frame),
    mark: name => seat.media.session.mark(name),
    clear: () => seat.media.session.clear(),
    press: key => void seat.media.session.sender.sendKey(key),
    hangUp: reason => seat.hangUp(reason),
  };
  const id = `call_${randomUUID()}`;
  const call = new PhoneCall({
    ...{ id, carrier: 'sip', line, pace: PACE, runtime, sessionDefaults, digits, clock, log, metrics },
    ...{ events, about, switchboard },
    ...(instructions !== undefined && { instructions }),
    ...(onMachine !== undefined && { onMachine }),
    onEnded: () => {},
  });
  return { id, end: seat.taken(id, call), phone: call };
}
