/** One say of the person: spoken, or written. */
export class UserTurn {
  side = /** @type {const} */ ('user');

  /**
   * @param {string} id
   * @param {number} atMs when it began, since the page's first conversation
   * @param {number | null} fromMs where it began in the audio that was sent; null: it was written
   */
  constructor(id, atMs, fromMs) {
    this.id = id;
    this.atMs = atMs;
    this.fromMs = fromMs;
    /** Where it ended; null: it goes on. @type {number | null} */
    this.toMs = null;
    this.text = '';
    /** The words are the last ones. */
    this.final = false;
    /** Its sound is kept and can be played again. */
    this.playable = false;
  }

  get typed() {
    return this.fromMs === null;
  }

  get lengthMs() {
    return this.fromMs === null || this.toMs === null ? 0 : this.toMs - this.fromMs;
  }

  stop(toMs) {
    this.toMs = toMs;
  }

  write(text, final) {
    this.text = final ? text : this.text + text;
    this.final = final;
  }
}
