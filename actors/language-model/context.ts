import { concatPositions, type Positions, textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { addTokens, NO_TOKENS, type TokenCount } from '../chunk-interleaver/index.ts';
import { callEnd, closingStep, type Step } from './closing.ts';
import type { ItemRole, TruncationPolicy } from './messages.ts';
import {
  countPositions,
  type PadIds,
  type PositionLayout,
  PositionRun,
  REPLY_CAPACITY,
} from './position-run.ts';

export interface ContextSettings extends PositionLayout {
  /** The cache never grows beyond this. */
  readonly maxPositions: number;
  readonly eos: number;
  readonly pause: number;
  readonly pads: PadIds;
  /** Token ids of the newline that closes a turn. */
  readonly newline: readonly number[];
}

export interface NewReply {
  readonly generationId: string;
  readonly itemId: string;
  readonly turn: number;
  readonly close: Positions | null;
  readonly header: Positions;
  readonly speech: boolean;
}

interface Reply {
  readonly generationId: string;
  readonly speech: boolean;
  /** Positions of the run before step 0. */
  readonly headerLength: number;
  /** Positions of the run that stay when nothing of the reply does (a `close` that had no user item to go to). */
  readonly keptLength: number;
  /** The user item that took `close`, and its length before. */
  readonly closed: { readonly itemId: string; readonly length: number } | null;
  readonly header: Positions;
  /** What is said, or written before a call. */
  readonly steps: Step[];
  /** The tool calls after it. */
  call: Step[];
  /** Steps that followed and were cut: the far end may say later that they were heard. */
  cutSteps: Step[];
}

interface Item {
  readonly itemId: string;
  readonly role: ItemRole;
  readonly turn: number;
  readonly run: PositionRun;
  readonly reply: Reply | null;
}

/**
 * What one session's conversation is, in positions: the truth outside the engine, from which a cache can be built again.
 * Every change says from which position on the cache is stale (`takeEdit`).
 *
 * Full: the oldest turns go, whole, never the system turn, until as much is left as the policy says (three quarters of all),
 * because each drop costs a re-prefill of everything behind it. What would not fit even then is refused with `context.full`, and
 * nothing goes for its sake.
 */
export class Context {
  readonly #settings: ContextSettings;
  truncation: TruncationPolicy = { mode: 'auto' };
  #items: Item[] = [];
  /** The conversation while a reply is made from something else. */
  #aside: Item[] | null = null;
  /** Positions of all items; kept, because every step of every session asks for it. */
  #length = 0;
  #editedFrom = Number.POSITIVE_INFINITY;

  constructor(settings: ContextSettings) {
    this.#settings = settings;
  }

  get length(): number {
    return this.#length;
  }

  get itemIds(): string[] {
    return this.#items.map(item => item.itemId);
  }

  /** First position at which the content changed since the last call, other than by growing; Infinity if it only grew. */
  takeEdit(): number {
    const from = this.#editedFrom;
    this.#editedFrom = Number.POSITIVE_INFINITY;
    return from;
  }

  /** Copies positions from `from` (which exists), at most up to `to`, as far as one rule of docs/spec/model.md §1.6 applies to them. */
  slice(from: number, to: number): Positions {
    const last = this.#items[this.#items.length - 1];
    const lastBase = this.#length - last.run.length;
    if (from >= lastBase) return last.run.slice(from - lastBase, to - lastBase);
    const parts: Positions[] = [];
    let base = 0;
    let next = from;
    for (const { run } of this.#items) {
      if (next < Math.min(to, base + run.length)) {
        const part = run.slice(next - base, to - base);
        if (parts.length > 0 && part.rule !== parts[0].rule) break;
        parts.push(part);
        next += part.textIds.length;
        if (next < Math.min(to, base + run.length)) break; // The rule changes inside the item.
      }
      base += run.length;
    }
    return concatPositions(parts);
  }

  /** The first `to` positions by what they carry. */
  count(to: number): TokenCount {
    let counted = NO_TOKENS;
    let base = 0;
    for (const { run } of this.#items) {
      if (base >= to) break;
      counted = addTokens(counted, run.count(to - base, this.#settings.pads));
      base += run.length;
    }
    return counted;
  }

  /** Appends to an item, or creates it at the end or after `after`. Returns the items that had to go. @throws `context.full` */
  append(
    itemId: string,
    role: ItemRole,
    turn: number,
    positions: Positions,
    after?: string | null,
  ): readonly string[] {
    const count = countPositions(positions, this.#settings);
    const dropped = this.makeRoom(count, turn);
    // What is put behind an item belongs to its turn, and goes with it.
    const of = (typeof after === 'string' && this.#find(after)?.turn) || turn;
    const item =
      this.#find(itemId) ??
      this.#insert({ itemId, role, turn: of, run: new PositionRun(this.#settings), reply: null }, after);
    this.#markEdit(item, item.run.length);
    this.#extend(item.run, positions);
    return dropped;
  }

  /** False when there is no such item. */
  remove(itemId: string): boolean {
    const item = this.#find(itemId);
    if (!item) return false;
    this.#markEdit(item, 0);
    this.#length -= item.run.length;
    this.#items = this.#items.filter(other => other !== item);
    return true;
  }

  get standsAside(): boolean {
    return this.#aside !== null;
  }

  /** The conversation stands aside: the reply that is opened next is made from `input` alone. */
  standAside(input: Positions, turn: number): void {
    const run = new PositionRun(this.#settings);
    this.#aside = this.#items;
    this.#items = [{ itemId: INPUT_ITEM, role: 'user', turn, run, reply: null }];
    this.#length = 0;
    this.#extend(run, input);
    this.#editedFrom = 0;
  }

  /** The conversation as it was, and the reply at its end. Returns the items that had to go. */
  comeBack(): readonly string[] {
    if (!this.#aside) return NOTHING;
    const reply = this.#items.find(item => item.reply !== null);
    this.#items = reply ? [...this.#aside, reply] : this.#aside;
    this.#aside = null;
    this.#length = this.#lengthOf(() => true);
    this.#editedFrom = 0;
    if (!reply) return NOTHING;
    const dropped = this.#dropFor(0, 0, reply.turn);
    if (this.#length <= this.#limit) return dropped;
    this.remove(reply.itemId);
    return [...dropped, reply.itemId];
  }

  /** Appends the tail of a reply; `room` more positions are kept free for its steps where dropping turns can do it. */
  openReply(reply: NewReply, room: number): string[] {
    const closeCount = reply.close ? countPositions(reply.close, this.#settings) : 0;
    const tail = closeCount + countPositions(reply.header, this.#settings);
    if (tail === closeCount)
      throw new RuntimeError('context.malformed', 'A reply needs a header.', { itemId: reply.itemId });
    const dropped = this.#dropFor(tail, tail + room, reply.turn);
    if (this.length + tail > this.#limit) throw this.#full(tail);
    const last = this.#items.at(-1);
    const takesClose = closeCount > 0 && last?.role === 'user' ? last : null;
    const closed = takesClose ? { itemId: takesClose.itemId, length: takesClose.run.length } : null;
    const run = new PositionRun(this.#settings, REPLY_CAPACITY);
    if (reply.close && closeCount > 0) this.#extend(takesClose?.run ?? run, reply.close);
    const keptLength = run.length;
    this.#extend(run, reply.header);
    const { itemId, turn, generationId, speech } = reply;
    const kept = { headerLength: run.length, keptLength, closed };
    const record: Reply = {
      generationId,
      speech,
      ...kept,
      header: reply.header,
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
    item.run.appendStep(step.textId, step.codes);
    this.#length += 1;
    return dropped;
  }

  /** The reply ended by itself: all its steps are true, the newline ends the turn (docs/spec/model.md §1.9, history consequence). */
  closeReply(itemId: string): void {
    const { item } = this.#replyOf(itemId);
    this.#extend(item.run, textPositions(this.#settings.newline));
  }

  /**
   * Keeps `steps` steps and closes the reply (docs/spec/model.md §6.5). Steps that were cut before come back if more are asked
   * for and there is room for them without dropping anything. `keepsCall`: the calls stay, behind whatever was heard.
   */
  truncateReply(itemId: string, steps: number, keepsCall = false): void {
    const { item, reply } = this.#replyOf(itemId);
    if (!keepsCall) reply.call = [];
    const all = [...reply.steps, ...reply.cutSteps];
    const kept = this.#keepable(item, reply, Math.max(0, Math.min(Math.floor(steps), all.length)));
    const next = all.at(kept);
    const stands = Math.min(kept, reply.steps.length);
    this.#cut(item, stands === 0 ? reply.keptLength : reply.headerLength + stands);
    const isEmpty = kept === 0 && reply.call.length === 0;
    if (!isEmpty && stands === 0) this.#extend(item.run, reply.header);
    reply.steps.splice(0, reply.steps.length, ...all.slice(0, kept));
    reply.cutSteps = all.slice(kept);
    // An empty reply stays as a place: a rollback may still have to undo its `close`.
    if (isEmpty) return;
    const closing = closingStep(reply, next, this.#settings);
    for (const step of [
      ...all.slice(stands, kept),
      ...closing,
      ...reply.call,
      ...callEnd(reply, this.#settings),
    ]) {
      item.run.appendStep(step.textId, step.codes);
      this.#length += 1;
    }
    this.#extend(item.run, textPositions(this.#settings.newline));
  }

  /** As if the reply had never been opened. False when there is no such reply. */
  rollback(generationId: string): boolean {
    const item = this.#items.find(({ reply }) => reply?.generationId === generationId);
    if (!item?.reply) return false;
    const { closed } = item.reply;
    this.remove(item.itemId);
    const user = closed && this.#find(closed.itemId);
    if (user) this.#cut(user, closed.length);
    return true;
  }

  isReply(itemId: string): boolean {
    return this.#find(itemId)?.reply != null;
  }

  /** Recorded steps of a reply that are in the context. */
  stepsOf(itemId: string): number {
    const { reply } = this.#replyOf(itemId);
    return reply.steps.length + reply.call.length;
  }

  /** Drops oldest turns where `count` more positions would not fit. @throws `context.full` */
  makeRoom(count: number, turn: number): readonly string[] {
    const limit = this.truncation.mode === 'retain' ? this.#limit : this.#settings.maxPositions;
    if (this.#length + count <= limit) return NOTHING;
    const dropped = this.#dropFor(count, count, turn);
    if (this.length + count > limit) throw this.#full(count);
    return dropped;
  }

  /** Positions that there may be: the model's, or those that the policy leaves after the system turns. */
  get #limit(): number {
    const { maxPositions } = this.#settings;
    const { truncation } = this;
    if (truncation.mode !== 'retain' || truncation.maxPositions === undefined) return maxPositions;
    return Math.min(maxPositions, this.#systemLength + truncation.maxPositions);
  }

  get #systemLength(): number {
    return this.#lengthOf(({ role }) => role === 'system');
  }

  #lengthOf(isMeant: (item: Item) => boolean): number {
    return this.#items.reduce((sum, item) => (isMeant(item) ? sum + item.run.length : sum), 0);
  }

  /** What a drop leaves at most. */
  get #kept(): number {
    const { truncation } = this;
    if (truncation.mode !== 'retain') return this.#settings.maxPositions * KEPT_SHARE;
    const system = this.#systemLength;
    return system + (this.#limit - system) * truncation.share;
  }

  /** `needed` has to fit, `wanted` is better. */
  #dropFor(needed: number, wanted: number, currentTurn: number): string[] {
    const dropped: string[] = [];
    const limit = this.#limit;
    const isOld = ({ role, turn }: Item) => role !== 'system' && turn < currentTurn;
    if (this.length + wanted <= limit || this.truncation.mode === 'disabled') return dropped;
    if (this.#lengthOf(item => !isOld(item)) + needed > limit) return dropped;
    const target = Math.max(this.#kept - wanted, 0);
    while (this.length > target) {
      const oldest = this.#items.find(isOld);
      if (!oldest) break;
      const turn = oldest.turn;
      for (const item of this.#items.filter(other => other.role !== 'system' && other.turn === turn)) {
        this.remove(item.itemId);
        dropped.push(item.itemId);
      }
    }
    return dropped;
  }

  /** All of the wanted steps, or as many as stand there already where more would not fit. */
  #keepable(item: Item, reply: Reply, wanted: number): number {
    if (wanted <= reply.steps.length) return wanted;
    const header = reply.headerLength - reply.keptLength;
    const calls = reply.call.length === 0 ? 0 : reply.call.length + 1;
    const grown = reply.keptLength + header + wanted + calls + this.#closingLength - item.run.length;
    return this.#length + grown <= this.#settings.maxPositions ? wanted : reply.steps.length;
  }

  get #closingLength(): number {
    return 1 + this.#settings.newline.length;
  }

  /** What is asked for is nearly always the last. */
  #find(itemId: string): Item | undefined {
    for (let i = this.#items.length - 1; i >= 0; i--) {
      if (this.#items[i].itemId === itemId) return this.#items[i];
    }
    return undefined;
  }

  #replyOf(itemId: string): { item: Item; reply: Reply } {
    const item = this.#find(itemId);
    if (!item?.reply)
      throw new RuntimeError('context.no-reply', 'The item is not a reply in this context.', { itemId });
    return { item, reply: item.reply };
  }

  #insert(item: Item, after: string | null | undefined): Item {
    this.#items.splice(this.#placeAfter(after), 0, item);
    return item;
  }

  /** An item that has gone meanwhile was among the oldest: what was to follow it stands where they were. */
  #placeAfter(after: string | null | undefined): number {
    if (after === undefined) return this.#items.length;
    if (after === null) return 0;
    const at = this.#items.findIndex(({ itemId }) => itemId === after);
    if (at >= 0) return at + 1;
    const first = this.#items.findIndex(({ role }) => role !== 'system');
    return first < 0 ? this.#items.length : first;
  }

  #extend(run: PositionRun, positions: Positions): void {
    run.append(positions);
    this.#length += positions.textIds.length;
  }

  #cut(item: Item, length: number): void {
    this.#markEdit(item, length);
    this.#length -= Math.max(0, item.run.length - length);
    item.run.cut(length);
  }

  /** Growing at the very end leaves the cache true; anything else makes it stale from there. */
  #markEdit(item: Item, offset: number): void {
    if (item === this.#items[this.#items.length - 1] && offset >= item.run.length) return;
    let base = 0;
    for (const other of this.#items) {
      if (other === item) break;
      base += other.run.length;
    }
    const at = base + offset;
    if (at < this.length) this.#editedFrom = Math.min(this.#editedFrom, at);
  }

  #full(count: number): RuntimeError {
    const values = { positions: this.length, more: count, maxPositions: this.#settings.maxPositions };
    const remedy = 'Shorten it, delete items, or bound the tokens of a picture.';
    return new RuntimeError('context.full', 'It does not fit into the context of the model.', values, remedy);
  }
}

/** What a drop leaves at most, where nothing else is asked for. */
const KEPT_SHARE = 0.75;
const NOTHING: readonly string[] = [];
/** Not an id that items can have. */
const INPUT_ITEM = '';
