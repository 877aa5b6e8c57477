/** What offer and answer came to, for one audio stream of a call. Directions are ours. */
import type { LineFormat } from '../media/index.ts';
import type { HostPort } from './network.ts';
import type { SrtpSuite } from './srtp.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface PayloadFormat {
  readonly format: LineFormat;
  /**
   * Of the timestamps; G.722 counts 8000 though it has 16 000 samples (RFC 3551 §4.5.2), Opus 48 000 whatever it has
   * (RFC 7587 §4.1).
   */
  readonly clockRateHz: number;
}

export interface SrtpKey {
  readonly suite: SrtpSuite;
  /** Key and salt. */
  readonly master: Buffer;
}

export interface MediaPlan {
  /** Where sound goes until it is known where it comes from. */
  readonly remote: HostPort;
  readonly remoteRtcp: HostPort;
  readonly direction: Direction;
  /** What may come, by payload type. */
  readonly formats: ReadonlyMap<number, PayloadFormat>;
  /** What is sent. */
  readonly payloadType: number;
  /** Keys (RFC 4733), both ways; null: not agreed on. */
  readonly keys: { readonly payloadType: number; readonly clockRateHz: number } | null;
  /** Comfort noise (RFC 3389); null: not agreed on. */
  readonly comfortNoise: number | null;
  readonly rtcpMux: boolean;
  readonly srtp: { readonly send: SrtpKey; readonly receive: SrtpKey } | null;
}

export const hears = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';
export const speaks = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
