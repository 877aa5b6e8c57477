/** The running calls, by their id: what the endpoints of a call and its side connections find. */
import { randomUUID } from 'node:crypto';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import { WebRtcCall } from './call.ts';
import type { CallContext, CallProtocol } from './call-protocol.ts';
import { Doorstep } from './doorstep.ts';
import type { OpusLibrary } from '../media/index.ts';
import type { OpenPeer, Peer } from './peer.ts';
import { isUsableCandidate, narrowOffer, payloadTypes, termsOf } from './sdp.ts';

/** Candidates that may be trickled to one call. */
const MAX_TRICKLED = 32;
/** Offers within one call: other networks, other tracks. */
const MAX_CHANGES = 200;
/** Offers that are being answered at a time: each opens sockets. */
const MAX_ANSWERING = 16;
/** For pictures, asked of the sender. */
const VIDEO_KBPS = 600;

export interface CallRequest {
  readonly offer: string;
  readonly protocol: CallProtocol;
}

export interface AnsweredOffer {
  readonly id: string;
  readonly sdp: string;
}

interface OpenCall {
  readonly call: WebRtcCall;
  readonly peer: Peer;
  trickled: number;
  changes: number;
}

export class WebRtcCalls {
  readonly #context: CallContext;
  readonly #opus: OpusLibrary;
  readonly #openPeer: OpenPeer;
  readonly #running = new Map<string, OpenCall>();
  #answering = 0;

  constructor(context: CallContext, opus: OpusLibrary, openPeer: OpenPeer) {
    this.#context = context;
    this.#opus = opus;
    this.#openPeer = openPeer;
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Errors `webrtc.bad_offer`, `webrtc.busy`, `webrtc.no_session`. */
  async start({ offer, protocol }: CallRequest): Promise<AnsweredOffer> {
    const narrowed = narrowOffer(offer);
    if (this.#answering >= MAX_ANSWERING)
      throw new RuntimeError(
        'webrtc.busy',
        'Too many calls begin at once.',
        { most: MAX_ANSWERING },
        'Try again.',
      );
    this.#answering += 1;
    try {
      return await this.#start(narrowed, protocol);
    } finally {
      this.#answering -= 1;
    }
  }

  /** An offer within a call. Errors `webrtc.bad_offer`, `webrtc.too_many_changes`. */
  async renegotiate(id: string, offer: string): Promise<string> {
    const entry = this.#entry(id);
    const narrowed = narrowOffer(offer);
    if (entry.changes >= MAX_CHANGES)
      throw new RuntimeError(
        'webrtc.too_many_changes',
        'This call has been changed too often.',
        { most: MAX_CHANGES },
        'Begin another call.',
      );
    entry.changes += 1;
    return await answered(entry.peer, narrowed);
  }

  /** Those of a trickled fragment (RFC 8840 §9) that we would try; the rest is passed over. */
  async trickle(id: string, fragment: string): Promise<void> {
    const entry = this.#entry(id);
    let mid = '0';
    for (const line of fragment.split(/\r\n|\n/)) {
      if (line.startsWith('a=mid:')) mid = line.slice('a=mid:'.length);
      const candidate = line.startsWith('a=candidate:') ? line.slice('a='.length) : null;
      if (candidate === null || !isUsableCandidate(candidate.slice('candidate:'.length))) continue;
      if (entry.trickled >= MAX_TRICKLED) return;
      entry.trickled += 1;
      // One of another section, or of an earlier generation: it is of no use, and no fault.
      await entry.peer.addCandidate(candidate, mid).catch(() => {});
    }
  }

  hangUp(id: string, reason: string): boolean {
    const entry = this.#running.get(id);
    entry?.call.hangUp(reason);
    return entry !== undefined;
  }

  /** For a server's own connection to a call's control. */
  attach(id: string): ((side: Connection) => ConnectionListener) | null {
    const entry = this.#running.get(id);
    return entry ? side => entry.call.attach(side) : null;
  }

  close(): void {
    for (const { call } of [...this.#running.values()]) call.hangUp('the server is closing');
  }

  async #start(offer: string, protocol: CallProtocol): Promise<AnsweredOffer> {
    const id = `${protocol.prefix}${randomUUID().replaceAll('-', '')}`;
    // What the peer tells before there is a call waits.
    const doorstep = new Doorstep();
    const peer = await this.#openPeer(doorstep);
    try {
      const sdp = await answered(peer, offer);
      const [decoder, encoder] = await Promise.all([this.#opus.decoder(), this.#opus.encoder()]);
      const call = new WebRtcCall({
        ...{ id, protocol, decoder, encoder, context: this.#context, keyTypes: payloadTypes(sdp).events },
        hasChannel: /^m=application /m.test(offer),
        onEnded: () => this.#running.delete(id),
      });
      if (call.ended)
        throw new RuntimeError(
          'webrtc.no_session',
          'No session could be opened.',
          {},
          'Try again in a moment.',
        );
      call.carriedBy(peer);
      this.#running.set(id, { call, peer, trickled: 0, changes: 0 });
      doorstep.enter(call);
      return { id, sdp };
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  #entry(id: string): OpenCall {
    const entry = this.#running.get(id);
    if (entry) return entry;
    throw new RuntimeError('webrtc.unknown_call', 'There is no such call.', { id });
  }
}

/** Whatever the transport cannot make sense of in an offer is the offer's fault. */
async function answered(peer: Peer, offer: string): Promise<string> {
  try {
    return termsOf(await peer.answer(offer), { videoKbps: VIDEO_KBPS });
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    throw new RuntimeError('webrtc.bad_offer', 'The offer cannot be taken.', { why });
  }
}
