/**
 * Speech as close as the user's that was held back: it may have been an echo of the agent, or of a voice elsewhere. A
 * sound that begins right after it began with it, and is decided so much sooner.
 */
import { FRAME_MS } from './segmenter.ts';
import { ENDED_FRAMES } from './sound-weigher.ts';

/** What goes on for longer is not the beginning of a word. */
const MOST_FRAMES = 200 / FRAME_MS;

export class HeldBack {
  #firstFrame = 0;
  #lastFrame = Number.NEGATIVE_INFINITY;

  add(frame: number): void {
    if (frame - this.#lastFrame > ENDED_FRAMES) this.#firstFrame = frame;
    this.#lastFrame = frame;
  }

  /** By how many frames a sound is older than its onset. */
  framesBefore(onsetFrame: number): number {
    if (onsetFrame - this.#lastFrame > ENDED_FRAMES) return 0;
    return Math.min(MOST_FRAMES, Math.max(0, onsetFrame - this.#firstFrame));
  }
}
