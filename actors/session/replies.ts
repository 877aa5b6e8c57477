import type { Reply } from './reply.ts';

/** The replies of a session that are generated, sent or not yet heard, oldest first. */
export class Replies {
  readonly #byItem = new Map<string, Reply>();

  add(reply: Reply): void {
    this.#byItem.set(reply.itemId, reply);
  }

  /** Nothing of it is to be heard any more. */
  delete(itemId: string): void {
    this.#byItem.delete(itemId);
  }

  /** All of them, which are none any more. */
  takeAll(): Reply[] {
    const all = [...this.#byItem.values()];
    this.#byItem.clear();
    return all;
  }

  get(itemId: string): Reply | undefined {
    return this.#byItem.get(itemId);
  }

  get size(): number {
    return this.#byItem.size;
  }

  /** The reply that a client may cancel. */
  get active(): Reply | null {
    return this.#first(reply => reply.isDelivering);
  }

  /** The reply that was begun before the endpoint. */
  get speculative(): Reply | null {
    return this.#first(reply => reply.isSpeculative);
  }

  /** One is not complete at play-out yet. */
  get busy(): boolean {
    return this.#first(reply => !reply.isTold) !== null;
  }

  /** The reply that an output of the language model belongs to, unless it was dropped or a client stopped it. */
  of({ generationId, itemId }: { readonly generationId: string; readonly itemId: string }): Reply | null {
    const reply = this.#byItem.get(itemId);
    return reply && reply.generationId === generationId && !reply.isCancelled ? reply : null;
  }

  /** The same for an output of the GAN decoder. */
  ofGeneration(generationId: string): Reply | null {
    return this.#first(reply => reply.generationId === generationId && !reply.isCancelled);
  }

  /** One that need not be said to its end any more. */
  get outdated(): Reply | null {
    return this.#first(reply => reply.isOutdated);
  }

  #first(isMeant: (reply: Reply) => boolean): Reply | null {
    for (const reply of this.#byItem.values()) if (isMeant(reply)) return reply;
    return null;
  }
}
