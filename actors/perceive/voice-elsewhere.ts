/**
 * A voice elsewhere in the room, heard while the agent speaks: by `INTERRUPTION.closeDb` lower than this user's own
 * turns. It does not even duck the agent. Its louder syllables come closer to the user's level; so while it goes on, a
 * sound must be nearly as loud as a turn to be another one. What has just begun may be the soft beginning of a word to
 * the agent.
 */
import { INTERRUPTION } from '../turn-taking/index.ts';
import { FRAME_MS } from './segmenter.ts';

/** Heard in so many frames, the first of them so long ago, somebody speaks there; */
const KNOWN_FRAMES = 2;
const KNOWN_AFTER_FRAMES = 160 / FRAME_MS;
/** until this much has passed without. */
const FORGOTTEN_FRAMES = 1200 / FRAME_MS;

export class VoiceElsewhere {
  #frames = 0;
  #sinceFirst = 0;
  #sinceLast = 0;

  /**
   * Once a frame. Whether what it holds is of that voice.
   *
   * @param relativeDb level of the frame's speech against the user's turns; null where it is none, or those were not
   * heard yet
   */
  isIn(relativeDb: number | null): boolean {
    this.#sinceFirst += 1;
    this.#sinceLast += 1;
    if (this.#sinceLast > FORGOTTEN_FRAMES) this.#frames = 0;
    const isKnown = this.#frames >= KNOWN_FRAMES && this.#sinceFirst >= KNOWN_AFTER_FRAMES;
    const leastDb = isKnown ? INTERRUPTION.overElsewhereDb : INTERRUPTION.closeDb;
    if (relativeDb === null || relativeDb >= leastDb) return false;
    if (this.#frames === 0) this.#sinceFirst = 0;
    this.#frames += 1;
    this.#sinceLast = 0;
    return true;
  }
}
