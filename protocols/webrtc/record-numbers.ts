/**
 * werift 0.24.4: the handshake's last message (Finished) is the first record of its epoch and takes the next number of the epoch before, then
 * the count begins anew. The record that comes to that number a second time is dropped by the browser as one that it had (RFC 6347 §4.1.2.6): one of
 * the first messages of every call came a second late, when its chunk was sent again, and the congestion window was one packet from then on.
 * Gaps are allowed, so what the handshake may have used is left out.
 */
export interface Transport {
  readonly state: string;
  readonly dtls?: { readonly dtls: { recordSequenceNumber: number } };
  readonly onStateChange: { subscribe(listener: (state: string) => void): unknown };
}

/** Above any number of a handshake, retransmissions included. */
const FIRST_FREE = 256;

/** Before the transport carries anything of ours. */
export function skipUsedNumbers(transport: Transport): void {
  const skip = () => {
    const counter = transport.dtls?.dtls;
    if (counter) counter.recordSequenceNumber = Math.max(counter.recordSequenceNumber, FIRST_FREE);
  };
  if (transport.state === 'connected') skip();
  else transport.onStateChange.subscribe(state => state === 'connected' && skip());
}
