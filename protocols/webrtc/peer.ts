/**
 * A caller's WebRTC peer, as far as a call needs one: RTP in and out, and a channel for events. Behind it stands a
 * library (`werift-peer.ts`), or memory in a test.
 */
/** What a sender's own ear says of a packet of its voice (RFC 6464). */
export interface AudioLevel {
  /** Of what it sent: so far below what is loudest; 127 is nothing at all, a microphone that is off. */
  readonly belowFullDb: number;
  readonly isVoice: boolean;
}

export interface RtpIn {
  readonly ssrc: number;
  readonly payloadType: number;
  /** 16 bits; wraps. */
  readonly sequence: number;
  /** In units of the codec's clock, 32 bits; wraps. */
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  /** Absent: it says nothing. */
  readonly level?: AudioLevel;
}

/** What a sender says of its clocks (RFC 3550 §6.4.1): both numbers are of one moment. */
export interface SenderReport {
  readonly ssrc: number;
  /** The sender's wall clock, in milliseconds from any zero. */
  readonly wallMs: number;
  readonly timestamp: number;
}

export interface VoiceOut {
  readonly payload: Uint8Array;
  /** At 48 kHz, 32 bits. */
  readonly timestamp: number;
  /** The first after silence. */
  readonly marker: boolean;
}

export interface PeerListener {
  /** Encrypted and ready to send. */
  onConnected(): void;
  /** Whatever came: the peer lives. */
  onAlive(): void;
  onVoice(packet: RtpIn): void;
  onPicture(packet: RtpIn): void;
  onSenderReport(report: SenderReport): void;
  /** The channel for events is open. */
  onChannel(): void;
  onText(text: string): void;
  /** Once, and not after `close`. */
  onClosed(reason: string): void;
}

export interface Peer {
  /**
   * Takes an offer, the first or a later one, and answers it when all our candidates are known. Rejects where it makes
   * no sense.
   */
  answer(offer: string): Promise<string>;
  /** Trickled: a candidate line without `a=`, of the section with this `mid`. */
  addCandidate(candidate: string, mid: string): Promise<void>;
  sendVoice(packet: VoiceOut): void;
  /** A Picture Loss Indication (RFC 4585 §6.3.1): the sender answers with a key frame. */
  requestKeyFrame(ssrc: number): void;
  /** On the channel for events; nothing where it is not open. */
  sendText(text: string): void;
  unsentBytes(): number;
  /** All that was sent on the channel has been acknowledged. */
  isAcknowledged(): boolean;
  /** There and back, as last measured. Asked every second while the call lasts. */
  roundTripMs(): Promise<number | null>;
  close(): void;
}

export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

export interface PeerOptions {
  readonly iceServers: readonly IceServer[];
  /** Addresses of this machine to offer; empty: those of its interfaces. */
  readonly hosts: readonly string[];
  /** Only through the relay. */
  readonly relayOnly: boolean;
  readonly ports: readonly [number, number] | null;
}

export type OpenPeer = (listener: PeerListener) => Promise<Peer>;
