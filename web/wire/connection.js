import { Problem } from '../talk/problem.js';
import { whyRefused } from './refusal.js';
import { Resumption } from './resumption.js';

/** Waits between attempts to come back; after the last one the person decides. */
export const RETRY_AFTER_MS = [500, 1000, 2000, 4000, 8000, 8000];
/** Pictures are skipped while this much waits to be sent. */
const BUSY_BYTES = 256 * 1024;
/** The line is taken for dead when this much audio waits: half a minute of it. */
const STUCK_BYTES = 2 * 1024 * 1024;
const KEY_NAME = 'longcat-key';

/**
 * One line to the server, kept alive. What it is made of is the transport's affair.
 *
 * @typedef {object} ConnectionEvents
 * @property {() => void} onOpen each time a (new) session is there
 * @property {() => void} onResumed the line is there again, and with it the session of before
 * @property {(event: any, bytes: number) => void} onEvent
 * @property {(event: any, bytes: number) => void} onSent
 * @property {(retry: Retry) => void} onRetry the line was lost and will be tried again
 * @property {(problem: Problem) => void} onGiveUp
 *
 * @typedef {{ waitMs: number, attempt: number, attempts: number }} Retry attempts count from 1; a wait of 0 is a try
 * under way
 */
export class Connection {
  /**
   * @param {ConnectionEvents} events
   * @param {(key: string, listener: import('./web-socket.js').TransportListener, resumption: Resumption) =>
   * import('./web-socket.js').Transport} openTransport
   */
  constructor(events, openTransport) {
    this.events = events;
    this.openTransport = openTransport;
    /** @type {import('./web-socket.js').Transport | null} */
    this.transport = null;
    this.attempt = 0;
    this.timer = 0;
    /** Raised by each line and each close: what was asked before then is of no interest any more. */
    this.generation = 0;
    this.key = sessionStorage.getItem(KEY_NAME) ?? '';
    this.resumption = new Resumption();
    /** The line is there, the server has not said yet what it has. */
    this.isResuming = false;
  }

  /** An API key, where the server wants one; kept until the tab is closed. */
  setKey(key) {
    this.key = key;
    sessionStorage.setItem(KEY_NAME, key);
  }

  /** For the first time; losses are made good from then on. */
  open() {
    this.attempt = 0;
    this.dial();
  }

  /** Does not wait for the next try. */
  tryNow() {
    if (this.transport) return;
    clearTimeout(this.timer);
    this.redial();
  }

  dial() {
    this.generation += 1;
    let opened = false;
    const resumes = this.resumption.isPossible;
    this.isResuming = resumes;
    if (!resumes) this.resumption.begin();
    const listener = {
      onOpen: () => {
        if (this.transport !== transport) return;
        opened = true;
        if (resumes) return; // The server's word on it comes first.
        this.attempt = 0;
        this.events.onOpen();
      },
      onText: text => {
        if (this.transport === transport) this.receive(text);
      },
      onClose: (code, reason) => {
        if (this.transport !== transport) return;
        this.transport = null;
        if (opened) this.lost(code, reason);
        else this.refused();
      },
    };
    const transport = this.openTransport(this.key, listener, this.resumption);
    this.transport = transport;
  }

  receive(text) {
    let event;
    try {
      event = JSON.parse(text);
    } catch {
      return; // What is no JSON is none of the protocol's.
    }
    const isOfTheLine = this.resumption.came(event);
    if (event?.type === 'longcat.resumed') this.resumed();
    this.tell();
    if (!isOfTheLine) this.events.onEvent(event, text.length);
  }

  /** What was sent and did not arrive is sent again. */
  resumed() {
    this.attempt = 0;
    this.isResuming = false;
    for (const text of this.resumption.sent) this.transport?.send(text);
    this.events.onResumed();
  }

  /** What came, now and then, so that nobody keeps what need not be. */
  tell() {
    const due = this.isOpen ? this.resumption.due(performance.now()) : null;
    if (!due) return;
    const text = JSON.stringify(due);
    this.resumption.goes(text);
    this.transport?.send(text);
  }

  /** Sound and pictures have tracks of their own. */
  get carriesMedia() {
    return this.transport?.carriesMedia ?? false;
  }

  get isOpen() {
    return this.transport?.isOpen() ?? false;
  }

  /** What is sent now arrives, if not at once. */
  get takes() {
    return this.isOpen || this.resumption.isPossible;
  }

  /** @param {object} event @returns {boolean} false when there is no line, and none to come back to */
  send(event) {
    if (!this.transport || !this.isOpen || this.isResuming) return this.keep(event);
    if (this.transport.backlogBytes() > STUCK_BYTES) {
      this.transport.close();
      return false;
    }
    const text = JSON.stringify(event);
    this.resumption.goes(text);
    this.transport.send(text);
    this.events.onSent(event, text.length);
    this.tell();
    return true;
  }

  /** For the line that comes back. @param {object} event */
  keep(event) {
    if (!this.resumption.isPossible) return false;
    const text = JSON.stringify(event);
    this.resumption.goes(text);
    this.events.onSent(event, text.length);
    return this.resumption.isPossible;
  }

  /** Like `send`, but left out while the line is busy. */
  sendIfIdle(event) {
    return this.transport !== null && this.transport.backlogBytes() < BUSY_BYTES && this.send(event);
  }

  close() {
    this.generation += 1;
    clearTimeout(this.timer);
    const { transport } = this;
    this.transport = null;
    this.resumption.forget();
    transport?.close();
  }

  lost(code, reason) {
    const why = reason || (code === 1000 ? 'the server ended the session' : `code ${code}`);
    const problem = new Problem(`The conversation was closed: ${why}.`, 'Press Start to begin a new one.');
    if (code === 1000) this.events.onGiveUp(problem);
    else this.retry(problem);
  }

  async refused() {
    const isFirst = this.attempt === 0;
    const resumed = this.resumption.isPossible;
    const { generation } = this;
    const { problem, passes, isUp } = await whyRefused(this.key);
    if (generation !== this.generation) return; // Closed or dialled anew meanwhile.
    if (resumed && isUp) {
      // It answers, and knows the session no more: a new one.
      this.resumption.forget();
      return this.redial();
    }
    if (passes && !isFirst) this.retry(problem);
    else this.events.onGiveUp(problem);
  }

  /** @param {Problem} problem what to say when no try is left */
  retry(problem) {
    const waitMs = RETRY_AFTER_MS[this.attempt];
    if (waitMs === undefined) return this.events.onGiveUp(problem);
    this.attempt += 1;
    this.events.onRetry({ waitMs, attempt: this.attempt, attempts: RETRY_AFTER_MS.length });
    this.timer = setTimeout(() => this.redial(), waitMs);
  }

  redial() {
    this.events.onRetry({ waitMs: 0, attempt: this.attempt, attempts: RETRY_AFTER_MS.length });
    this.dial();
  }
}
