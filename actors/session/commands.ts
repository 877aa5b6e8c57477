/** What a session is told, checked before anything is changed, then done (`session-commands.ts`). */
import type { ModelDescription, Tokenizer } from '../../kernels/engine/index.ts';
import type { RuntimeError } from '../../kernels/errors.ts';
import type { Clock } from '../core/clock.ts';
import type {
  AddItemCommand,
  NewItem,
  SessionCommand,
  SessionEvent,
  SessionSettings,
} from '../session-api.ts';
import { checkCancel, checkCommit, checkCreate, checkForeign, checkTruncate, readable } from './checks.ts';
import type { Conversation } from './conversation.ts';
import type { Items } from './items.ts';
import { checkKey, Keypad } from './keypad.ts';
import { mergeSettings } from './settings.ts';
import { checkInstructions } from './text-size.ts';
import type { ReplyRequest } from './reply-request.ts';
import type { Turns } from './turns.ts';

export interface CommandsDeps {
  readonly clock: Clock;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly conversation: Conversation;
  readonly items: Items;
  readonly turns: Turns;
  readonly settings: () => SessionSettings;
  readonly applySettings: (settings: SessionSettings) => void;
  readonly deleteItem: (itemId: string) => void;
  readonly emit: (event: SessionEvent) => void;
  /** Runs to completion; a failure ends the session. */
  readonly enter: (action: () => void) => void;
  /** Errors `tool.duplicate`, `tool.unknown`. */
  readonly checkSettings: (settings: SessionSettings) => void;
  /** Error `session.ended`. */
  readonly checkOpen: () => void;
}

export class Commands {
  readonly #deps: CommandsDeps;
  readonly #keypad: Keypad;
  /** Keys were entered while somebody had the floor. */
  #owesReply = false;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
    this.#keypad = new Keypad(deps.clock, keys => this.#keysEntered(keys));
  }

  run(command: SessionCommand): void {
    const { checkOpen, clock, conversation, deleteItem, emit, enter, turns } = this.#deps;
    // Sound and pictures, and what was heard of ours, may come late: they are for nobody then.
    if (command.type === 'audio') enter(() => turns.listening.audio(command));
    else if (command.type === 'picture') enter(() => turns.listening.picture(command));
    else if (command.type === 'played') {
      const { itemId, samples, atMs = clock.nowMs(), firstAtMs } = command;
      enter(() => turns.speaking.report(itemId, samples, atMs, firstAtMs));
    } else if (command.type === 'line') enter(() => turns.lineChanged(command.lost));
    else if (command.type === 'input.clear') {
      enter(() => turns.clearInput());
      emit({ type: 'input.cleared' });
    } else {
      checkOpen();
      if (command.type === 'dtmf') this.#press(command.digit);
      else if (command.type === 'input.commit') this.#commitInput();
      else if (command.type === 'item.add') this.#addItem(command);
      else if (command.type === 'item.delete') {
        conversation.get(command.itemId);
        enter(() => deleteItem(command.itemId));
      } else if (command.type === 'item.update') this.#updateItem(command.itemId, command.fields);
      else if (command.type === 'item.truncate') this.#truncateItem(command.itemId, command.audioEndMs);
      else if (command.type === 'response.create')
        this.#createResponse({ ...command.options, responseId: command.responseId });
      else if (command.type === 'response.cancel') this.#cancelResponse(command.responseId);
      else this.#update(command.settings);
    }
  }

  /** Nobody speaks: what was entered meanwhile is answered. */
  floorFree(): void {
    if (!this.#owesReply) return;
    this.#owesReply = false;
    this.#reply();
  }

  close(): void {
    this.#keypad.close();
  }

  #press(digit: string): void {
    checkKey(digit);
    this.#deps.enter(() => this.#keypad.press(digit));
  }

  /**
   * An entry is the user's turn, in keys: the agent answers it as it would a spoken one, when nobody else has the
   * floor.
   */
  #keysEntered(keys: string): void {
    const item: NewItem = { role: 'user', content: [{ type: 'text', text: keys }] };
    this.#orTell(() => {
      this.#addItem({ type: 'item.add', item });
      const { turnDetection } = this.#deps.settings();
      if (turnDetection.mode === 'manual' || !turnDetection.createResponse) return;
      if (this.#deps.turns.isFloorFree) this.#reply();
      else this.#owesReply = true;
    });
  }

  #reply(): void {
    this.#orTell(() => this.#createResponse({}));
  }

  /** Nobody called: what is refused is told. */
  #orTell(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#deps.emit({ type: 'error', ...readable(error), fatal: false });
    }
  }

  #commitInput(): void {
    const { conversation, enter, turns } = this.#deps;
    conversation.checkNew(checkCommit(turns).itemId);
    enter(() => turns.commitInput());
  }

  #addItem({ item: given, after }: AddItemCommand): void {
    const { emit, enter, items, turns } = this.#deps;
    const { item, isLast } = items.add(given, after);
    let refusal: RuntimeError | null = null;
    enter(() => {
      if (item.role === 'user') turns.beginItemTurn();
      // An open user turn stays the last thing in the context.
      refusal = items.write(item, isLast && !turns.listening.turn);
      if (refusal) return;
      emit({ type: 'item.added', item });
      emit({ type: 'item.done', item });
    });
    if (refusal) throw refusal;
  }

  #updateItem(itemId: string, fields: Readonly<Record<string, unknown>>): void {
    const { conversation, emit } = this.#deps;
    const { kind } = checkForeign(conversation, itemId);
    emit({
      type: 'item.done',
      item: conversation.update(itemId, { content: [{ type: 'foreign', kind, fields }] }),
    });
  }

  #truncateItem(itemId: string, audioEndMs: number): void {
    const { conversation, enter, turns } = this.#deps;
    checkTruncate(turns, conversation, itemId);
    enter(() => turns.speaking.truncate(itemId, audioEndMs));
  }

  #createResponse(request: ReplyRequest): void {
    const { enter, items, model, tokenizer, turns } = this.#deps;
    checkCreate(turns);
    items.checkInput(request.input ?? []);
    checkInstructions(request.instructions ?? '', model, tokenizer);
    enter(() => turns.requestReply(request));
  }

  #cancelResponse(responseId: string | undefined): void {
    const { enter, turns } = this.#deps;
    const active = checkCancel(turns, responseId);
    enter(() => turns.speaking.cancel(active));
  }

  #update(change: Partial<SessionSettings>): void {
    const { applySettings, model, settings, tokenizer } = this.#deps;
    const before = settings();
    const after = mergeSettings(before, change);
    if (after.instructions !== before.instructions) checkInstructions(after.instructions, model, tokenizer);
    this.#deps.checkSettings(after);
    applySettings(after);
  }
}
