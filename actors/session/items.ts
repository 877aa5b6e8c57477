/** The items that a client adds and takes away, and the system turn, on their way into the model's context. */
import type { ModelDescription, Positions, Tokenizer } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  NEWLINE,
  type Piece,
  subtractTokens,
  systemTurn,
  toPositions,
  USER_HEADER,
} from '../chunk-interleaver/index.ts';
import type { LanguageModelOutput } from '../language-model/index.ts';
import type {
  ConversationItem,
  NewItem,
  SessionEvent,
  SessionSettings,
  ToolDeclaration,
} from '../session-api.ts';
import { toolsTurn } from '../tools/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import { ItemWriter } from './item-writer.ts';
import type { Line } from './line.ts';
import { checkItemSize, withoutLongText } from './text-size.ts';

export interface ItemsDeps {
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly tokenizer: Tokenizer;
  readonly model: ModelDescription;
  readonly settings: () => SessionSettings;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  /** Runs in the next turn of the event loop. */
  readonly later: (run: () => void) => void;
}

type Refused = Extract<LanguageModelOutput, { type: 'refused' }>;

/** What stands before the conversation, in this order. */
const SYSTEM_ITEMS = ['tools', 'instructions', 'summary'] as const;
type SystemItem = (typeof SYSTEM_ITEMS)[number];

export class Items {
  readonly writer: ItemWriter;
  readonly #deps: ItemsDeps;
  /** The item that is being added, and why the context did not take it. */
  #adding: { readonly itemId: string; refusal: RuntimeError | null } | null = null;
  /** Items of clients, each with a sign of this one of its name. */
  readonly #given = new Map<string, object>();
  /** Turns that are known to be cut off. */
  #cutTurn: string | null = null;
  /** The present version of what stands first in the context, or will. */
  readonly #versions = new Map<SystemItem, object>();
  readonly #standing = new Set<SystemItem>();
  /** The newest item of the user's that stands at the end of the context, and its pieces. */
  #question: { readonly itemId: string; pieces: readonly Piece[] } | null = null;

  constructor(deps: ItemsDeps) {
    this.#deps = deps;
    this.writer = new ItemWriter(deps.line, deps.model.toolTemplate ?? null);
  }

  /**
   * Errors `item.unsupported`, `item.oversized`, `item.duplicate`, `item.unknown` (the previous item), `items.full`.
   */
  add(given: NewItem, after?: string | null): { readonly item: ConversationItem; readonly isLast: boolean } {
    const { conversation, newId } = this.#deps;
    const item = { role: given.role, content: given.content, id: given.id ?? newId('item') };
    ItemWriter.check(item);
    checkItemSize(item.content, this.#deps.model);
    const isLast = after === undefined || after === conversation.lastId;
    return { item: conversation.add(item, 'completed', after), isLast };
  }

  /** Errors `item.unsupported`, `item.oversized`. */
  checkInput(items: readonly NewItem[]): void {
    for (const item of items) {
      ItemWriter.check(item);
      checkItemSize(item.content, this.#deps.model);
    }
  }

  /**
   * Positions of items that never become part of the conversation, after the instructions, as soon as all is encoded.
   */
  compose(items: readonly NewItem[], done: (input: Positions) => void): void {
    const { model, newId, settings, tokenizer } = this.#deps;
    const { instructions, maxTokensPerPicture } = settings();
    const system = instructions === '' ? [] : systemTurn(instructions);
    const written: (readonly Piece[])[] = [];
    let missing = items.length;
    const ready = () => {
      if (missing > 0) return;
      const finish = (short: readonly Piece[]) => done(toPositions(short, tokenizer, model.tokens).positions);
      this.#shorten(
        [...system, ...written.flat()],
        () => true,
        finish,
        () => {},
      );
    };
    items.forEach(({ role, content }, i) => {
      const item = { id: newId('input'), role, content, status: 'completed', previousItemId: null } as const;
      this.writer.write(item, maxTokensPerPicture, pieces => {
        written[i] = pieces;
        missing -= 1;
        ready();
      });
    });
    if (items.length === 0) ready();
  }

  /** Pieces to positions; counts them for the account of the item. */
  positions(itemId: string, pieces: readonly Piece[]): Positions {
    const { conversation, model, tokenizer } = this.#deps;
    const { positions, count } = toPositions(pieces, tokenizer, model.tokens);
    conversation.addTokens(itemId, count);
    return positions;
  }

  /** Into the context: at its end, or in the item's place. Returns why it was not taken; the item is gone then. */
  write(item: ConversationItem, appends: boolean): RuntimeError | null {
    const { queue, settings } = this.#deps;
    let pieces: readonly Piece[] = [];
    const adding = { itemId: item.id, refusal: null };
    this.#adding = adding;
    this.#given.set(item.id, adding);
    const isWanted = () => this.#given.get(item.id) === adding;
    const question = { itemId: item.id, pieces };
    if (appends && item.role === 'user') this.#question = question;
    const ticket = queue.defer(() => {
      question.pieces = pieces;
      if (pieces.length > 0 && isWanted()) this.#prefill(item, pieces, appends);
    });
    this.writer.write(item, settings().maxTokensPerPicture, written => {
      const ready = (short: readonly Piece[]) => {
        pieces = short;
        ticket.ready();
      };
      this.#shorten(written, isWanted, ready, () => ticket.cancel());
    });
    this.#adding = null;
    return adding.refusal;
  }

  #prefill({ id: itemId, role: given }: ConversationItem, pieces: readonly Piece[], appends: boolean): void {
    const { conversation, line } = this.#deps;
    // Items around it may have gone since.
    const current = conversation.find(itemId);
    if (!current) return;
    const anchor = appends ? undefined : conversation.contextAnchor(current.previousItemId);
    const positions = this.positions(itemId, pieces);
    const after = this.#afterSystem(anchor);
    // The context has no role of its own for what tools say: it comes from outside, as a user's words do.
    const role = given === 'tool' ? 'user' : given;
    line.languageModel('context', { type: 'prefill', itemId, role, positions, after });
  }

