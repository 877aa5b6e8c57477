/**
 * What a reply calls: handed to where it is run, shown to whoever else is to run it, and what is said before it held
 * back for a while.
 */
import type { Clock, Timer } from '../core/clock.ts';
import type { SessionEvent, SessionSettings } from '../session-api.ts';
import type { ArgumentStream } from '../tools/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import type { Reply } from './reply.ts';
import type { Work } from './work.ts';

export interface ReplyCallsDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly settings: () => SessionSettings;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  readonly makeRoom: () => void;
  readonly work: Work;
}

export class ReplyCalls {
  readonly #deps: ReplyCallsDeps;
  /** Of each that was told before it was complete. */
  readonly #told = new WeakMap<
    ArgumentStream,
    { readonly callId: string; readonly itemId: string; readonly length: number }
  >();
  /** What it says before its calls waits for their results. */
  #held: { readonly reply: Reply; readonly timer: Timer } | null = null;

  constructor(deps: ReplyCallsDeps) {
    this.#deps = deps;
  }

  /** Calls that became complete with the last step. */
  decoded(reply: Reply): void {
    const { line, work } = this.#deps;
    for (const call of reply.takeCalls()) if (work.knows(reply, call.name)) work.decoded(reply, call);
    this.tellArguments(reply);
    if (reply.isFullOfCalls && reply.endReason === null)
      line.languageModel('control', { type: 'cancel', generationId: reply.generationId });
  }

  /**
   * Calls that whoever holds the session is to run, while the model still writes them; where something is said first,
   * not before that has left (`show`). They are calls only once they are shown.
   */
  tellArguments(reply: Reply): void {
    if (!reply.tellsCallsAtOnce) return;
    const { emit, newId, work } = this.#deps;
    for (const stream of reply.argumentStreams) {
      const { name, text } = stream;
      if (name === null || work.knows(reply, name)) continue;
      const told = this.#told.get(stream) ?? { callId: newId('call'), itemId: newId('item'), length: -1 };
      if (text.length <= told.length) continue;
      const delta = text.slice(Math.max(0, told.length));
      this.#told.set(stream, { ...told, length: text.length });
      const { callId, itemId } = told;
      emit({ type: 'response.call.delta', responseId: reply.responseId, itemId, callId, name, delta });
    }
  }

  /** The reply has made its last step. What was to become a call and is none the context forgets. */
  ended(reply: Reply): void {
    const { line, queue, work } = this.#deps;
    const { itemId, transcript } = reply;
    this.decoded(reply);
    if (reply.hasLostCall)
      queue.push(() => line.languageModel('context', { type: 'truncate', itemId, steps: transcript.steps }));
    work.ended(reply);
  }

  /**
   * A reply that ends with calls of this process need not say that it waits for the results, if they are there soon:
   * false where it has to be shown now; else `show` is called when it took too long.
   */
  wait(reply: Reply, show: () => void): boolean {
    const { clock, settings, work } = this.#deps;
    const onlyHere = reply.calls.length > 0 && reply.calls.every(({ name }) => work.knows(reply, name));
    if (!onlyHere || reply.endReason === null) return false;
    const timer = clock.setTimer(settings().toolPolicy.fillerAfterMs, () => {
      if (!this.waits(reply)) return;
      this.#held = null;
      show();
    });
    this.#held = { reply, timer };
    return true;
  }

  waits(reply: Reply): boolean {
    return this.#held?.reply === reply;
  }

  letGo(): void {
    this.#held?.timer.cancel();
    this.#held = null;
  }

  /**
   * All before them has left: calls that whoever holds the session is to run are shown now, because an interrupted
   * reply has called nothing. True where there are no calls at all.
   */
  show(reply: Reply): boolean {
    const { conversation, emit, makeRoom, newId, work } = this.#deps;
    if (reply.calls.length === 0) return true;
    if (reply.status().kind !== 'completed' || !reply.isDelivering) return false;
    for (const [i, call] of reply.calls.entries()) {
      if (work.knows(reply, call.name)) continue;
      reply.keepsCall = true;
      makeRoom();
      const stream = reply.argumentStreams[i];
      const told = this.#told.get(stream);
      const [callId, id] = told ? [told.callId, told.itemId] : [newId('call'), newId('item')];
      const name = (told && stream.name) ?? call.name;
      const argumentsJson = told ? stream.text : JSON.stringify(call.arguments);
      const content = [{ type: 'call', callId, name, argumentsJson }] as const;
      const item = conversation.add({ id, role: 'assistant', content }, 'completed');
      conversation.standsFor(item.id, reply.itemId);
      emit({ type: 'response.call', responseId: reply.responseId, item });
    }
    return false;
  }
}
