/** The items that a client adds and takes away, and the system turn, on their way into the model's context. */
import type { ModelDescription, Positions, Tokenizer } from '../../kernels/engine/index.ts';
import { type Piece, systemTurn, toPositions } from '../chunk-interleaver/index.ts';
import type { ConversationItem, NewItem, SessionEvent, SessionSettings } from '../session-api.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import { ItemWriter } from './item-writer.ts';
import type { Line } from './line.ts';

export interface ItemsDeps {
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly tokenizer: Tokenizer;
  readonly model: ModelDescription;
  readonly settings: () => SessionSettings;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
}

const INSTRUCTIONS_ITEM = 'instructions';

export class Items {
  readonly writer: ItemWriter;
  readonly #deps: ItemsDeps;

  constructor(deps: ItemsDeps) {
    this.#deps = deps;
    this.writer = new ItemWriter(deps.line);
  }

  /** Errors `item.unsupported`, `item.duplicate`, `item.unknown` (the previous item), `items.full`. */
  add(
    given: NewItem,
    previousItemId?: string | 'root',
  ): { readonly item: ConversationItem; readonly isLast: boolean } {
    const { conversation, newId } = this.#deps;
    const item = { role: given.role, content: given.content, id: given.id ?? newId('item') };
    ItemWriter.check(item);
    const isLast = previousItemId === undefined || previousItemId === conversation.lastId;
    return { item: conversation.add(item, 'completed', previousItemId), isLast };
  }

  /** Pieces to positions; counts them for the account of the item. */
  positions(itemId: string, pieces: readonly Piece[]): Positions {
    const { conversation, model, tokenizer } = this.#deps;
    const { positions, count } = toPositions(pieces, tokenizer, model.tokens);
    conversation.addTokens(itemId, count);
    return positions;
  }

  /** Into the context: at its end, or in the item's place. */
  write(item: ConversationItem, appends: boolean): void {
    const { conversation, line, queue, settings } = this.#deps;
    let pieces: readonly Piece[] = [];
    const ticket = queue.defer(() => {
      // Items around it may have gone since.
      const current = conversation.find(item.id);
      if (pieces.length === 0 || !current) return;
      const anchor = appends ? undefined : conversation.contextAnchor(current.previousItemId);
      const positions = this.positions(item.id, pieces);
      const { id: itemId, role } = item;
      const after = this.#afterInstructions(anchor);
      line.languageModel('context', { type: 'prefill', itemId, role, positions, after });
    });
    this.writer.write(item, settings().maxTokensPerPicture, written => {
      pieces = written;
      ticket.ready();
    });
  }

  remove(itemId: string): void {
    const { conversation, emit, line, queue } = this.#deps;
    this.writer.forget(itemId);
    conversation.remove(itemId);
    conversation.leftContext(itemId);
    queue.push(() => line.languageModel('context', { type: 'remove', itemId }));
    emit({ type: 'item.deleted', itemId });
  }

  writeInstructions(): void {
    const { line, settings } = this.#deps;
    const { instructions } = settings();
    if (instructions === '') return;
    const positions = this.positions(INSTRUCTIONS_ITEM, systemTurn(instructions));
    const place = { itemId: INSTRUCTIONS_ITEM, role: 'system', after: 'root' } as const;
    line.languageModel('context', { type: 'prefill', ...place, positions });
  }

  replaceInstructions(): void {
    const { conversation, line, queue } = this.#deps;
    queue.push(() => {
      line.languageModel('context', { type: 'remove', itemId: INSTRUCTIONS_ITEM });
      conversation.leftContext(INSTRUCTIONS_ITEM);
      this.writeInstructions();
    });
  }

  /** The system turn stays first. */
  #afterInstructions(anchor: string | undefined): string | undefined {
    return anchor === 'root' && this.#deps.settings().instructions !== '' ? INSTRUCTIONS_ITEM : anchor;
  }
}
