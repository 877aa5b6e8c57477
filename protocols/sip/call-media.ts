/** One call's description and media: what was offered, what was agreed on, and the session that does it. */
import type { LineFormat, OpusVoice } from '../media/index.ts';
import type { CallEnd } from './call-end.ts';
import { MASTER_KEY_BYTES, type MediaSockets, type RtpSession } from '../rtp/index.ts';
import { firstFormat, type SipCodec } from './codecs.ts';
import { type Agreed, answerOffer, makeOffer, type Ours, readAnswer } from './offer-answer.ts';
import type { Sdp } from './sdp.ts';

/** Whom the media are for, once there is somebody. */
export interface MediaListener {
  end: CallEnd | null;
  hangUp: (reason: string) => void;
  fault: (error: unknown) => void;
}

export interface CallMediaOptions {
  readonly listener: MediaListener;
  readonly sockets: MediaSockets;
  readonly session: RtpSession;
  /** Our address as the peer reaches it. */
  readonly localHost: string;
  readonly codecs: readonly SipCodec[];
  /** This call's; null: it has none. */
  readonly opus: OpusVoice | null;
  /** Of the description's `o=` line, digits. */
  readonly id: string;
  readonly randomBytes: (count: number) => Buffer;
  /** Calls that we make offer SRTP, and nothing else. */
  readonly isSecure?: boolean;
  /** Keys beside the sound (RFC 4733); absent: they are. */
  readonly offersKeys?: boolean;
}

export class CallMedia {
  readonly session: RtpSession;
  readonly localHost: string;
  /** We hold the peer. */
  holds = false;
  readonly #options: CallMediaOptions;
  #version = 0;
  #agreed: Agreed | null = null;
  #applied: { readonly format: LineFormat; readonly isHeld: boolean } | null = null;
  #master: Buffer | null = null;

  constructor(options: CallMediaOptions) {
    this.#options = options;
    this.session = options.session;
    this.localHost = options.localHost;
  }

  /** Of what we send; our first choice until something is agreed on. */
  get format(): LineFormat {
    const plan = this.#agreed?.plan;
    return plan?.formats.get(plan.payloadType)?.format ?? firstFormat(this.#options);
  }

  get isHeld(): boolean {
    return this.#agreed?.isHeld ?? false;
  }

  /** What the session does now; null: nothing yet. */
  get applied(): { readonly format: LineFormat; readonly isHeld: boolean } | null {
    return this.#applied;
  }

  /** Our answer to an offer; null: no sound that both know, and everything stays as it is. */
  answer(offer: Sdp): string | null {
    const answered = answerOffer(offer, this.#ours());
    if (!answered) return null;
    this.#agreed = answered;
    return answered.sdp;
  }

  offer(): string {
    return makeOffer(this.#ours(), this.holds, this.#options.isSecure);
  }

  /** What came back to our offer. False: nothing that both know. */
  agree(answer: Sdp): boolean {
    const agreed = readAnswer(answer, this.#ours(), this.holds, this.#options.isSecure);
    if (agreed) this.#agreed = agreed;
    return agreed !== null;
  }

  /** Sound goes as agreed from now on. */
  apply(): void {
    if (!this.#agreed) return;
    const { opusWishes, plan } = this.#agreed;
    if (opusWishes) this.#options.opus?.use(opusWishes);
    this.session.use(plan);
    this.#options.listener.end?.listenForKeys(plan.keys === null);
    this.#applied = { format: this.format, isHeld: this.isHeld };
  }

  /** From now on somebody listens. */
  attach(end: CallEnd, hangUp: (reason: string) => void, fault: (error: unknown) => void): void {
    Object.assign(this.#options.listener, { end, hangUp, fault });
  }

  close(): void {
    this.session.close();
    this.#options.opus?.free();
  }

  #ours(): Ours {
    const { sockets, codecs, id, offersKeys = true, opus, randomBytes } = this.#options;
    return {
      codecs,
      opus,
      offersKeys,
      rtp: { host: this.localHost, port: sockets.rtp.local.port },
      rtcpPort: sockets.rtcp.local.port,
      id,
      version: ++this.#version,
      master: () => (this.#master ??= randomBytes(MASTER_KEY_BYTES)),
    };
  }
}
