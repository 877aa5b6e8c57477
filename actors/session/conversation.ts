/**
 * The items of a conversation in order, as the outside sees them. What the model sees is the language-model actor's
 * context.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import { addTokens, NO_TOKENS, type TokenCount } from '../chunk-interleaver/index.ts';
import type { ConversationItem, ItemContent, NewItem, RuntimeLimits } from '../session-api.ts';
import { pictureBytesIn, samplesIn, withoutPictures, withoutSound } from './audio-content.ts';

/** Of the pictures that a session keeps after the model has seen them. */
const MAX_PICTURE_BYTES = 16 * 1024 * 1024;

/** Of the items that there may be, for those that are kept. */
const KEPT_SHARE = 0.1;

interface KeptItem {
  item: ConversationItem;
  samples: number;
  pictureBytes: number;
}

export class Conversation {
  readonly #maxItems: number;
  readonly #maxSoundSamples: number;
  #soundSamples = 0;
  #pictureBytes = 0;
  #entries: KeptItem[] = [];
  readonly #byId = new Map<string, KeptItem>();
  /** Positions of the items that the model's context holds; an item may be there before it is one here. */
  readonly #tokens = new Map<string, TokenCount>();
  /** What stands in the model's context for an item that has no place of its own there. */
  readonly #places = new Map<string, string>();
  readonly #kept = new Set<string>();
  #view: readonly ConversationItem[] | null = null;

  constructor({ maxItems, maxSoundSamples }: Pick<RuntimeLimits, 'maxItems' | 'maxSoundSamples'>) {
    this.#maxItems = maxItems;
    this.#maxSoundSamples = maxSoundSamples;
  }

  get items(): readonly ConversationItem[] {
    this.#view ??= this.#entries.map(entry => entry.item);
    return this.#view;
  }

  get lastId(): string | null {
    return this.#entries.at(-1)?.item.id ?? null;
  }

  find(itemId: string): ConversationItem | undefined {
    return this.#byId.get(itemId)?.item;
  }

  /** Error `item.unknown`. */
  get(itemId: string): ConversationItem {
    const item = this.find(itemId);
    if (item) return item;
    throw new RuntimeError(
      'item.unknown',
      'The conversation has no such item.',
      { itemId },
      'Use the id of an item that was added.',
    );
  }

  /** Errors `item.duplicate`, `item.unknown` (the previous item), `items.full`. */
  add(
    item: Required<Pick<NewItem, 'id' | 'role' | 'content'>>,
    status: ConversationItem['status'],
    given?: string | null,
  ): ConversationItem {
    this.checkNew(item.id);
    const after = given === undefined ? this.lastId : given;
    const at = after === null ? 0 : this.#indexOf(after) + 1;
    const { id, role, content } = item;
    const added = { id, role, content, status, previousItemId: after };
    const entry: KeptItem = { item: added, samples: 0, pictureBytes: 0 };
    this.#entries.splice(at, 0, entry);
    this.#byId.set(item.id, entry);
    const next = this.#entries[at + 1];
    if (next) next.item = { ...next.item, previousItemId: item.id };
    this.#weigh(entry);
    return added;
  }

