import { Problem } from './problem.js';

/** Waits between attempts to come back; after the last one the person decides. */
const RETRY_AFTER_MS = [500, 1000, 2000, 4000, 8000, 8000];
/** Pictures are skipped while this much waits to be sent. */
const BUSY_BYTES = 256 * 1024;
/** The line is taken for dead when this much audio waits: half a minute of it. */
const STUCK_BYTES = 2 * 1024 * 1024;

/**
 * The WebSocket to `/v1/realtime`, kept alive.
 *
 * @typedef {object} ConnectionEvents
 * @property {() => void} onOpen each time a (new) session is there
 * @property {(event: any) => void} onEvent
 * @property {(waitMs: number) => void} onRetry the line was lost and will be tried again
 * @property {(problem: Problem) => void} onGiveUp
 */
export class Connection {
  /** @param {ConnectionEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.timer = 0;
    this.key = sessionStorage.getItem('longcat-key') ?? '';
  }

  /** An API key, where the server wants one; kept until the tab is closed. */
  setKey(key) {
    this.key = key;
    sessionStorage.setItem('longcat-key', key);
  }

  open() {
    const url = new URL('/v1/realtime', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const subprotocols = this.key ? ['realtime', `openai-insecure-api-key.${this.key}`] : ['realtime'];
    const socket = new WebSocket(url, subprotocols);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.attempt = 0;
      this.events.onOpen();
    };
    socket.onmessage = ({ data }) => this.events.onEvent(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (opened) this.retry(code, reason);
      else this.refused();
    };
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** @param {object} event @returns {boolean} false when there is no line */
  send(event) {
    if (!this.socket || !this.isOpen) return false;
    if (this.socket.bufferedAmount > STUCK_BYTES) {
      this.socket.close();
      return false;
    }
    this.socket.send(JSON.stringify(event));
    return true;
  }

  /** Like `send`, but left out while the line is busy. */
  sendIfIdle(event) {
    if (this.socket && this.socket.bufferedAmount < BUSY_BYTES) this.send(event);
  }

  close() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close(1000, 'OK');
  }

  retry(code, reason) {
    const waitMs = RETRY_AFTER_MS[this.attempt++];
    if (waitMs === undefined || code === 1000) {
      const why = reason || (code === 1000 ? 'the server ended the session' : `code ${code}`);
      this.events.onGiveUp(
        new Problem(`The conversation was closed: ${why}.`, 'Press Start to begin a new one.'),
      );
      return;
    }
    this.events.onRetry(waitMs);
    this.timer = setTimeout(() => this.open(), waitMs);
  }

  /** The browser hides why an upgrade failed; ordinary requests to the same server tell. */
  async refused() {
    const health = await fetch('/healthz')
      .then(answer => answer.json())
      .catch(() => null);
    const isFull = health && health.sessions >= health.limits?.maxSessions;
    if (this.attempt > 0 && (!health || isFull)) return this.retry(1006, 'the server does not answer');
    if (!health) return this.events.onGiveUp(new Problem(...REFUSALS.down));
    if (isFull) return this.events.onGiveUp(new Problem(...REFUSALS.full));
    const headers = new Headers(this.key ? { authorization: `Bearer ${this.key}` } : {});
    const { status } = await fetch('/metrics', { headers }).catch(() => ({ status: 0 }));
    const problem = new Problem(...(status === 401 ? REFUSALS.key : REFUSALS.other));
    problem.needsKey = status === 401;
    this.events.onGiveUp(problem);
  }
}

/** @type {Record<string, [what: string, remedy: string]>} */
const REFUSALS = {
  down: [
    'The server does not answer.',
    'Is it still running? Start it with “npm start”, then press Start here.',
  ],
  full: ['All places are taken.', 'Try again in a moment.'],
  key: ['This server wants an API key.', 'Enter one of those it was started with.'],
  other: [
    'The server refused the connection.',
    'Open the page from the address it prints, or add this one to allowedOrigins.',
  ],
};
