/**
 * What is needed to go on with a session after its socket was lost (protocols/realtime/README.md, *A lost socket*): its
 * token, how many events came, and what was sent that the server has not said to have.
 */

/** Characters kept of what was sent: a minute of sound. A session of which more waits is given up. */
const KEEP_CHARS = 4 * 1024 * 1024;
/** Both sides tell what they have so often. */
const TELL_MS = 1000;

export class Resumption {
  keeps = false;
  token = '';
  received = 0;
  toldMs = 0;
  /** Of what was sent, before the first that is kept. */
  known = 0;
  /** @type {string[]} */
  sent = [];
  chars = 0;

  /** A new session is asked for; what is sent from now on counts. */
  begin() {
    this.forget();
    this.keeps = true;
  }

  forget() {
    Object.assign(this, new Resumption());
  }

  get isPossible() {
    return this.token !== '';
  }

  /** What is offered to the server beside the protocol's own name. */
  get subprotocol() {
    return this.token ? `longcat-resume.${this.token}.${this.received}` : 'longcat-resume';
  }

  /**
   * An event came. @param {any} event @returns {boolean} it is of this alone
   */
  came(event) {
    if (event?.type === 'session.created') {
      const token = event.session?.longcat?.resume?.token;
      if (token) this.token = token;
      else this.forget();
    }
    if (event?.type === 'longcat.resumed') {
      this.isKnown(event.received);
      return true;
    }
    this.received += 1;
    if (event?.type !== 'longcat.received') return false;
    this.isKnown(event.events);
    return true;
  }

  /** An event is on its way, or waits for a line. @param {string} text */
  goes(text) {
    if (!this.keeps) return;
    this.sent.push(text);
    this.chars += text.length;
    if (this.chars > KEEP_CHARS) this.forget();
  }

  /** @param {number} nowMs @returns {object | null} an event that is due */
  due(nowMs) {
    if (!this.token || nowMs - this.toldMs < TELL_MS) return null;
    this.toldMs = nowMs;
    return { type: 'longcat.received', events: this.received };
  }

  /** The server has so many. @param {number} count */
  isKnown(count) {
    const gone = this.sent.splice(0, Math.max(0, count - this.known));
    this.known += gone.length;
    for (const { length } of gone) this.chars -= length;
  }
}
