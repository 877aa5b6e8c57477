/** Something a person can act on: what happened, and what to do. */
export class Problem extends Error {
  /** @param {string} message @param {string} remedy */
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
    /** The server wants an API key. */
    this.needsKey = false;
  }
}
