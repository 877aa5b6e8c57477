/** Somebody who listens in on a call (WHEP): a transport of its own, which hears both voices and says nothing. */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import { Negotiation } from './negotiation.ts';
import type { Overheard } from './overheard.ts';
import type { OpenPeer, Peer, PeerListener } from './peer.ts';

const CONNECT_WITHIN_MS = 20_000;
const DEAD_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 1000;

export class ListenerCall implements PeerListener {
  readonly #clock: Timers;
  readonly #overheard: Overheard;
  readonly #onEnded: () => void;
  /** Once it is open. */
  negotiation: Negotiation | null = null;
  #peer: Peer | null = null;
  #leave = () => {};
  #watch: Timer;
  #aliveAtMs: number;
  #connected = false;
  #ended = false;

  constructor(clock: Timers, overheard: Overheard, onEnded: () => void) {
    this.#clock = clock;
    this.#overheard = overheard;
    this.#onEnded = onEnded;
    this.#aliveAtMs = clock.nowMs();
    this.#watch = clock.setTimer(CONNECT_WITHIN_MS, () => this.#look());
  }

  /** What its peer answers to its narrowed offer. */
  async open(openPeer: OpenPeer, offer: string): Promise<string> {
    try {
      const peer = await openPeer(this);
      this.#peer = peer;
      this.negotiation = new Negotiation(peer);
      const sdp = await this.negotiation.answer(offer);
      if (this.#ended) peer.close();
      return sdp;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch.cancel();
    this.#leave();
    this.#peer?.close();
    this.#onEnded();
  }

  onConnected(): void {
    this.onAlive();
    if (this.#connected || this.#ended) return;
    this.#connected = true;
    this.#look();
    void this.#overheard
      .listen(packet => this.#peer?.sendVoice(packet))
      .then(leave => {
        if (this.#ended) leave();
        else this.#leave = leave;
      });
  }

  onAlive(): void {
    this.#aliveAtMs = this.#clock.nowMs();
  }

  onVoice(): void {}
  onPicture(): void {}
  onSenderReport(): void {}
  onChannel(): void {}
  onText(): void {}

  onClosed(): void {
    this.end();
  }

  #look(): void {
    this.#watch.cancel();
    if (!this.#connected || this.#clock.nowMs() - this.#aliveAtMs >= DEAD_AFTER_MS) this.end();
    else this.#watch = this.#clock.setTimer(LOOK_EVERY_MS, () => this.#look());
  }
}
