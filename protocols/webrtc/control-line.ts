/**
 * The control of one call, on one line for all that speak to it: the caller's data channel and the side connections of servers
 * (docs/spec/webrtc.md §1). What the session says goes to each; what any of them says, the session hears.
 */
import type { Connection, ConnectionListener } from '../connection.ts';

/** What is said before the caller's channel opens waits, up to this. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_SIDES = 8;
const CLOSE_POLICY = 1008;
const CLOSE_NORMAL = 1000;

export interface Channel {
  send(text: string): void;
  unsentBytes(): number;
}

export interface ControlLineOptions {
  readonly maxMessageBytes: number;
  readonly maxUnsentBytes: number;
  /** The session's end of the line asks for the end of the call. */
  readonly onClose: (code: number, reason: string) => void;
}

export class ControlLine implements Connection {
  readonly #options: ControlLineOptions;
  readonly #sides = new Set<Connection>();
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #channel: Channel | null = null;
  #hasChannel = true;
  #listener: ConnectionListener | null = null;
  /** What a newcomer is greeted with: the last that the session said of itself. */
  #session: unknown = null;

  constructor(options: ControlLineOptions) {
    this.#options = options;
  }

  /** Who hears what is said on the line. */
  listen(listener: ConnectionListener): void {
    this.#listener = listener;
  }

  /** The caller will open no channel: nothing waits for it. */
  withoutChannel(): void {
    this.#hasChannel = false;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  open(channel: Channel): void {
    this.#channel = channel;
    for (const frame of this.#waiting.splice(0)) channel.send(frame);
    this.#waitingBytes = 0;
  }

  text(text: string): void {
    this.#listener?.onText(text);
  }

  /** A server's own connection to the call. */
  attach(side: Connection): ConnectionListener {
    if (this.#sides.size >= MAX_SIDES) side.close(CLOSE_POLICY, 'too many connections to this call');
    else {
      this.#sides.add(side);
      if (this.#session !== null)
        side.send(JSON.stringify({ type: 'session.created', session: this.#session }));
    }
    const isIn = () => this.#sides.has(side);
    return {
      onText: text => isIn() && this.text(text),
      onBinary: bytes => isIn() && this.#listener?.onBinary(bytes),
      // The call goes on without it.
      onClose: () => this.#sides.delete(side),
    };
  }

  send(frame: string | Uint8Array): void {
    const text = typeof frame === 'string' ? frame : Buffer.from(frame).toString();
    this.#remember(text);
    this.#toCaller(text);
    for (const side of this.#sides) {
      if (side.unsentBytes() <= this.#options.maxUnsentBytes) side.send(text);
      else this.#drop(side);
    }
  }

  /** Of the caller's; a slow side connection loses its own. */
  unsentBytes(): number {
    return this.#waitingBytes + (this.#channel?.unsentBytes() ?? 0);
  }

  pauseReading(): void {}

  close(code: number, reason: string): void {
    this.#options.onClose(code, reason);
  }

  /** The call is over. */
  end(code: number, reason: string): void {
    for (const side of this.#sides) side.close(CLOSE_NORMAL, reason);
    this.#sides.clear();
    this.#channel = null;
    const listener = this.#listener;
    this.#listener = null;
    listener?.onClose(code, reason);
  }

  #toCaller(text: string): void {
    const { maxMessageBytes } = this.#options;
    const length = Buffer.byteLength(text);
    this.#pass(
      length > maxMessageBytes ? (withoutSound(text, maxMessageBytes) ?? this.#tooLong(length)) : text,
    );
  }

  #pass(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#channel) this.#channel.send(text);
    else if (this.#hasChannel && this.#waitingBytes + bytes <= MAX_WAITING_BYTES) {
      this.#waiting.push(text);
      this.#waitingBytes += bytes;
    }
  }

  /** The caller's browser would close the channel over it. */
  #tooLong(bytes: number): string {
    const { maxMessageBytes } = this.#options;
    const message = `An event of ${bytes} bytes does not pass the data channel, which takes ${maxMessageBytes}; ask for it over a WebSocket (?call_id=).`;
    const error = { type: 'server_error', code: 'event_too_large', message, param: null, event_id: null };
    return JSON.stringify({ type: 'error', error });
  }

  #remember(text: string): void {
    if (!/^\{"type":"session\.(?:created|updated)"/.test(text)) return;
    this.#session = (JSON.parse(text) as { readonly session: unknown }).session;
  }

  #drop(side: Connection): void {
    this.#sides.delete(side);
    side.close(CLOSE_POLICY, 'it does not read');
  }
}

/** An item that is asked for has its sound with it: where that does not pass, its words do. Null: they do not either. */
function withoutSound(text: string, maxBytes: number): string | null {
  const event = JSON.parse(text) as {
    readonly type: string;
    readonly item?: { readonly content?: object[] };
  };
  if (event.type !== 'conversation.item.retrieved') return null;
  const content = event.item?.content?.map(part => ({ ...part, audio: undefined }));
  const shorter = JSON.stringify({ ...event, item: { ...event.item, content } });
  return Buffer.byteLength(shorter) <= maxBytes ? shorter : null;
}
