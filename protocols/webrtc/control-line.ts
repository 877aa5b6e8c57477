/**
 * The control of one call, on one line for all that speak to it: the caller's data channel and the side connections of
 * servers (docs/spec/webrtc.md §1). What the session says goes to each; what any of them says, the session hears.
 */
import type { Connection, ConnectionListener } from '../connection.ts';
import type { ChannelEvents } from './channel-events.ts';

/** What is said before the caller's channel opens waits, up to this. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_SIDES = 8;
const CLOSE_POLICY = 1008;
const CLOSE_NORMAL = 1000;

export interface ControlChannel {
  send(text: string): void;
  unsentBytes(): number;
}

export interface ControlLineOptions {
  readonly maxMessageBytes: number;
  readonly maxUnsentBytes: number;
  readonly events: ChannelEvents;
  /** The session's end of the line asks for the end of the call. */
  readonly onClose: (code: number, reason: string) => void;
}

export class ControlLine implements Connection {
  readonly #options: ControlLineOptions;
  readonly #sides = new Set<Connection>();
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #channel: ControlChannel | null = null;
  #hasChannel = true;
  #listener: ConnectionListener | null = null;
  /** For a newcomer: the last that the session said of itself. */
  #greeting: string | null = null;

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

  open(channel: ControlChannel): void {
    this.#channel = channel;
    for (const frame of this.#waiting.splice(0)) channel.send(frame);
    this.#waitingBytes = 0;
  }

  /** From the caller. */
  text(text: string): void {
    const refusal = this.#options.events.refusalOf?.(text) ?? null;
    if (refusal === null) this.#listener?.onText(text);
    else this.#pass(refusal);
  }

  get hasSides(): boolean {
    return this.#sides.size > 0;
  }

  /** A server's own connection to the call. */
  attach(side: Connection): ConnectionListener {
    if (this.#sides.size >= MAX_SIDES) side.close(CLOSE_POLICY, 'too many connections to this call');
    else {
      this.#sides.add(side);
      if (this.#greeting !== null) side.send(this.#greeting);
    }
    const isIn = () => this.#sides.has(side);
    return {
      onText: text => isIn() && this.#listener?.onText(text),
      onBinary: bytes => isIn() && this.#listener?.onBinary(bytes),
      // The call goes on without it.
      onClose: () => this.#sides.delete(side),
    };
  }

  send(frame: string | Uint8Array): void {
    const text = typeof frame === 'string' ? frame : Buffer.from(frame).toString();
    const { events } = this.#options;
    this.#greeting = events.greeting(text) ?? this.#greeting;
    if (events.isForCaller?.(text) ?? true) this.#toCaller(text);
    this.toSides(text);
  }

  /** What is none of the caller's. */
  toSides(text: string): void {
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
    const listener = this.#listener;
    this.#listener = null;
    // It may have a last word.
    listener?.onClose(code, reason);
    for (const side of this.#sides) side.close(CLOSE_NORMAL, reason);
    this.#sides.clear();
    this.#channel = null;
  }

  #toCaller(text: string): void {
    const { maxMessageBytes, events } = this.#options;
    const bytes = Buffer.byteLength(text);
    this.#pass(bytes > maxMessageBytes ? events.shortened(text, bytes, maxMessageBytes) : text);
  }

  #pass(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#channel) this.#channel.send(text);
    else if (this.#hasChannel && this.#waitingBytes + bytes <= MAX_WAITING_BYTES) {
      this.#waiting.push(text);
      this.#waitingBytes += bytes;
    }
  }

  #drop(side: Connection): void {
    this.#sides.delete(side);
    side.close(CLOSE_POLICY, 'it does not read');
  }
}
