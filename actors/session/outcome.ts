/**
 * What becomes of a reply when it is over: the outside is told how it ended, the context keeps what was heard
 * (ARCHITECTURE.md §4 "Truth"), the turn's account is closed. A reply that is over may still be cut by a client's
 * report.
 */
import type { ModelDescription } from '../../kernels/engine/index.ts';
import type { TokenCount } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import type { Cut, HeardLedger } from '../play-out/index.ts';
import type { ResponseStatus, SessionEvent, SessionSettings } from '../session-api.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import type { Reply } from './reply.ts';

export interface OutcomeDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly ledger: HeardLedger;
  readonly model: ModelDescription;
  readonly settings: () => SessionSettings;
  readonly emit: (event: SessionEvent) => void;
}

/** Replies that a report may still cut. */
const MAX_PAST = 32;

export class Outcome {
  readonly #deps: OutcomeDeps;
  readonly #past = new Map<string, Reply>();

  constructor(deps: OutcomeDeps) {
    this.#deps = deps;
  }

  past(itemId: string): Reply | undefined {
    return this.#past.get(itemId);
  }

  /** Cut or given up. Of all others the far end plays the rest: reports that lag take nothing away from them. */
  readonly #stopped = new WeakSet<Reply>();
  /** What a reply that was cut to nothing had taken of the context. */
  readonly #emptied = new WeakMap<Reply, TokenCount>();

  /**
   * The outside is told how it ended, unless it was before, or knows nothing of the reply.
   *
   * @param heardSamples when it is known already that no more than that will be
   */
  end(
    reply: Reply,
    by: 'sent' | 'cancel' | 'cut',
    status: ResponseStatus,
    heardSamples = Number.POSITIVE_INFINITY,
  ): void {
    if (!reply.on(by)) return;
    const { conversation, emit } = this.#deps;
    const { itemId, responseId } = reply;
    if (conversation.find(itemId)) {
      const content = reply.content(this.#cut(reply, heardSamples).text, heardSamples);
      const item = conversation.update(itemId, {
        status: status.kind === 'completed' ? 'completed' : 'incomplete',
        content,
      });
      emit({ type: 'item.done', item });
    }
    emit({ type: 'response.done', responseId, itemId, status, usage: reply.usage() });
  }

  /** The reply is over: the context keeps what was heard, the turn's account is closed. */
  settle(reply: Reply, heardSamples: number, stopped: boolean): void {
    const { clock, emit } = this.#deps;
    if (stopped) {
      this.#cutHistory(reply, heardSamples);
      this.#stopped.add(reply);
    }
    reply.account.note('end', clock.nowMs());
    const firstMs = this.#deps.ledger.firstPlaysAtMs(reply.itemId);
    if (firstMs !== null && heardSamples > 0) reply.account.firstAudioWas(firstMs);
    const text = stopped ? this.#kept(reply, heardSamples).text : reply.transcript.text.trim();
    const heardMs = this.#ms(heardSamples);
    emit({
      type: 'turn.trace',
      trace: reply.account.trace({
        text,
        interrupted: stopped && !this.#isWhole(reply, heardSamples),
        heardMs,
      }),
    });
    this.#past.set(reply.itemId, reply);
    const [oldest] = this.#past.keys();
    if (this.#past.size > MAX_PAST) this.forget(oldest);
  }

  /** Nobody is told any more, and nothing will be asked of the context. */
  leave(reply: Reply, heardSamples: number): void {
    const { conversation } = this.#deps;
    const { itemId } = reply;
    if (!conversation.find(itemId)) return;
    const isWhole = this.#isWhole(reply, heardSamples);
    const content = reply.content(this.#kept(reply, heardSamples).text, heardSamples);
    conversation.update(itemId, { status: isWhole ? 'completed' : 'incomplete', content });
  }

  /** A client's word on how much was heard of a reply that is over. */
  truncate(reply: Reply, samples: number): void {
    this.#cutHistory(reply, this.#deps.ledger.stoppedAt(reply.itemId, samples));
    this.#stopped.add(reply);
  }

  /**
   * The transport's word on how much left towards the ear. A first report that comes after the interruption and says
   * less than was assumed takes the rest out of the context.
   */
  report(itemId: string, samples: number, atMs: number, firstAtMs?: number): void {
    const { ledger } = this.#deps;
    const reply = this.#past.get(itemId);
    if (reply && !this.#stopped.has(reply)) return;
    const before = ledger.heardSamples(itemId);
    ledger.report(itemId, samples, atMs);
    if (firstAtMs !== undefined) ledger.firstPlayed(itemId, firstAtMs);
    const heard = ledger.heardSamples(itemId);
    if (reply?.modality === 'audio' && heard < before) this.#cutHistory(reply, heard);
  }

  forget(itemId: string): void {
    this.#past.delete(itemId);
    this.#deps.ledger.forget(itemId);
  }

  #cutHistory(reply: Reply, heardSamples: number): void {
    const { conversation, emit, line, queue } = this.#deps;
    const { itemId } = reply;
    const isWhole = this.#isWhole(reply, heardSamples);
    const { steps, text } = this.#kept(reply, heardSamples);
    // Of what is whole and was never cut there is nothing to change.
    if (!isWhole || this.#stopped.has(reply)) {
      const { keepsCall } = reply;
      queue.push(() => line.languageModel('context', { type: 'truncate', itemId, steps, keepsCall }));
      if (!keepsCall) this.#account(reply, steps);
    }
    if (!conversation.find(itemId)) return;
    const status = isWhole && reply.status().kind === 'completed' ? 'completed' : 'incomplete';
    conversation.update(itemId, { status, content: reply.content(text, heardSamples) });
    const audioEndMs = Math.floor(this.#ms(heardSamples));
    if (reply.modality === 'audio') emit({ type: 'item.truncated', itemId, audioEndMs, text });
  }

  /** Cut to nothing it leaves the context; what the far end says later may bring it back. */
  #account(reply: Reply, steps: number): void {
    const { conversation } = this.#deps;
    const { itemId } = reply;
    const tokens = this.#emptied.get(reply);
    if (steps === 0 && !tokens) {
      this.#emptied.set(reply, conversation.tokensOf(itemId));
      conversation.leftContext(itemId);
    } else if (steps > 0 && tokens) {
      this.#emptied.delete(reply);
      conversation.restoreTokens(itemId, tokens);
    }
  }

  /** Every sample there is of it was heard. */
  #isWhole(reply: Reply, heardSamples: number): boolean {
    return reply.isAllSent && !reply.good && heardSamples >= this.#deps.ledger.sentSamples(reply.itemId);
  }

  #kept(reply: Reply, heardSamples: number): Cut {
    if (!this.#isWhole(reply, heardSamples)) return this.#cut(reply, heardSamples);
    return { steps: reply.transcript.steps, text: reply.transcript.text.trim() };
  }

  #cut(reply: Reply, heardSamples: number): Cut {
    return reply.cut(this.#ms(heardSamples), this.#deps.settings().truncateAt);
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#deps.model.outputSampleRate;
  }
}
