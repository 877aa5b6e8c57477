/** The running calls, by their id: what the endpoints of a call and its side connections find. */
import { randomUUID } from 'node:crypto';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import { WebRtcCall } from './call.ts';
import type { CallContext, CallProtocol } from './call-protocol.ts';
import { guardedTimers } from '../guard/index.ts';
import { Doorstep } from './doorstep.ts';
import type { OpusLibrary } from '../media/index.ts';
import { ListenerCall } from './listener-call.ts';
import { Overheard } from './overheard.ts';
import { Negotiation } from './negotiation.ts';
import type { OpenPeer } from './peer.ts';
import { narrowOffer, payloadTypes } from './sdp.ts';

/** Offers that are being answered at a time: each opens sockets. */
const MAX_ANSWERING = 16;
/** Who may listen in on one call. */
const MAX_LISTENERS = 8;

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
  readonly overheard: Overheard;
  /** Who listens in, by their ids. */
  readonly listeners: Map<string, ListenerCall>;
  readonly negotiation: Negotiation;
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

  /** What a caller says to the call's transport from now on. */
  negotiation(id: string): Negotiation {
    return this.#entry(id).negotiation;
  }

  /** Both voices of the call, for somebody beside it. Errors `webrtc.bad_offer`, `webrtc.too_many_listeners`. */
  async overhear(id: string, offer: string): Promise<AnsweredOffer> {
    const { overheard, listeners } = this.#entry(id);
    const narrowed = narrowOffer(offer);
    if (!/^m=audio /m.test(narrowed))
      throw new RuntimeError('webrtc.bad_offer', 'The offer has no sound.', {});
    if (listeners.size >= MAX_LISTENERS)
      throw new RuntimeError(
        'webrtc.too_many_listeners',
        'Too many listen to this call.',
        { most: MAX_LISTENERS },
        'End another.',
      );
    const listenerId = randomUUID();
    const listener = new ListenerCall(
      guardedTimers(this.#context.clock, () => listener.end()),
      overheard,
      () => listeners.delete(listenerId),
    );
    listeners.set(listenerId, listener);
    return { id: listenerId, sdp: await listener.open(this.#openPeer, narrowed) };
  }

  /** Null: there is none of this id. */
  listener(id: string, listenerId: string): ListenerCall | null {
    return this.#running.get(id)?.listeners.get(listenerId) ?? null;
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
      const negotiation = new Negotiation(peer);
      const sdp = await negotiation.answer(offer);
      const [decoder, encoder] = await Promise.all([this.#opus.decoder(), this.#opus.encoder()]);
      const overheard = new Overheard(this.#context.clock, () => this.#opus.encoder());
      const call = new WebRtcCall({
        ...{
          id,
          protocol,
          decoder,
          encoder,
          overheard,
          context: this.#context,
          keyTypes: payloadTypes(sdp).events,
        },
        hasChannel: /^m=application /m.test(offer),
        onEnded: () => this.#end(id),
      });
      if (call.ended)
        throw new RuntimeError(
          'webrtc.no_session',
          'No session could be opened.',
          {},
          'Try again in a moment.',
        );
      call.carriedBy(peer);
      this.#running.set(id, { call, overheard, listeners: new Map(), negotiation });
      doorstep.enter(call);
      return { id, sdp };
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  #end(id: string): void {
    const listeners = this.#running.get(id)?.listeners ?? new Map<string, ListenerCall>();
    this.#running.delete(id);
    for (const listener of [...listeners.values()]) listener.end();
  }

  #entry(id: string): OpenCall {
    const entry = this.#running.get(id);
    if (entry) return entry;
    throw new RuntimeError('webrtc.unknown_call', 'There is no such call.', { id });
  }
}
