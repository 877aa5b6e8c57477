/** What a caller says to one transport of ours over its life: offers, and candidates that come after them. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Peer } from './peer.ts';
import { isUsableCandidate, narrowOffer, termsOf } from './sdp.ts';

/** Candidates that may be trickled. */
const MAX_TRICKLED = 32;
/** Offers after the first: other networks, other tracks. */
const MAX_CHANGES = 200;
/** For pictures, asked of the sender. */
const VIDEO_KBPS = 600;

export class Negotiation {
  readonly #peer: Peer;
  #trickled = 0;
  #changes = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Errors `webrtc.bad_offer`, `webrtc.too_many_changes`. */
  async change(offer: string): Promise<string> {
    const narrowed = narrowOffer(offer);
    if (this.#changes >= MAX_CHANGES)
      throw new RuntimeError(
        'webrtc.too_many_changes',
        'This call has been changed too often.',
        { most: MAX_CHANGES },
        'Begin another call.',
      );
    this.#changes += 1;
    return await answered(this.#peer, narrowed);
  }

  /** Those of a trickled fragment (RFC 8840 §9) that we would try; the rest is passed over. */
  async trickle(fragment: string): Promise<void> {
    let mid = '0';
    for (const line of fragment.split(/\r\n|\n/)) {
      if (line.startsWith('a=mid:')) mid = line.slice('a=mid:'.length);
      const candidate = line.startsWith('a=candidate:') ? line.slice('a='.length) : null;
      if (candidate === null || !isUsableCandidate(candidate.slice('candidate:'.length))) continue;
      if (this.#trickled >= MAX_TRICKLED) return;
      this.#trickled += 1;
      // One of another section, or of an earlier generation: it is of no use, and no fault.
      await this.#peer.addCandidate(candidate, mid).catch(() => {});
    }
  }
}

/** Of an offer that was narrowed. Whatever the transport cannot make sense of in it is the offer's fault. */
export async function answered(peer: Peer, offer: string): Promise<string> {
  try {
    return termsOf(await peer.answer(offer), { videoKbps: VIDEO_KBPS });
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    throw new RuntimeError('webrtc.bad_offer', 'The offer cannot be taken.', { why });
  }
}