  /** The context did not take something: it costs the item, or the rest of a turn that is longer than the context. */
  refused({ itemId, positions, code, message }: Refused): void {
    const { conversation, emit } = this.#deps;
    const tell = (text: string) => emit({ type: 'error', code, message: text, fatal: false });
    const system = SYSTEM_ITEMS.find(item => item === itemId);
    if (system) {
      conversation.leftContext(itemId);
      this.#standing.delete(system);
      tell(`The ${system} are not in effect. ${message}`);
    } else if (this.#given.has(itemId)) {
      conversation.leftContext(itemId);
      conversation.remove(itemId);
      this.#given.delete(itemId);
      if (this.#adding?.itemId === itemId) {
        this.#adding.refusal = new RuntimeError(code, message, { itemId });
        return;
      }
      tell(`Item ${itemId} is deleted again. ${message}`);
      emit({ type: 'item.deleted', itemId });
    } else {
      this.#uncount(itemId, positions);
      if (this.#cutTurn === itemId) return;
      this.#cutTurn = itemId;
      tell(`The rest of turn ${itemId} is lost on the model. ${message}`);
    }
  }

  #uncount(itemId: string, { textIds }: Positions): void {
    const { conversation, model } = this.#deps;
    const { audioPad, imagePad } = model.tokens;
    let [audio, image] = [0, 0];
    for (const id of textIds) {
      if (id === audioPad) audio++;
      else if (id === imagePad) image++;
    }
    const refused = { text: textIds.length - audio - image, audio, image };
    conversation.restoreTokens(itemId, subtractTokens(conversation.tokensOf(itemId), refused));
  }

  /** The user's item that the next reply answers, where a client added it; null where the last word was another. */
  get questionId(): string | null {
    const { lastId } = this.#deps.conversation;
    return this.#question?.itemId === lastId ? lastId : null;
  }

  /** What the camera showed, as part of the question or as a turn of its own. */
  showPictures(pictures: readonly Piece[], questionId: string | null, ownId: string): void {
    const { conversation, line } = this.#deps;
    const question = this.#question;
    const asked = question?.itemId === questionId && questionId !== null && conversation.find(questionId);
    const itemId = asked ? asked.id : ownId;
    const rest = asked && question && question.pieces.length > 0 ? question.pieces.slice(1) : [NEWLINE];
    if (asked) {
      line.languageModel('context', { type: 'remove', itemId });
      conversation.leftContext(itemId);
    }
    const positions = this.positions(itemId, [USER_HEADER, ...pictures, ...rest]);
    line.languageModel('context', { type: 'prefill', itemId, role: 'user', positions });
  }

  remove(itemId: string): void {
    const { conversation, emit, line, queue } = this.#deps;
    this.#given.delete(itemId);
    this.writer.forget(itemId);
    conversation.remove(itemId);
    conversation.leftContext(itemId);
    queue.push(() => line.languageModel('context', { type: 'remove', itemId }));
    emit({ type: 'item.deleted', itemId });
  }

  /** The present instructions into the context, in the place of those before. */
  writeInstructions(): void {
    const { instructions } = this.#deps.settings();
    this.#writeSystem('instructions', instructions === '' ? [] : systemTurn(instructions));
  }

  /** The tools that may be called. */
  writeTools(tools: readonly ToolDeclaration[]): void {
    const { toolTemplate } = this.#deps.model;
    this.#writeSystem('tools', toolTemplate && tools.length > 0 ? toolsTurn(tools, toolTemplate) : []);
  }

  /** What is told of turns that have left. */
  writeSummary(text: string): void {
    this.#writeSystem('summary', text === '' ? [] : systemTurn(text));
  }

  #writeSystem(itemId: SystemItem, written: readonly Piece[]): void {
    const { conversation, line, queue } = this.#deps;
    const version = {};
    this.#versions.set(itemId, version);
    let pieces: readonly Piece[] = [];
    const ticket = queue.defer(() => {
      if (this.#standing.delete(itemId)) {
        line.languageModel('context', { type: 'remove', itemId });
        conversation.leftContext(itemId);
      }
      if (pieces.length === 0) return;
      const before = SYSTEM_ITEMS.slice(0, SYSTEM_ITEMS.indexOf(itemId));
      const after = before.findLast(item => this.#standing.has(item)) ?? null;
      this.#standing.add(itemId);
      const positions = this.positions(itemId, pieces);
      line.languageModel('context', { type: 'prefill', itemId, role: 'system', positions, after });
    });
    const isWanted = () => this.#versions.get(itemId) === version;
    this.#shorten(
      written,
      isWanted,
      short => {
        pieces = short;
        ticket.ready();
      },
      () => ticket.cancel(),
    );
  }

  #shorten(
    pieces: readonly Piece[],
    isWanted: () => boolean,
    done: (pieces: readonly Piece[]) => void,
    onUnwanted: () => void,
  ): void {
    const { later, model, tokenizer } = this.#deps;
    const stillWanted = () => {
      const wanted = isWanted();
      if (!wanted) onUnwanted();
      return wanted;
    };
    withoutLongText(pieces, { tokenizer, tokens: model.tokens, later }, stillWanted, done);
  }

  /** The system turns stay first. */
  #afterSystem(anchor: string | null | undefined): string | null | undefined {
    if (anchor !== null) return anchor;
    return SYSTEM_ITEMS.findLast(item => this.#standing.has(item)) ?? null;
  }
}
