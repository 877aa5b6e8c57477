import { SAMPLE_RATE_HZ } from '../media/pcm16.js';
import { openWordEnds, wordEnds, wordsOf } from './spoken-words.js';

/**
 * One say of the agent. A spoken one shows which of its words were heard; after an interruption also which of them the
 * model remembers, because it keeps whole sentences or clauses only.
 */
export class AgentTurn {
  side = /** @type {const} */ ('agent');

  constructor(id, atMs) {
    this.id = id;
    this.atMs = atMs;
    /** The turn that it stands above, though that was told before; null: it stands last. @type {string | null} */
    this.above = null;
    this.text = '';
    /** Written answers have no sound to wait for. */
    this.written = false;
    this.heardSamples = 0;
    /** Characters that were heard; never fewer than before. */
    this.heardLength = 0;
    /** Where the words end in the sound, known when it is complete. @type {number[] | null} */
    this.ends = null;
    this.interrupted = false;
    /** Nothing more will come. */
    this.done = false;
    /** What the model remembers of it; null: all. @type {string | null} */
    this.kept = null;
    /** @type {any} */
    this.trace = null;
    this.playable = false;
  }

  get heardMs() {
    return (this.heardSamples * 1000) / SAMPLE_RATE_HZ;
  }

  /** @param {string} text @param {boolean} written there is no sound of it */
  write(text, written) {
    this.text += text;
    this.written = written;
    this.advance();
  }

  hear(samples) {
    this.heardSamples = Math.max(this.heardSamples, samples);
    this.advance();
  }

  /** @param {Int16Array | null} sound the whole of it, null where it was cut off */
  complete(sound) {
    this.done = true;
    if (sound) this.ends = wordEnds(this.text, sound, SAMPLE_RATE_HZ);
    this.advance();
  }

  interrupt() {
    this.interrupted = true;
    this.done = true;
  }

  /** @param {string} text what stays in the model's memory */
  cut(text) {
    this.interrupt();
    if (this.text.startsWith(text)) this.kept = text;
  }

  account(trace) {
    this.trace = trace;
  }

  /** Is this the answer's text, or the beginning that was kept of it? */
  says(text) {
    return this.text.trimStart().startsWith(text.trim());
  }

  advance() {
    if (this.written) {
      this.heardLength = this.text.length;
      return;
    }
    const ends = this.ends ?? openWordEnds(this.text, SAMPLE_RATE_HZ);
    const heard = ends.findLastIndex(end => end <= this.heardSamples);
    const word = wordsOf(this.text)[heard];
    if (word) this.heardLength = Math.max(this.heardLength, word.end);
  }

  /**
   * The words by what became of them. What is remembered was said even where this page cannot tell that it was heard.
   *
   * @returns {{ remembered: string, heardOnly: string, rest: string }} rest: not heard yet, or never
   */
  parts() {
    const { text, kept } = this;
    const remembered = kept === null ? this.heardLength : kept.length;
    const heard = Math.max(this.heardLength, remembered);
    return {
      remembered: text.slice(0, remembered),
      heardOnly: text.slice(remembered, heard),
      rest: text.slice(heard),
    };
  }
}
