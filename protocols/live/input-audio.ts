/**
 * The user's sound on its way to the session. Muted, or while a fixture plays, the session hears as much silence
 * instead.
 */
import type { Session } from '../../actors/session-api.ts';
import { SESSION_INPUT_RATE_HZ, type TrackSound } from '../media/index.ts';
import type { Timeline } from './timeline.ts';

export class InputAudio {
  isMuted = false;
  /** Nothing of the user's counts for now. */
  isDropped = false;
  readonly #session: Session;
  readonly #timeline: Timeline;
  #pushedMs = 0;
  /** From the position in the sound to the timeline, as it was when sound last came. */
  #offsetMs = 0;

  constructor(session: Session, timeline: Timeline) {
    this.#session = session;
    this.#timeline = timeline;
  }

  /** 16 kHz, the samples the receiver's to change. */
  hear(sound: TrackSound): void {
    const { samples } = sound;
    if (samples.length === 0) return;
    if (this.isMuted || this.isDropped) samples.fill(0);
    this.#pushedMs += (samples.length / SESSION_INPUT_RATE_HZ) * 1000;
    this.#offsetMs = this.#timeline.nowMs - this.#pushedMs;
    this.#session.send({ type: 'audio', ...sound });
  }

  /** When it was that this position of the sound came. */
  timelineMs(audioMs: number): number {
    return audioMs + this.#offsetMs;
  }
}
