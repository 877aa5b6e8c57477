/** A tool that the agent called: what it is called with, and what came of it. */
export class CallTurn {
  side = /** @type {const} */ ('tool');

  /** @param {string} id @param {number} atMs @param {string} name */
  constructor(id, atMs, name) {
    this.id = id;
    this.atMs = atMs;
    this.name = name;
    this.given = '';
    /** Null while it is awaited. @type {string | null} */
    this.output = null;
    /** The page runs no tools: nobody answers this call. */
    this.unanswered = false;
  }

  /** @param {any} item of the protocol, as far as it is known now */
  know({ type, arguments: given, output }) {
    if (given) this.given = given;
    if (typeof output === 'string') this.output = output;
    this.unanswered = type === 'function_call';
  }

  get text() {
    return `${this.name}(${this.given === '{}' ? '' : this.given})`;
  }

  get outcome() {
    return this.output ?? (this.unanswered ? 'nobody here runs it' : '…');
  }
}
