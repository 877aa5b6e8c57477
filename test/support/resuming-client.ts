/** A client of the Realtime protocol whose network fails, and which comes back as the extension says. */
import type { Connection, ConnectionListener } from '../../protocols/connection.ts';
import { openRealtime } from '../../protocols/realtime/realtime-connection.ts';
import { ResumableSessions } from '../../protocols/realtime/resume/index.ts';
import type { WireRecord } from './realtime-client.ts';
import type { WireRig } from './wire-rig.ts';

interface Socket {
  readonly connection: Connection;
  listener: ConnectionListener | null;
  /** Nothing passes any more, whether or not the ends know. */
  cut: boolean;
  closed: number | null;
}

export function resumableSessions(rig: WireRig, maxUnsentBytes = 1e9): ResumableSessions {
  return new ResumableSessions({ clock: rig.clock, metrics: rig.metrics, maxUnsentBytes });
}

export class ResumingClient {
  /** What came, in the order in which it came. */
  readonly events: WireRecord[] = [];
  readonly resumed: WireRecord[] = [];
  token = '';
  socket: Socket;
  /** Bytes that the next socket does not take. */
  unsentBytes = 0;
  readonly #sessions: ResumableSessions;
  /** By number; those that the server has said to have are gone. */
  readonly #sent = new Map<number, string>();
  #sentCount = 0;

  constructor(rig: WireRig, sessions: ResumableSessions) {
    this.#sessions = sessions;
    const socket = this.#newSocket();
    this.socket = socket;
    const opening = { type: 'realtime', session: null, isBeta: false } as const;
    socket.listener = sessions.open(socket.connection, (line, resumption) =>
      openRealtime(line, { ...opening, resumption }, rig.context()),
    );
  }

  get waiting(): number {
    return this.#sent.size;
  }

  send(event: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify(event);
    this.#sent.set(++this.#sentCount, text);
    if (!this.socket.cut) this.socket.listener?.onText(text);
  }

  acknowledge(): void {
    this.send({ type: 'longcat.received', events: this.events.length });
  }

  /** The network is gone; nobody knows yet. */
  cut(): void {
    this.socket.cut = true;
  }

  /** The server learns that the socket is gone. */
  drop(code = 1006): void {
    this.socket.cut = true;
    this.socket.listener?.onClose(code, '');
  }

  /** False where the server does not know it, or does not know what was missed. */
  comeBack(token = this.token, received = this.events.length): boolean {
    const resume = this.#sessions.find(token, received);
    if (!resume) return false;
    const socket = this.#newSocket();
    this.socket = socket;
    socket.listener = resume(socket.connection);
    const [told] = this.resumed.slice(-1);
    this.#forget(Number(told.received));
    for (const text of this.#sent.values()) socket.listener.onText(text);
    return true;
  }

  all(type: string): WireRecord[] {
    return this.events.filter(event => event.type === type);
  }

  last(type: string): WireRecord {
    return this.all(type).at(-1)!;
  }

  #newSocket(): Socket {
    const socket: Socket = {
      connection: {
        send: text => !socket.cut && this.#receive(JSON.parse(String(text))),
        unsentBytes: () => this.unsentBytes,
        pauseReading() {},
        close: code => {
          socket.closed = code;
          socket.cut = true;
        },
      },
      listener: null,
      cut: false,
      closed: null,
    };
    return socket;
  }

  #receive(event: WireRecord): void {
    if (event.type === 'longcat.resumed') {
      this.resumed.push(event);
      return;
    }
    this.events.push(event);
    if (event.type === 'session.created') this.token = event.session.longcat.resume.token;
    if (event.type === 'longcat.received') this.#forget(Number(event.events));
  }

  #forget(count: number): void {
    for (const number of this.#sent.keys()) if (number <= count) this.#sent.delete(number);
  }
}
