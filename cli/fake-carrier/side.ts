/**
 * A carrier's side of its protocol, in words common to all: what a fake one says, and what it understands of the
 * answer.
 */
import type { MediaFormat } from '../../protocols/media/index.ts';

export type Frame = string | Uint8Array;

export type Ordered =
  | { readonly type: 'play'; readonly payload: Buffer }
  | { readonly type: 'mark'; readonly name: string }
  | { readonly type: 'clear' }
  | { readonly type: 'hang-up' }
  | { readonly type: 'other' };

/** One call's. */
export interface CarrierSide {
  readonly carrier: string;
  readonly format: MediaFormat;
  /** What a carrier says before any sound. */
  opening(): Frame[];
  /** The caller's next 20 ms. */
  media(payload: Buffer): Frame;
  key(digit: string): Frame;
  /** A mark was reached, or, where the carrier tells it, thrown away. */
  marked(name: string): Frame;
  /** What is said when all that waited was thrown away; absent: nothing is. */
  cleared?(): Frame;
  /** Whether marks that a clear throws away are told. */
  readonly tellsClearedMarks: boolean;
  /** The caller hangs up; null: closing says it. */
  closing(): Frame | null;
  read(frame: Frame): Ordered;
}
