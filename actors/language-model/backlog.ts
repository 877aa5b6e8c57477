import type { Address } from '../core/message.ts';
import type { ContextCommand } from './messages.ts';

/** Commands that may wait for a running reply to end. */
export const MAX_DEFERRED = 256;

export interface Deferred {
  readonly address: Address;
  readonly command: Extract<ContextCommand, { type: 'prefill' | 'remove' | 'truncate' }>;
}

/** What a session is told while a reply is made, and applied when it has ended. */
export class Backlog {
  #waiting: Deferred[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** False: there is no room for more input. Edits, which free some, always find room. */
  add(deferred: Deferred): boolean {
    if (this.#waiting.length >= MAX_DEFERRED && deferred.command.type === 'prefill') return false;
    this.#waiting.push(deferred);
    return true;
  }

  next(): Deferred | undefined {
    return this.#waiting.shift();
  }

  /** The item is gone, and what was to become of it. */
  forget(itemId: string): void {
    this.#waiting = this.#waiting.filter(({ command }) => command.itemId !== itemId);
  }
}
