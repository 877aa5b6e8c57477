import type { LanguageModelAnswer, LanguageModelEngine } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { failuresAfter } from '../core/engine-actor.ts';
import type { Address } from '../core/message.ts';
import type { Backlog, Deferred } from './backlog.ts';
import type { Candidate } from './batch-policy.ts';
import type { Context } from './context.ts';
import type { Generation } from './generation.ts';
import type {
  ContextCommand,
  EndReason,
  GenerateCommand,
  LanguageModelOutput,
  PrefillCommand,
  ReplyInput,
} from './messages.ts';
import { BACKLOG, CONVERSATION_OVER, type ErrorSummary, isFull } from './refusals.ts';
import { type Flight, Sequence } from './sequence.ts';

/** How long after its arrival a prefill chunk should be in the cache: the interval of a dense chunk. */
const PREFILL_DUE_MS = 1000;
/** Context kept free for a reply, at most, as a share of the whole. */
const REPLY_ROOM = 0.25;
/** Failures of the engine at the same place before the session is given up. */
const MAX_FAILURES = 3;
/** Of a server that makes whole replies: each try sends the context again while the caller waits. */
const MAX_RETRIES_ELSEWHERE = 1;

export interface ConversationDeps {
  readonly engine: LanguageModelEngine;
  readonly nowMs: () => number;
  readonly emit: (address: Address, output: LanguageModelOutput) => void;
  readonly newGeneration: (address: Address, command: GenerateCommand) => Generation;
  /** True when the session's epoch has risen above the address. */
  readonly isStale: (address: Address) => boolean;
}

type Sampled = NonNullable<LanguageModelAnswer['sampled']>;

/** What of a conversation survives a restart of the actor. */
export interface ConversationRecord {
  readonly context: Context;
  readonly backlog: Backlog;
  /** The running reply, so that it can be ended when its state was lost. */
  running: { readonly address: Address; readonly generationId: string; readonly itemId: string } | null;
}

/** One session at the language model: its context, its cache, the reply being generated. */
export class ModelConversation {
  readonly context: Context;
  readonly sequence: Sequence;
  readonly #deps: ConversationDeps;
  readonly #record: ConversationRecord;
  #generation: Generation | null = null;
  /** The last reply's checkpoint, while it may still be rolled back. */
  #checkpoint: string | null = null;
  /** A cancel that overtook its `generate`. */
  #cancelledAhead: string | null = null;
  #lastAddress: Address;
  #waitingSinceMs = 0;
  #hasNews = false;
  #failures = 0;
  /** Context length at which work failed. */
  #failedAt = 0;
  #isOver = false;

  constructor(address: Address, record: ConversationRecord, deps: ConversationDeps) {
    this.#lastAddress = address;
    this.#record = record;
    this.context = record.context;
    this.sequence = new Sequence(deps.engine);
    this.#deps = deps;
    this.#hasNews = this.context.length > 0;
    if (record.running) this.#guard(() => this.#abandon(record.running!));
  }

  /** Its last step failed: it runs in steps of its own until it is past that place. */
  get isSuspect(): boolean {
    return this.#failures > 0;
  }

  get generation(): Generation | null {
    return this.#generation;
  }

