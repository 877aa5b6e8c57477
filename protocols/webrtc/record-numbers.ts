/**
 * werift 0.24.4: the handshake's last message (Finished) is the first record of its epoch and takes the next number of
 * the epoch before, then the count begins anew. The record that comes to that number a second time is dropped by the
 * browser as one that it had (RFC 6347 §4.1.2.6): one of the first messages of every call came a second late, when its
 * chunk was sent again, and the congestion window was one packet from then on. Gaps are allowed, so what the handshake
 * may have used is left out. And where the peer, on a slow line or machine, sends its part of the handshake again and
 * that arrives once the call stands, the client begins the count anew and derives its keys once more: nothing that it
 * sends is understood from then on. So the count only rises, and what of a handshake comes late is not looked at: the
 * peer's last message said that it has all of ours (RFC 6347 §4.2.4).
 */
export interface Transport {
  readonly state: string;
  readonly role: string;
  readonly dtls?: {
    readonly dtls: { recordSequenceNumber: number };
    onHandleHandshakes: (messages: never[]) => Promise<void>;
  };
  readonly onStateChange: { subscribe(listener: (state: string) => void): unknown };
}

/** Above any number of a handshake, retransmissions included. */
const FIRST_FREE = 256;

/**
 * Before the transport carries anything of ours: what a handshake may still do to it is kept from it once it is over.
 */
export function settleHandshake(transport: Transport): void {
  const settle = () => {
    if (!transport.dtls) return;
    if (transport.role === 'client') transport.dtls.onHandleHandshakes = async () => {};
    const counter = transport.dtls.dtls;
    let last = Math.max(counter.recordSequenceNumber, FIRST_FREE);
    Object.defineProperty(counter, 'recordSequenceNumber', {
      get: () => last,
      set(next: number) {
        last = Math.max(last, next);
      },
      configurable: true,
    });
  };
  if (transport.state === 'connected') settle();
  else transport.onStateChange.subscribe(state => state === 'connected' && settle());
}
