/** Messages, packed and cut into parts: to a subject, and from the one who sends to a subject. */
import type { Bus, BusMessage } from './bus.ts';
import { Joiner, partsOf } from './parts.ts';
import { packed, type RemoteMessage, unpacked } from './wire.ts';

/** Where nobody listens to `subject`, `reply` is told. */
export function send(bus: Bus, subject: string, message: RemoteMessage, reply?: string): void {
  for (const part of partsOf(packed(message), bus.maxMessageBytes)) bus.publish(subject, part, reply);
}

export interface LineListener<Message> {
  message(message: Message): void;
  /** Nobody listens to what was sent from here. */
  unheard(): void;
  /** Something came that cannot be read. */
  malformed(error: unknown): void;
}

/** What one sender says. */
export class SenderLine<Message extends RemoteMessage> {
  readonly #listener: LineListener<Message>;
  readonly #joiner = new Joiner();

  constructor(listener: LineListener<Message>) {
    this.#listener = listener;
  }

  hear({ bytes, isUnheard }: BusMessage): void {
    if (isUnheard) {
      this.#listener.unheard();
      return;
    }
    let whole: Uint8Array | null = null;
    let message: RemoteMessage | null = null;
    try {
      whole = this.#joiner.push(bytes);
      if (whole) message = unpacked(whole);
    } catch (error) {
      this.#listener.malformed(error);
    }
    if (message) this.#listener.message(message as Message);
  }
}