  /**
   * A turn that was spoken is never refused: the oldest item that has to give way to it, if any; what is kept with its
   * neighbours last.
   */
  get surplus(): ConversationItem | null {
    if (this.#entries.length < this.#maxItems) return null;
    const isKept = (at: number) => this.#kept.has(this.#entries[at]?.item.id ?? '');
    const other = this.#entries.findIndex((_, at) => !isKept(at - 1) && !isKept(at) && !isKept(at + 1));
    return this.#entries[Math.max(0, other)].item;
  }

  /** It gives way after others. */
  keep(itemId: string): void {
    this.#kept.add(itemId);
    if (this.#kept.size > this.#maxItems * KEPT_SHARE) this.#kept.delete(this.#kept.keys().next().value!);
  }

  /** Its place in the model's context. */
  placeOf(itemId: string): string {
    return this.#places.get(itemId) ?? itemId;
  }

  /** Errors `item.duplicate`, `items.full`. */
  checkNew(itemId: string): void {
    if (this.find(itemId)) {
      throw new RuntimeError(
        'item.duplicate',
        'An item with this id exists.',
        { itemId },
        'Choose another id or leave it out.',
      );
    }
    if (this.#entries.length >= this.#maxItems) {
      throw new RuntimeError(
        'items.full',
        'The conversation has reached its limit of items.',
        { maxItems: this.#maxItems },
        'Delete items, or open a new session.',
      );
    }
  }

  /** Error `item.unknown`. */
  update(
    itemId: string,
    change: { readonly status?: ConversationItem['status']; readonly content?: readonly ItemContent[] },
  ): ConversationItem {
    const entry = this.#entry(itemId);
    const { id, role, previousItemId } = entry.item;
    const { content = entry.item.content, status = entry.item.status } = change;
    entry.item = { id, role, content, status, previousItemId };
    this.#weigh(entry);
    return entry.item;
  }

  /** Error `item.unknown`. */
  remove(itemId: string): void {
    const at = this.#indexOf(itemId);
    const previousItemId = this.#entries[at].item.previousItemId;
    this.#soundSamples -= this.#entries[at].samples;
    this.#pictureBytes -= this.#entries[at].pictureBytes;
    this.#entries.splice(at, 1);
    this.#places.delete(itemId);
    this.#kept.delete(itemId);
    this.#byId.delete(itemId);
    const next = this.#entries[at];
    if (next) next.item = { ...next.item, previousItemId };
    this.#view = null;
  }

  addTokens(itemId: string, tokens: TokenCount): void {
    this.restoreTokens(itemId, addTokens(this.tokensOf(itemId), tokens));
  }

  /** What `restoreTokens` takes back, for a speculation. */
  tokensOf(itemId: string): TokenCount {
    return this.#tokens.get(itemId) ?? NO_TOKENS;
  }

  restoreTokens(itemId: string, tokens: TokenCount): void {
    this.#tokens.set(itemId, tokens);
  }

  leftContext(itemId: string): void {
    this.#tokens.delete(itemId);
  }

  /** The nearest item at or before this one that the model's context holds, null: none. */
  contextAnchor(itemId: string | null): string | null {
    let at = itemId === null ? -1 : this.#indexOf(itemId);
    for (; at >= 0; at--) {
      const { id } = this.#entries[at].item;
      const place = this.placeOf(id);
      if (this.#tokens.has(place)) return place;
    }
    return null;
  }

  /** In the context the item is part of another, or has another name. */
  standsFor(itemId: string, contextId: string): void {
    this.#places.set(itemId, contextId);
  }

  /** The pictures of the oldest items give way to what is new: the model has seen them. */
  #weighPictures(changed: KeptItem): void {
    const bytes = pictureBytesIn(changed.item.content);
    this.#pictureBytes += bytes - changed.pictureBytes;
    changed.pictureBytes = bytes;
    for (const entry of this.#entries) {
      if (this.#pictureBytes <= MAX_PICTURE_BYTES) return;
      if (entry === changed || entry.pictureBytes === 0) continue;
      entry.item = { ...entry.item, content: withoutPictures(entry.item.content) };
      this.#pictureBytes -= entry.pictureBytes;
      entry.pictureBytes = 0;
    }
  }

  /** The sound of the oldest items gives way to what is new; what was said in it stays as text. */
  #weigh(changed: KeptItem): void {
    this.#view = null;
    this.#weighPictures(changed);
    const samples = samplesIn(changed.item.content);
    this.#soundSamples += samples - changed.samples;
    changed.samples = samples;
    for (const entry of this.#entries) {
      if (this.#soundSamples <= this.#maxSoundSamples) return;
      if (entry === changed || entry.samples === 0) continue;
      entry.item = { ...entry.item, content: withoutSound(entry.item.content) };
      this.#soundSamples -= entry.samples;
      entry.samples = 0;
    }
  }

  #entry(itemId: string): KeptItem {
    this.get(itemId);
    return this.#byId.get(itemId)!;
  }

  /** What is asked for is nearly always among the last. */
  #indexOf(itemId: string): number {
    return this.#entries.lastIndexOf(this.#entry(itemId));
  }
}
