import type { Bus, BusMessage } from '../../kernels/engine/remote/index.ts';

interface Listener {
  readonly subject: string;
  readonly onMessage: (message: BusMessage) => void;
}

/** What NATS does, within the process: messages come later, in their order; where nobody listens the sender is told. */
export class MemoryBus {
  readonly maxMessageBytes: number;
  #listeners: Listener[] = [];
  #last: Promise<void> = Promise.resolve();
  /** Sent so far. */
  published = 0;

  constructor(maxMessageBytes = 4096) {
    this.maxMessageBytes = maxMessageBytes;
  }

  /** A connection of its own: what it listens to ends when it is cut. */
  connect(): Bus & { cut(): void; hang(): void } {
    const own = new Set<Listener>();
    let isCut = false;
    let isHung = false;
    const cut = () => {
      isCut = true;
      this.#listeners = this.#listeners.filter(listener => !own.has(listener));
    };
    return {
      maxMessageBytes: this.maxMessageBytes,
      publish: (subject, bytes, reply) => {
        if (!isCut) this.#send(subject, bytes.slice(), reply);
      },
      subscribe: (subject, onMessage) => {
        const listener = { subject, onMessage: (message: BusMessage) => isHung || onMessage(message) };
        own.add(listener);
        if (!isCut) this.#listeners.push(listener);
        return () => {
          this.#listeners = this.#listeners.filter(each => each !== listener);
        };
      },
      close: async () => cut(),
      cut,
      /** It listens and does nothing. */
      hang: () => {
        isHung = true;
      },
    };
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    for (let seen = -1; seen !== this.published; ) {
      seen = this.published;
      await this.#last;
      await new Promise(setImmediate);
    }
  }

  #send(subject: string, bytes: Uint8Array, reply?: string): void {
    this.published++;
    this.#last = this.#last.then(() => {
      const hearing = this.#listeners.filter(listener => isFor(listener.subject, subject));
      for (const { onMessage } of hearing) onMessage({ subject, bytes, isUnheard: false });
      if (hearing.length > 0 || reply === undefined) return;
      const unheard = { subject: reply, bytes: new Uint8Array(0), isUnheard: true };
      for (const { onMessage } of this.#listeners.filter(({ subject: to }) => isFor(to, reply)))
        onMessage(unheard);
    });
  }
}

function isFor(pattern: string, subject: string): boolean {
  if (!pattern.endsWith('.*')) return pattern === subject;
  const before = pattern.slice(0, -1);
  return subject.startsWith(before) && !subject.slice(before.length).includes('.');
}
