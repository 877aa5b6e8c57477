/**
 * How replies are asked of the language model, when all that comes before them is in the context, and called off again.
 */
import type { Positions } from '../../kernels/engine/index.ts';
import type { ContextQueue, Ticket } from './context-queue.ts';
import type { Line } from './line.ts';
import type { Reply } from './reply.ts';
import type { GenerateRequest } from './user-turn.ts';

export class GenerationRequests {
  readonly #line: Line;
  readonly #queue: ContextQueue;
  /** Of replies that have not been asked for yet, by item. */
  readonly #tickets = new Map<string, Ticket>();

  constructor(line: Line, queue: ContextQueue) {
    this.#line = line;
    this.#queue = queue;
  }

  /** With `compose` the reply waits also for what it is made from. */
  ask(
    reply: Reply,
    request: GenerateRequest,
    compose: ((done: (input: Positions) => void) => void) | null,
  ): void {
    let input: Positions | null = null;
    const ticket = this.#queue.defer(() => {
      this.#tickets.delete(reply.itemId);
      const { generationId, itemId, header, options } = request;
      const of = input ? { input } : {};
      this.#line.languageModel('context', {
        type: 'generate',
        generationId,
        itemId,
        close: null,
        header,
        ...of,
        options,
      });
      this.#line.languageModel('context', { type: 'commit', generationId: reply.generationId });
    });
    this.#tickets.set(reply.itemId, ticket);
    if (!compose) ticket.ready();
    else {
      compose(composed => {
        input = composed;
        ticket.ready();
      });
    }
  }

  /** The language model need not go on with the reply, nor begin it. */
  callOff(reply: Reply): void {
    const ticket = this.#tickets.get(reply.itemId);
    this.#tickets.delete(reply.itemId);
    ticket?.cancel();
    if (reply.endReason === null && !ticket)
      this.#line.languageModel('control', { type: 'cancel', generationId: reply.generationId });
  }
}
