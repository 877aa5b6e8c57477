/**
 * A voice elsewhere in the room, heard while the agent speaks: by `INTERRUPTION.closeDb` lower than this user's own turns. It does
 * not even duck the agent. Its louder syllables come closer to the user's level; so while it goes on, a sound must be nearly as
 * loud as a turn to be another one.
 */
import { INTERRUPTION } from '../turn-taking/index.ts';
import { FRAME_MS } from './segmenter.ts';

/** Heard for so long, somebody speaks there; */
const KNOWN_FRAMES = 40 / FRAME_MS;
/** until this much has passed without. */
const FORGOTTEN_FRAMES = 1200 / FRAME_MS;

export class VoiceElsewhere {
  #frames = 0;
  #passedFrames = FORGOTTEN_FRAMES;

  /**
   * Once a frame. Whether what it holds is of that voice.
   *
   * @param relativeDb level of the frame's speech against the user's turns; null where it is none, or those were not heard yet
   */
  isIn(relativeDb: number | null): boolean {
    this.#passedFrames += 1;
    if (this.#passedFrames > FORGOTTEN_FRAMES) this.#frames = 0;
    const leastDb = this.#frames >= KNOWN_FRAMES ? INTERRUPTION.overElsewhereDb : INTERRUPTION.closeDb;
    if (relativeDb === null || relativeDb >= leastDb) return false;
    this.#frames += 1;
    this.#passedFrames = 0;
    return true;
  }
}
