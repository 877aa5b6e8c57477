/**
 * What a telephone line is able to do, whoever carries it. A dialect (`protocols/twilio/` and its neighbours) makes one
 * of a wire.
 */
import type { LineFormat } from '../media/index.ts';

export interface PhoneLine {
  /** Of what is played; `PhoneCall.reformatted` tells that it changed. */
  readonly format: LineFormat;
  /** Whole frames of `frameMs`, in the line's format, to be played after those before. */
  play(frame: Buffer): void;
  /**
   * Asks to be told (`PhoneCall.marked`) when all that was given before has been played; absent: the line tells
   * nothing.
   */
  mark?(name: string): void;
  /** Throws away what was given and not played; absent: what is given is played. */
  clear?(): void;
  /** Presses a key for the far end to take; absent: the line has no way to. */
  press?(key: string): void;
  /** Ends the call. Nothing is sent after it. */
  hangUp(reason: string): void;
}

/** How far the line may be ahead of the ear, and what else of it play-out must know (docs/spec/protocols.md §7). */
export interface LinePace {
  readonly frameMs: number;
  /**
   * Sound is given so far ahead of real time: room for what the network delays, and what a barge-in has to throw away.
   */
  readonly leadMs: number;
  /** From us to the ear, as long as nothing is known of it. */
  readonly latencyMs: number;
}
