/** Something a person can act on: what happened, and what to do. */
export class Problem extends Error {
  /**
   * @param {string} message @param {string} remedy @param {string} [topic] what its notice goes with when it is over
   */
  constructor(message, remedy, topic = '') {
    super(message);
    this.remedy = remedy;
    this.topic = topic;
    /** The server wants an API key. */
    this.needsKey = false;
    /** The conversation can be held in writing. */
    this.canType = false;
  }
}
