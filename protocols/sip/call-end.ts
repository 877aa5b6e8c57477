import type { MediaSink } from '../rtp/index.ts';

/** Who hears and speaks at our end of a call: the agent, or a person in a terminal. */
export interface CallEnd extends MediaSink {
  /** `atMs`: when it was reached. */
  marked(name: string, atMs: number): void;
  /** `CallMedia.format` is another one. */
  reformatted(): void;
  /** Whether keys come in the sound itself: the peer brings them no other way. */
  listenForKeys(isWanted: boolean): void;
  /** The peer does not listen any more. */
  held(): void;
  /** The call is over; once. */
  hungUp(reason: string): void;
}