  handle(address: Address, command: ContextCommand): void {
    if (this.#isOver) {
      if (command.type === 'generate') this.#refuse(address, command, CONVERSATION_OVER);
      return;
    }
    this.#lastAddress = address;
    if (command.type === 'prefill' && (this.#generation || !this.#record.backlog.isEmpty)) {
      this.#defer({ address, command });
      return;
    }
    const isEdit = command.type === 'remove' || command.type === 'truncate';
    // What stands before everything is replaced between replies: what takes its place waits, too.
    const isSystem = isEdit && this.#generation !== null && this.context.isSystem(command.itemId);
    if (isEdit && (this.context.standsAside || isSystem) && command.itemId !== this.#generation?.itemId) {
      if (isSystem) this.#record.backlog.forget(command.itemId);
      this.#defer({ address, command });
      return;
    }
    this.#guard(() => this.#apply(address, command));
  }

  cancel(generationId: string): void {
    if (this.#generation?.generationId === generationId) this.#guard(() => this.#stop('cancelled'));
    else if (this.#checkpoint !== generationId) this.#cancelledAhead = generationId;
  }

  /** Ends everything; nothing is emitted but the end of a running reply. */
  close(): void {
    if (this.#generation) this.#end('cancelled');
    this.#isOver = true;
    this.sequence.reset();
  }

  /** What this session wants of the next step; null when its cache is complete. */
  candidate(): (Candidate & { readonly conversation: ModelConversation }) | null {
    if (this.#isOver || this.sequence.isInFlight) return null;
    const generation = this.#generation;
    if (generation && this.#deps.isStale(generation.address)) this.#guard(() => this.#stop('cancelled'));
    const wantsSample = this.#generation !== null;
    const length = this.context.length;
    // A prediction that an edit made useless is asked for again: the last position runs once more.
    if (wantsSample && this.sequence.cached === length) this.sequence.cut(length - 1);
    const pending = length - this.sequence.cached;
    if (pending === 0) return null;
    const isDecode = wantsSample && pending === 1 && this.#generation!.steps > 0;
    const deadlineMs = this.#generation?.deadlineMs ?? this.#waitingSinceMs + PREFILL_DUE_MS;
    return { conversation: this, pending, wantsSample, isDecode, deadlineMs };
  }

  /** The work was done; `sampled` as the engine answered. */
  advance(flight: Flight, of: Generation | null, sampled: Sampled | null): void {
    if (this.#isOver || !this.sequence.arrive(flight)) return;
    if (flight.to >= Math.min(this.#failedAt, this.context.length)) this.#failures = 0;
    if (of && sampled && of === this.#generation) this.#guard(() => this.#recordStep(of, sampled));
    this.#reportPrefilled();
  }

  /** The engine failed under this session's work: build the cache again, or give up. */
  retry(flight: Flight, error: ErrorSummary): void {
    if (this.#isOver || !this.sequence.owns(flight)) return;
    this.sequence.reset();
    this.#hasNews = true;
    this.#failedAt = Math.max(this.#failedAt, flight.to);
    this.#failures = failuresAfter(this.#failures, error);
    const { endReply } = this.#deps.engine;
    if (this.#failures <= (endReply ? MAX_RETRIES_ELSEWHERE : MAX_FAILURES)) return;
    if (endReply && this.#generation) this.#failReply(error);
    else this.fail(error);
  }

  /** Another server did not make it: the reply ends with what there is of it, the conversation goes on. */
  #failReply(error: ErrorSummary): void {
    this.#failures = 0;
    this.#guard(() => this.#stop('failed', error));
  }

  fail(error: ErrorSummary): void {
    if (this.#isOver) return;
    if (this.#generation) this.#end('failed', error);
    this.#isOver = true;
    this.sequence.reset();
    this.#emit({ type: 'failed', code: error.code, message: error.message, fatal: true });
  }

  #apply(address: Address, command: ContextCommand): void {
    switch (command.type) {
      case 'prefill':
        this.#append(address, command);
        break;
      case 'remove':
        if (this.#generation?.itemId === command.itemId) this.#stop('cancelled');
        this.context.remove(command.itemId);
        this.#record.backlog.forget(command.itemId);
        break;
      case 'generate':
        this.#generate(address, command);
        break;
      case 'commit':
        if (this.#checkpoint === command.generationId) this.#checkpoint = null;
        break;
      case 'rollback':
        this.#rollback(command.generationId);
        break;
      case 'truncate':
        if (this.#generation?.itemId === command.itemId) this.#end('cancelled');
        this.#truncate(command);
        break;
      case 'keep':
        this.context.keep(command.itemId, command.rank);
        break;
      case 'truncation':
        this.context.truncation = command.policy;
        break;
    }
    this.#changed();
  }

  #truncate({ itemId, steps, keepsCall }: Extract<ContextCommand, { type: 'truncate' }>): void {
    if (this.context.isReply(itemId)) this.context.truncateReply(itemId, steps, keepsCall);
  }

  #append(address: Address, command: PrefillCommand): void {
    const { itemId, role, positions, after } = command;
    try {
      this.#dropped(this.context.append(itemId, role, address.turn, positions, after));
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#refuseInput(command, error);
    }
  }

  /** It costs itself: the session, and what it has said before, go on. */
  #refuseInput({ itemId, positions }: PrefillCommand, { code, message }: ErrorSummary): void {
    this.#emit({ type: 'refused', itemId, positions, code, message });
  }

  #generate(address: Address, command: GenerateCommand): void {
    if (this.#generation) this.#stop('cancelled');
    const { generationId, itemId, close, header, input } = command;
    const { maxSteps, speech } = command.options;
    if (input) this.context.standAside(input, address.turn);
    const room = Math.min(maxSteps, Math.floor(this.context.limit * REPLY_ROOM));
    try {
      const reply = { generationId, itemId, turn: address.turn, close, header, speech };
      this.#dropped(this.context.openReply(reply, room));
    } catch (error) {
      this.context.comeBack();
      if (error instanceof RuntimeError) this.#refuse(address, command, error);
      if (isFull(error)) return;
      throw error;
    }
    this.#generation = this.#deps.newGeneration(address, command);
    this.sequence.follow(this.context);
    const cached = this.context.count(this.sequence.cached);
    this.#generation.input = { all: this.context.count(this.context.length), cached };
    this.#record.running = { address, generationId, itemId };
    this.#checkpoint = command.generationId;
    if (this.#cancelledAhead === command.generationId) this.#stop('cancelled');
    this.#cancelledAhead = null;
  }

  /** A reply that cannot begin ends all the same. */
  #refuse(
    address: Address,
    { generationId, itemId }: GenerateCommand,
    { code, message }: ErrorSummary,
  ): void {
    const error = { code, message };
    const counts = { steps: 0, textSteps: 0, textDelta: '' };
    this.#deps.emit(address, { type: 'ended', generationId, itemId, reason: 'failed', ...counts, error });
  }

  #rollback(generationId: string): void {
    if (this.#checkpoint !== generationId) return;
    this.#checkpoint = null;
    this.context.rollback(generationId);
    if (this.#generation?.generationId === generationId) this.#end('rolled-back');
  }

  #recordStep(generation: Generation, sampled: Sampled): void {
    if (this.#deps.isStale(generation.address)) {
      this.#stop('cancelled');
      return;
    }
    const index = generation.steps;
    const { step, state, isCall } = generation.accept(sampled.text, sampled.codes);
    let dropped: readonly string[];
    try {
      dropped = this.context.record(generation.itemId, step, isCall);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#stop('context-full');
      return;
    }
    this.#dropped(dropped);
    const textDelta = generation.text.push(step.textId);
    const { generationId, itemId } = generation;
    const { textId, codes } = step;
    this.#deps.emit(generation.address, {
      type: 'step',
      generationId,
      itemId,
      index,
      textId,
      textDelta,
      codes,
      state,
      isCall,
      waitProbability: sampled.waitProbability ?? null,
      input: index === 0 ? this.#inputOf(generation, sampled) : null,
      handover: (index === 0 && sampled.handover) || null,
      ...(sampled.hopMs !== undefined && { hopMs: sampled.hopMs }),
    });
    if (generation !== this.#generation) return; // The listener ended it.
    if (state === 'end') {
      this.context.closeReply(itemId);
      this.#end('ended');
    } else if (generation.steps >= generation.options.maxSteps) this.#stop('max-steps');
    this.#changed();
  }

  /** A server that was given the context says itself what it had of it. */
  #inputOf({ input }: Generation, { handover }: Sampled): ReplyInput | null {
    return input && handover ? { ...input, cached: this.context.count(handover.cachedPositions) } : input;
  }

  /** Ends the running reply and closes it after all its steps. */
  #stop(reason: EndReason, error: ErrorSummary | null = null): void {
    const generation = this.#generation!;
    this.context.truncateReply(generation.itemId, generation.steps, true);
    this.#end(reason, error);
    this.#changed();
  }

  #end(reason: EndReason, error: ErrorSummary | null = null): void {
    const generation = this.#generation!;
    this.#generation = null;
    this.#record.running = null;
    this.sequence.endReply();
    const { generationId, itemId, steps, textSteps } = generation;
    this.#dropped(this.context.comeBack());
    const textDelta = reason === 'rolled-back' ? '' : generation.text.flush();
    const counts = { steps, textSteps, textDelta };
    this.#deps.emit(generation.address, { type: 'ended', generationId, itemId, reason, ...counts, error });
  }

  /** A reply whose state was lost with the actor: what was generated stays, its end is told. */
  #abandon({ address, generationId, itemId }: NonNullable<ConversationRecord['running']>): void {
    this.#record.running = null;
    this.context.truncateReply(itemId, Number.MAX_SAFE_INTEGER, true);
    const steps = this.context.stepsOf(itemId);
    this.#dropped(this.context.comeBack());
    const error = { code: 'actor.restarted', message: 'The language model was restarted during the reply.' };
    this.#deps.emit(address, {
      type: 'ended',
      generationId,
      itemId,
      reason: 'failed',
      steps,
      textSteps: steps,
      textDelta: '',
      error,
    });
    this.#changed();
  }

  /** After any change of the context: the cache follows, and what waited for the reply's end is applied. */
  #changed(): void {
    while (!this.#generation && !this.#record.backlog.isEmpty) {
      const { address, command } = this.#record.backlog.next()!;
      if (command.type === 'prefill') this.#append(address, command);
      else if (command.type === 'remove') this.context.remove(command.itemId);
      else this.#truncate(command);
    }
    this.sequence.follow(this.context);
    if (!this.#hasNews) this.#waitingSinceMs = this.#deps.nowMs();
    this.#hasNews = true;
  }

  #defer(deferred: Deferred): void {
    const { command } = deferred;
    if (!this.#record.backlog.add(deferred) && command.type === 'prefill')
      this.#refuseInput(command, BACKLOG);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.sequence.follow(this.context);
      this.#emit({ type: 'failed', code: error.code, message: error.message, fatal: false });
    }
  }

  #reportPrefilled(): void {
    if (!this.#hasNews || this.#generation || this.sequence.cached !== this.context.length) return;
    this.#hasNews = false;
    this.#emit({ type: 'prefilled', positions: this.context.length });
  }

  #dropped(itemIds: readonly string[]): void {
    if (itemIds.length > 0) this.#emit({ type: 'dropped', itemIds });
  }

  #emit(output: LanguageModelOutput): void {
    this.#deps.emit(this.#lastAddress, output);
  }
}
