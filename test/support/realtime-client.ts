/** A bare client of the Realtime protocol for tests: sends objects, keeps every event, waits for the next of a type. */
import { type ClientOptions, WebSocket } from 'ws';

export interface WireRecord {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape.
  readonly [field: string]: any;
}

export class RealtimeClient {
  readonly socket: WebSocket;
  readonly events: WireRecord[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly opened: Promise<void>;
  #seen = 0;
  #wake: (() => void) | null = null;
  #over = false;

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}`, protocols, options);
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise(resolve => {
      this.socket.once('close', (code, reason) => {
        this.#over = true;
        this.#wake?.();
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('error', () => {});
    this.socket.on('message', data => {
      this.events.push(JSON.parse(data.toString()));
      this.#wake?.();
    });
  }

  send(event: unknown): void {
    this.socket.send(typeof event === 'string' ? event : JSON.stringify(event));
  }

  /** The next event of this type among those not yet looked at; earlier ones are passed over. */
  async next(type: string): Promise<WireRecord> {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen++];
        if (event.type === type) return event;
      }
      if (this.#over) throw new Error(`The connection closed before ${type} came.`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Sends an event and returns the error that quotes it. */
  async refused(event: Record<string, unknown>): Promise<WireRecord['error']> {
    const event_id = `refused_${this.events.length}_${this.#seen}`;
    this.send({ ...event, event_id });
    for (;;) {
      const { error } = await this.next('error');
      if (error.event_id === event_id) return error;
    }
  }

  types(): string[] {
    return this.events.map(event => event.type);
  }

  close(): void {
    this.socket.close(1000, 'OK');
  }
}

export async function openClient(url: string, query = '?model=test'): Promise<RealtimeClient> {
  const client = new RealtimeClient(`${url}/v1/realtime${query}`);
  await client.opened;
  return client;
}

/** PCM16 at 24 kHz, base64: a tone or silence. */
export function pcm(ms: number, amplitude: number): string {
  const bytes = Buffer.alloc(ms * 48);
  for (let n = 0; n < ms * 24; n++)
    bytes.writeInt16LE(Math.round(amplitude * 32767 * Math.sin(n / 20)), 2 * n);
  return bytes.toString('base64');
}
