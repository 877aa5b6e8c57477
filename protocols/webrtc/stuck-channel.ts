/**
 * werift 0.24.4: where an acknowledgement comes while a chunk is being sent again (its timer had run out), that chunk
 * is counted as on its way for good; the count then stands above the congestion window of one packet, and the channel
 * sends nothing any more, ever. What is on its way is known, so it is counted anew.
 */
interface Chunk {
  readonly bookSize: number;
  readonly acked: boolean;
  readonly retransmit: boolean;
}

/** What of the library's association is looked at; not part of its public face. */
export interface Association {
  flightSize: number;
  readonly sentQueue: readonly Chunk[];
  readonly outboundQueue: readonly unknown[];
  readonly transmitting: boolean;
  transmit(): Promise<void>;
}

/** Before every send, and every now and then while something waits. */
export function recount(association: Association): void {
  if (association.transmitting) return;
  const outstanding = association.sentQueue.filter(({ acked, retransmit }) => !acked && !retransmit);
  const bytes = outstanding.reduce((sum, { bookSize }) => sum + bookSize, 0);
  if (association.flightSize <= bytes) return;
  association.flightSize = bytes;
  if (association.outboundQueue.length > 0) void association.transmit().catch(() => {});
}

/** Nothing waits, and nothing is on its way. */
export function isEmpty({ sentQueue, outboundQueue }: Association): boolean {
  return sentQueue.length === 0 && outboundQueue.length === 0;
}
