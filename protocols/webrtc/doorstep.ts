/** Stands for a call that does not exist yet: what the peer tells meanwhile is told to the call when it comes in. */
import type { PeerListener, RtpIn, SenderReport } from './peer.ts';

/** Media that comes before is let fall beyond this; the call has its own bounds. */
const MAX_KEPT = 256;

export class Doorstep implements PeerListener {
  #call: PeerListener | null = null;
  readonly #kept: ((call: PeerListener) => void)[] = [];

  enter(call: PeerListener): void {
    this.#call = call;
    for (const tell of this.#kept.splice(0)) tell(call);
  }

  onConnected(): void {
    this.#tell(call => call.onConnected());
  }

  onAlive(): void {
    this.#call?.onAlive();
  }

  onVoice(packet: RtpIn): void {
    this.#tell(call => call.onVoice(packet));
  }

  onPicture(packet: RtpIn): void {
    this.#tell(call => call.onPicture(packet));
  }

  onSenderReport(report: SenderReport): void {
    this.#tell(call => call.onSenderReport(report));
  }

  onChannel(): void {
    this.#tell(call => call.onChannel());
  }

  onText(text: string): void {
    this.#tell(call => call.onText(text));
  }

  onClosed(reason: string): void {
    this.#tell(call => call.onClosed(reason));
  }

  #tell(tell: (call: PeerListener) => void): void {
    if (this.#call) tell(this.#call);
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(tell);
  }
}
