/**
 * A caller's line to a frontend by the Realtime protocol, which it takes up again when it breaks (the extension
 * `longcat-resume`): each event comes once, in order, both ways.
 */
import { WebSocket } from 'ws';

const ABNORMAL = 1006;
const TRY_EVERY_MS = 50;
/** The server keeps a session for so long. */
const WINDOW_MS = 30_000;
const TELL_EVERY_MS = 1000;

// biome-ignore lint/suspicious/noExplicitAny: what the protocol has is looked at where it is used.
export type ServerEvent = Readonly<Record<string, any>> & { readonly type: string };

export interface LineListener {
  event(event: ServerEvent): void;
  resumed(afterMs: number): void;
  /** For good, and not by us. */
  lost(why: string): void;
}

export class Line {
  readonly #url: string;
  readonly #listener: LineListener;
  #socket: WebSocket | null = null;
  #token: string | null = null;
  #received = 0;
  /** What the server may not have, the oldest first. */
  #sent: string[] = [];
  #known = 0;
  #brokenAtMs: number | null = null;
  #isOver = false;
  readonly #telling: NodeJS.Timeout;

  constructor(port: number, listener: LineListener) {
    this.#url = `ws://127.0.0.1:${port}/v1/realtime?model=nano`;
    this.#listener = listener;
    this.#connect();
    this.#telling = setInterval(() => {
      if (this.#token) this.send({ type: 'longcat.received', events: this.#received });
    }, TELL_EVERY_MS);
  }

  send(event: object): void {
    const text = JSON.stringify(event);
    this.#sent.push(text);
    if (this.#socket?.readyState === WebSocket.OPEN && this.#brokenAtMs === null) this.#socket.send(text);
  }

  close(): void {
    this.#isOver = true;
    clearInterval(this.#telling);
    this.#socket?.close(1000);
  }

  #connect(): void {
    const resume = this.#token ? `longcat-resume.${this.#token}.${this.#received}` : 'longcat-resume';
    const socket = new WebSocket(this.#url, ['realtime', resume]);
    this.#socket = socket;
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      this.#lost(`refused with ${response.statusCode}`);
      socket.terminate();
    });
    socket.on('error', () => {});
    socket.on('message', data => this.#socket === socket && this.#hear(JSON.parse(String(data))));
    socket.on('close', code => this.#socket === socket && this.#closed(code));
  }

  #hear(event: ServerEvent): void {
    if (event.type === 'longcat.resumed') {
      this.#forget(event.received);
      for (const text of this.#sent) this.#socket!.send(text);
      this.#listener.resumed(performance.now() - this.#brokenAtMs!);
      this.#brokenAtMs = null;
      return;
    }
    this.#received++;
    if (event.type === 'session.created') this.#token = event.session.longcat.resume.token;
    if (event.type === 'longcat.received') this.#forget(event.events);
    if (!this.#isOver) this.#listener.event(event);
  }

  #forget(count: number): void {
    this.#sent.splice(0, count - this.#known);
    this.#known = count;
  }

  #closed(code: number): void {
    if (this.#isOver) return;
    this.#brokenAtMs ??= performance.now();
    if (code !== ABNORMAL) this.#lost(`closed with ${code}`);
    else if (!this.#token) this.#lost('nobody answers');
    else if (performance.now() - this.#brokenAtMs > WINDOW_MS) this.#lost('not found again');
    else setTimeout(() => !this.#isOver && this.#connect(), TRY_EVERY_MS);
  }

  #lost(why: string): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.lost(why);
  }
}
