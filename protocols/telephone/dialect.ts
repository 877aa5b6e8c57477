/** What a carrier's WebSocket protocol says, in words common to all of them. */
import type { MediaFormat } from '../media/index.ts';
import type { LinePace, PhoneLine } from './line.ts';

export interface CallStart {
  /** As the carrier names the call. */
  readonly callId: string;
  readonly format: MediaFormat;
  /** What the operator or carrier says of the call; numbers and names among it. */
  readonly parameters: Readonly<Record<string, string>>;
}

export type CarrierEvent =
  /** `first`: what came with it. */
  | { readonly type: 'start'; readonly start: CallStart; readonly first?: CarrierEvent }
  | {
      readonly type: 'media';
      /** Null: in order as they come. */
      readonly sequence: number | null;
      readonly mediaMs: number | null;
      readonly payload: Buffer;
    }
  | { readonly type: 'key'; readonly key: string }
  /** Play-out has come to a mark of ours. */
  | { readonly type: 'mark'; readonly name: string }
  | { readonly type: 'stop'; readonly reason: string }
  /** Means nothing to us. */
  | { readonly type: 'other' };

/** One connection's. */
export interface Dialect {
  readonly carrier: string;
  readonly pace: LinePace;
  /** Sent before we close a call; absent: closing says it. */
  readonly farewell?: string | Uint8Array;
  /** Of a carrier that wants words back before a call begins: the way there, as soon as there is one. */
  attach?(send: (frame: string | Uint8Array) => void): void;
  /** Throws a RuntimeError for what it cannot read. */
  text(text: string): CarrierEvent;
  /** Absent: the carrier has no binary frames. */
  binary?(bytes: Buffer): CarrierEvent;
  /** The way back, once `start` has come. */
  line(
    start: CallStart,
    send: (frame: string | Uint8Array) => void,
    close: (reason: string) => void,
  ): PhoneLine;
}
