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

/** Candidates trickled, or an ICE restart: what is said back, in the words of RFC 9725 §4.3. */
export interface FragmentAnswer {
  /** Null: there is nothing to say. */
  readonly fragment: string | null;
}

export class Negotiation {
  readonly #peer: Peer;
  #trickled = 0;
  #changes = 0;
  #offer = '';
  /** The caller's name since the last restart that was asked for in a fragment. */
  #restartedAs: string | null = null;
  #answer = '';

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Of what was agreed on last: the name of our side of it. */
  get entityTag(): string {
    return `"${attributeOf(this.#answer, 'ice-ufrag') ?? ''}"`;
  }

  /**
   * To an offer that was narrowed. Error `webrtc.bad_offer`: whatever the transport cannot make sense of in it is the
   * offer's fault.
   */
  async answer(offer: string): Promise<string> {
    try {
      this.#answer = termsOf(await this.#peer.answer(offer), { videoKbps: VIDEO_KBPS });
    } catch (error) {
      if (error instanceof RuntimeError) throw error;
      const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
      throw new RuntimeError('webrtc.bad_offer', 'The offer cannot be taken.', { why });
    }
    this.#offer = offer;
    return this.#answer;
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
    return await this.answer(narrowed);
  }

  /**
   * A fragment (RFC 8840 §9): of its candidates those that we would try; under another name than before an ICE restart.
   *
   * @param ifMatch what it says of the ICE session that it belongs to: `*` asks for another (RFC 9725 §4.3.3), an
   *   entity's tag keeps to this one; null: nothing
   */
  async fragment(fragment: string, ifMatch: string | null): Promise<FragmentAnswer> {
    const [name, password] = [attributeOf(fragment, 'ice-ufrag'), attributeOf(fragment, 'ice-pwd')];
    if (name && password && name !== attributeOf(this.#offer, 'ice-ufrag')) {
      // A candidate that overtook the restart it belongs to: taken for it, the restart itself would find nothing to do.
      if (ifMatch !== null && ifMatch !== '*') return { fragment: null };
      await this.change(renamed(this.#offer, name, password));
      this.#restartedAs = name;
      await this.#trickle(fragment);
      return { fragment: fragmentOf(this.#answer) };
    }
    await this.#trickle(fragment);
    // Who asks again has not had the answer, or not taken it for one.
    const asksAgain = ifMatch === '*' && name !== undefined && name === this.#restartedAs;
    return { fragment: asksAgain ? fragmentOf(this.#answer) : null };
  }

  async #trickle(fragment: string): Promise<void> {
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

const attributeOf = (sdp: string, attribute: string): string | undefined =>
  new RegExp(`^a=${attribute}:(\\S+)`, 'm').exec(sdp)?.[1];

/** The same offer of a caller who takes another name: where it was to be found before counts no more. */
const renamed = (offer: string, name: string, password: string): string =>
  offer
    .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${name}`)
    .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`)
    .replace(/^a=(?:candidate:.*|end-of-candidates)(?:\r\n|\n)/gm, '');

/** Our side of a restart: all is bundled, so that one section has it. */
function fragmentOf(answer: string): string {
  const [, section = ''] = answer.split(/(?=^m=)/m);
  const kept = section
    .split('\r\n')
    .filter(line => /^(?:m=|a=(?:ice-ufrag|ice-pwd|mid|candidate):)/.test(line));
  const own = kept.filter(line => /^a=ice-/.test(line));
  const rest = kept.filter(line => !/^a=ice-/.test(line));
  return [...own, ...rest, 'a=end-of-candidates', ''].join('\r\n');
}
