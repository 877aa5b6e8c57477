/**
 * The agent as a guest of a conference: it takes part in an AudioBridge room of a Janus server. Janus mixes what the
 * others say, without the guest's own voice, and offers it; a running longcat-rt answers the offer as that of any
 * caller. The sound travels between those two; this only brings their descriptions together.
 */
import type { Clock } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { JanusHandle, type JanusMessage } from './janus.ts';

const PLUGIN = 'janus.plugin.audiobridge';

export interface GuestOptions {
  readonly clock: Clock;
  /** The WebSocket of the Janus server. */
  readonly janus: string;
  readonly room: number | string;
  readonly pin: string | null;
  /** What the others read. */
  readonly name: string;
  /** Of the running longcat-rt. */
  readonly server: string;
  readonly key: string | null;
  readonly onMuted: (muted: boolean) => void;
  /** Put out, or an end was lost. Once. */
  readonly onGone: (reason: string) => void;
}

export class Guest {
  readonly callId: string;
  /** Among the participants of the room. */
  readonly participantId: number;
  readonly #options: GuestOptions;
  readonly #handle: JanusHandle;
  readonly #location: string;
  #left = false;

  /** Errors `join.janus`, `join.server`. */
  static async join(options: GuestOptions): Promise<Guest> {
    const { clock, janus, room, pin, name } = options;
    let guest: Guest | null = null;
    const listener = {
      onEvent: (message: JanusMessage) => guest?.said(message),
      onClosed: (reason: string) => guest?.gone(reason),
    };
    const handle = await JanusHandle.open(janus, PLUGIN, clock, listener);
    try {
      const request = { request: 'join', room, display: name, generate_offer: true, ...(pin && { pin }) };
      const { jsep, plugindata } = await handle.message(request);
      if (jsep?.type !== 'offer')
        throw new RuntimeError('join.janus', 'The room of the Janus server makes no offer.', { room });
      const answer = await offered(options, jsep.sdp);
      guest = new Guest(options, handle, answer.location, Number(plugindata?.data.id));
      await handle.message({ request: 'configure', muted: false }, { type: 'answer', sdp: answer.sdp });
      return guest;
    } catch (error) {
      await guest?.leave();
      handle.close();
      throw error;
    }
  }

  private constructor(options: GuestOptions, handle: JanusHandle, location: string, participantId: number) {
    this.#options = options;
    this.#handle = handle;
    this.#location = location;
    this.participantId = participantId;
    this.callId = location.split('/').at(-1) ?? '';
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#handle.close();
    const { server, key } = this.#options;
    await fetch(new URL(this.#location, server), { method: 'DELETE', headers: bearer(key) }).catch(() => {});
  }

  /** What Janus tells unasked. */
  said({ janus, plugindata }: JanusMessage): void {
    const data = plugindata?.data;
    if (janus === 'hangup' || janus === 'detached') this.gone('Janus ended the call');
    else if (data?.audiobridge === 'destroyed') this.gone('the room was closed');
    else if (data?.kicked === this.participantId) this.gone('put out of the room');
    else if (Array.isArray(data?.participants)) {
      const own = data.participants.find(({ id }: { id: unknown }) => id === this.participantId);
      if (typeof own?.muted === 'boolean') this.#options.onMuted(own.muted);
    }
  }

  gone(reason: string): void {
    if (this.#left) return;
    void this.leave();
    this.#options.onGone(reason);
  }
}

interface TakenCall {
  readonly sdp: string;
  readonly location: string;
}

/** A call of the running server, from the room's offer. */
async function offered({ server, key }: GuestOptions, sdp: string): Promise<TakenCall> {
  const headers = { 'content-type': 'application/sdp', ...bearer(key) };
  const url = new URL('/v1/realtime/calls', server);
  const answer = await fetch(url, { method: 'POST', headers, body: sdp }).catch((error: Error) => error);
  const remedy =
    'Start longcat-rt serve there, with WebRTC, and give its key in LONGCAT_RT_KEY where it wants one.';
  if (answer instanceof Error)
    throw new RuntimeError(
      'join.server',
      'The server is not reached.',
      { url: url.href, why: answer.message },
      remedy,
    );
  const text = await answer.text();
  const location = answer.headers.get('location');
  if (answer.status === 201 && location) return { sdp: text, location };
  const values = { url: url.href, status: answer.status, why: text.slice(0, 200) };
  throw new RuntimeError('join.server', 'The server does not take the call.', values, remedy);
}

const bearer = (key: string | null): Record<string, string> =>
  key ? { authorization: `Bearer ${key}` } : {};
