import { type Positions, textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { TokenCount } from '../chunk-interleaver/index.ts';
import { callEnd, closingStep, type Step } from './closing.ts';
import { type ContextItem, ItemList, type ReplyRecord } from './item-list.ts';
import type { ItemRole, KeepRank, TruncationPolicy } from './messages.ts';
import {
  countPositions,
  type PadIds,
  type PositionLayout,
  PositionRun,
  REPLY_CAPACITY,
} from './position-run.ts';
import { type Reminder, remind } from './reminder.ts';
import { dropOldTurns, type KeptTurns, limitOf } from './room.ts';

export interface ContextSettings extends PositionLayout {
  /** The cache never grows beyond this. */
  readonly maxPositions: number;
  readonly eos: number;
  readonly pause: number;
  readonly pads: PadIds;
  /** Token ids of the newline that closes a turn. */
  readonly newline: readonly number[];
  /** Absent: what is kept stays where it was said. */
  readonly reminder?: Reminder | null;
}

export interface NewReply {
  readonly generationId: string;
  readonly itemId: string;
  readonly turn: number;
  readonly close: Positions | null;
  readonly header: Positions;
  readonly speech: boolean;
}

interface ReplyItem {
  readonly item: ContextItem;
  readonly reply: ReplyRecord;
}

const NOTHING: readonly string[] = [];
/** Not an id that items can have. */
const INPUT_ITEM = '';

/**
 * What one session's conversation is, in positions: the truth outside the engine, from which a cache can be built
 * again. Every change says from which position on the cache is stale (`takeEdit`).
 *
 * Full: the oldest turns go (`room.ts`). What would not fit even then is refused with `context.full`, and nothing goes
 * for its sake.
 */
export class Context {
  readonly #settings: ContextSettings;
  truncation: TruncationPolicy = { mode: 'auto' };
  #items = new ItemList();
  /** By turn. */
  readonly #kept: KeptTurns = new Map();
  /** The conversation while a reply is made from something else. */
  #aside: ItemList | null = null;

  constructor(settings: ContextSettings) {
    this.#settings = settings;
  }

  get length(): number {
    return this.#items.length;
  }

  get itemIds(): string[] {
    return this.#items.items.map(item => item.itemId);
  }

  /**
   * First position at which the content changed since the last call, other than by growing; Infinity if it only grew.
   */
  takeEdit(): number {
    return this.#items.takeEdit();
  }

  /**
   * Copies positions from `from` (which exists), at most up to `to`, as far as one rule of docs/spec/model.md §1.6
   * applies to them.
   */
  slice(from: number, to: number): Positions {
    return this.#items.slice(from, to);
  }

  /** The first `to` positions by what they carry. */
  count(to: number): TokenCount {
    return this.#items.count(to, this.#settings.pads);
  }

  /**
   * Appends to an item, or creates it at the end or after `after`. Returns the items that had to go. @throws
   * `context.full`
   */
  append(
    itemId: string,
    role: ItemRole,
    turn: number,
    positions: Positions,
    after?: string | null,
  ): readonly string[] {
    const count = countPositions(positions, this.#settings);
    if (role === 'user' && after === undefined && turn > (this.#items.last?.turn ?? turn)) this.#remind();
    const dropped = this.makeRoom(count, turn);
    // What is put behind an item belongs to its turn, and goes with it.
    const of = (typeof after === 'string' && this.#items.find(after)?.turn) || turn;
    let item = this.#items.find(itemId);
    if (!item) {
      item = { itemId, role, turn: of, run: new PositionRun(this.#settings), reply: null };
      this.#items.insert(item, after);
    }
    this.#items.append(item, positions);
    return dropped;
  }

  /** From now on the turn of this item, if there is one, stays before others. */
  keep(itemId: string, rank: KeepRank): void {
    const turn = (this.#aside ?? this.#items).find(itemId)?.turn;
    if (turn !== undefined && rank > (this.#kept.get(turn) ?? 0)) this.#kept.set(turn, rank);
  }

  /** False when there is no such item. */
  remove(itemId: string): boolean {
    const item = this.#items.find(itemId);
    if (!item) return false;
    this.#items.remove(item);
    // Else a client that adds and deletes for ever would be remembered for ever.
    if (this.#items.items.every(({ turn }) => turn !== item.turn)) this.#kept.delete(item.turn);
    return true;
  }

  get standsAside(): boolean {
    return this.#aside !== null;
  }

  /** The conversation stands aside: the reply that is opened next is made from `input` alone. */
  standAside(input: Positions, turn: number): void {
    const run = new PositionRun(this.#settings);
    run.append(input);
    this.#aside = this.#items;
    this.#items = new ItemList();
    this.#items.push({ itemId: INPUT_ITEM, role: 'user', turn, run, reply: null });
    this.#items.markAll();
  }

  /** The conversation as it was, and the reply at its end. Returns the items that had to go. */
  comeBack(): readonly string[] {
    if (!this.#aside) return NOTHING;
    const reply = this.#items.items.find(item => item.reply !== null);
    this.#items = this.#aside;
    this.#aside = null;
    this.#items.markAll();
    if (!reply) return NOTHING;
    this.#items.push(reply);
    const dropped = this.#dropFor(0, 0, reply.turn);
    if (this.length <= this.limit) return dropped;
    this.#items.remove(reply);
    return [...dropped, reply.itemId];
  }

  /** Appends the tail of a reply; `room` more positions are kept free for its steps where dropping turns can do it. */
  openReply(reply: NewReply, room: number): string[] {
    const closeCount = reply.close ? countPositions(reply.close, this.#settings) : 0;
    const tail = closeCount + countPositions(reply.header, this.#settings);
    if (tail === closeCount)
      throw new RuntimeError('context.malformed', 'A reply needs a header.', { itemId: reply.itemId });
    const dropped = this.#dropFor(tail, tail + room, reply.turn);
    if (this.length + tail > this.limit) throw this.#full(tail);
    const { last } = this.#items;
    const takesClose = closeCount > 0 && last?.role === 'user' ? last : null;
    const closed = takesClose ? { itemId: takesClose.itemId, length: takesClose.run.length } : null;
    const run = new PositionRun(this.#settings, REPLY_CAPACITY);
    if (reply.close && takesClose) this.#items.append(takesClose, reply.close);
    else if (reply.close && closeCount > 0) run.append(reply.close);
    const keptLength = run.length;
    run.append(reply.header);
    const { itemId, turn, generationId, header, speech } = reply;
    const record: ReplyRecord = {
      generationId,
      speech,
      headerLength: run.length,
      keptLength,
      closed,
      header,
      steps: [],
      call: [],
      cutSteps: [],
    };
    this.#items.push({ itemId, role: 'assistant', turn, run, reply: record });
    return dropped;
  }

  /** Adds a recorded step to a reply that stands last. Returns the items that had to go. @throws `context.full` */
  record(itemId: string, step: Step, isCall = false): readonly string[] {
    const { item, reply } = this.#replyOf(itemId);
    const dropped = this.makeRoom(1 + this.#closingLength + (isCall ? 1 : 0), item.turn);
    if (isCall) reply.call.push(step);
    else reply.steps.push(step);
    this.#items.appendStep(item, step);
    return dropped;
  }

  /**
   * The reply ended by itself: all its steps are true, the newline ends the turn (docs/spec/model.md §1.9, history
   * consequence).
   */
  closeReply(itemId: string): void {
    this.#items.append(this.#replyOf(itemId).item, textPositions(this.#settings.newline));
  }

  /**
   * Keeps `steps` steps and closes the reply (docs/spec/model.md §6.5). Steps that were cut before come back if more
   * are asked for and there is room for them without dropping anything. `keepsCall`: the calls stay, behind whatever
   * was heard.
   */
  truncateReply(itemId: string, steps: number, keepsCall = false): void {
    const { item, reply } = this.#replyOf(itemId);
    if (!keepsCall) reply.call = [];
    const all = [...reply.steps, ...reply.cutSteps];
    const kept = this.#keepable(item, reply, Math.max(0, Math.min(Math.floor(steps), all.length)));
    const next = all.at(kept);
    const stands = Math.min(kept, reply.steps.length);
    this.#items.cut(item, stands === 0 ? reply.keptLength : reply.headerLength + stands);
    const isEmpty = kept === 0 && reply.call.length === 0;
    if (!isEmpty && stands === 0) this.#items.append(item, reply.header);
    reply.steps.splice(0, reply.steps.length, ...all.slice(0, kept));
    reply.cutSteps = all.slice(kept);
    // An empty reply stays as a place: a rollback may still have to undo its `close`.
    if (isEmpty) return;
    const closing = closingStep(reply, next, this.#settings);
    const ends = [...closing, ...reply.call, ...callEnd(reply, this.#settings)];
    for (const step of [...all.slice(stands, kept), ...ends]) this.#items.appendStep(item, step);
    this.#items.append(item, textPositions(this.#settings.newline));
  }

  /** As if the reply had never been opened. False when there is no such reply. */
  rollback(generationId: string): boolean {
    const item = this.#items.items.find(({ reply }) => reply?.generationId === generationId);
    if (!item?.reply) return false;
    const { closed } = item.reply;
    this.#items.remove(item);
    const user = closed && this.#items.find(closed.itemId);
    if (user) this.#items.cut(user, closed.length);
    return true;
  }

  isSystem(itemId: string): boolean {
    return this.#items.find(itemId)?.role === 'system';
  }

  isReply(itemId: string): boolean {
    return this.#items.find(itemId)?.reply != null;
  }

  /** Recorded steps of a reply that are in the context. */
  stepsOf(itemId: string): number {
    const { reply } = this.#replyOf(itemId);
    return reply.steps.length + reply.call.length;
  }

  /** Drops oldest turns where `count` more positions would not fit. @throws `context.full` */
  makeRoom(count: number, turn: number): readonly string[] {
    const limit = this.truncation.mode === 'retain' ? this.limit : this.#settings.maxPositions;
    if (this.length + count <= limit) return NOTHING;
    const dropped = this.#dropFor(count, count, turn);
    if (this.length + count > limit) throw this.#full(count);
    return dropped;
  }

  /** Positions that there may be. */
  get limit(): number {
    return limitOf(this.#items, this.truncation, this.#settings.maxPositions);
  }

  #remind(): void {
    const { reminder } = this.#settings;
    if (reminder) remind(this.#items, this.#kept, this.limit, reminder);
  }

  #dropFor(needed: number, wanted: number, currentTurn: number): string[] {
    const { maxPositions } = this.#settings;
    const room = { needed, wanted, currentTurn };
    return dropOldTurns(this.#items, this.truncation, maxPositions, room, this.#kept);
  }

  /** All of the wanted steps, or as many as stand there already where more would not fit. */
  #keepable(item: ContextItem, reply: ReplyRecord, wanted: number): number {
    if (wanted <= reply.steps.length) return wanted;
    const header = reply.headerLength - reply.keptLength;
    const calls = reply.call.length === 0 ? 0 : reply.call.length + 1;
    const grown = reply.keptLength + header + wanted + calls + this.#closingLength - item.run.length;
    return this.length + grown <= this.#settings.maxPositions ? wanted : reply.steps.length;
  }

  get #closingLength(): number {
    return 1 + this.#settings.newline.length;
  }

  #replyOf(itemId: string): ReplyItem {
    const item = this.#items.find(itemId);
    if (!item?.reply)
      throw new RuntimeError('context.no-reply', 'The item is not a reply in this context.', { itemId });
    return { item, reply: item.reply };
  }

  #full(count: number): RuntimeError {
    const values = { positions: this.length, more: count, maxPositions: this.#settings.maxPositions };
    const remedy = 'Shorten it, delete items, or bound the tokens of a picture.';
    return new RuntimeError('context.full', 'It does not fit into the context of the model.', values, remedy);
  }
}
