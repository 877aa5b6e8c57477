/**
 * One conversation: the stages of design.md §1 wired in the order of its picture.
 *
 *   pushAudio ─► perceive ─► audio encoder ─┐                                          ┌► response.audio
 *   pushVideo ─► sampling ─► vision encoder ┴► chunk interleaver ─► language model ─► … ─► play-out
 *                   │ edges                                              ▲                  │ heard
 *                   └────────────────► turn-taking machine ──────────────┴──────────────────┘
 *
 * Everything of a session runs to completion on the event loop; the components with an engine are actors shared by all
 * sessions. A failure inside ends this session only, with an error that the caller can read.
 */
import { type Observable, Subject } from 'rxjs';
import type { ModelDescription, RgbImage, Tokenizer } from '../kernels/engine/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import type { AudioEncoderOutput } from './audio-encoder/index.ts';
import { type Piece, systemTurn, toPositions } from './chunk-interleaver/index.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { Envelope } from './core/message.ts';
import type { Tracer } from './core/trace.ts';
import type { GanDecoderOutput } from './gan-decoder/index.ts';
import type { LanguageModelOutput } from './language-model/index.ts';
import type { VoiceActivityDetector } from './perceive/index.ts';
import { ContextQueue } from './session/context-queue.ts';
import { Conversation } from './session/conversation.ts';
import { ItemWriter } from './session/item-writer.ts';
import { ITEMS_SUFFIX, Line, type Pipeline } from './session/line.ts';
import { mergeSettings } from './session/settings.ts';
import { Turns } from './session/turns.ts';
import type {
  ConversationItem,
  NewItem,
  ResponseOptions,
  RuntimeLimits,
  Session,
  SessionEvent,
  SessionSettings,
} from './session-api.ts';
import type { SpeechTokenizerOutput } from './speech-tokenizer/index.ts';
import { DEFAULT_SETTINGS } from './turn-taking/index.ts';
import type { VisionEncoderOutput } from './vision-encoder/index.ts';

export interface SessionDeps {
  readonly id: string;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trace: Tracer;
  readonly limits: RuntimeLimits;
  readonly detector: VoiceActivityDetector;
  readonly onEnded: () => void;
}

const INSTRUCTIONS_ITEM = 'instructions';

export class LiveSession implements Session {
  readonly id: string;
  readonly events$: Observable<SessionEvent>;
  readonly #deps: SessionDeps;
  readonly #events = new Subject<SessionEvent>();
  readonly #line: Line;
  readonly #queue = new ContextQueue();
  readonly #conversation: Conversation;
  readonly #items: ItemWriter;
  readonly #turns: Turns;
  #settings: SessionSettings;
  #ids = 0;
  #ended = false;

  constructor(deps: SessionDeps, settings: Partial<SessionSettings>) {
    this.id = deps.id;
    this.#deps = deps;
    this.events$ = this.#events.asObservable();
    this.#settings = mergeSettings(DEFAULT_SETTINGS, settings);
    this.#line = new Line(deps.id, deps.clock, deps.pipeline);
    this.#conversation = new Conversation(deps.limits.maxItems);
    this.#items = new ItemWriter(this.#line);
    this.#turns = this.#createTurns();
    this.#line.languageModel('control', { type: 'open' });
    this.#writeInstructions();
  }

  get settings(): SessionSettings {
    return this.#settings;
  }

  get items(): readonly ConversationItem[] {
    return this.#conversation.items;
  }

  // ─── what comes in ───────────────────────────────────────────────────────────────────────────────────────────

  pushAudio(samples: Float32Array): void {
    this.#enter(() => this.#turns.audio(samples));
  }

  pushVideo(frame: RgbImage, capturedAtMs?: number): void {
    this.#enter(() => this.#turns.listening.video(frame, capturedAtMs ?? this.#deps.clock.nowMs()));
  }

  commitInput(): string {
    const turn = this.#open().#turns.listening.turn;
    if (!turn || turn.sampleCount === 0) {
      throw new RuntimeError(
        'input.empty',
        'There is no buffered audio to commit.',
        { session: this.id },
        'Push audio first.',
      );
    }
    this.#conversation.checkNew(turn.itemId);
    this.#enter(() => this.#turns.commitInput());
    return turn.itemId;
  }

  clearInput(): void {
    this.#enter(() => {
      this.#turns.clearInput();
      this.#emit({ type: 'input.cleared' });
    });
  }

  addItem(given: NewItem, previousItemId?: string | 'root'): ConversationItem {
    this.#open();
    const item = { role: given.role, content: given.content, id: given.id ?? this.#newId('item') };
    ItemWriter.check(item);
    const wasLast = previousItemId === undefined || previousItemId === this.#conversation.lastId;
    const added = this.#conversation.add(item, 'completed', previousItemId);
    this.#enter(() => {
      if (added.role === 'user') this.#turns.beginItemTurn();
      // An open user turn stays the last thing in the context.
      this.#writeItem(added, wasLast && !this.#turns.listening.turn);
      this.#emit({ type: 'item.added', item: added });
      this.#emit({ type: 'item.done', item: added });
    });
    return added;
  }

  deleteItem(itemId: string): void {
    this.#open().#conversation.get(itemId);
    this.#enter(() => this.#delete(itemId));
  }

  truncateItem(itemId: string, audioEndMs: number): void {
    this.#open().#turns.speaking.checkTruncate(itemId);
    this.#enter(() => this.#turns.speaking.truncate(itemId, audioEndMs));
  }

  createResponse(options: Partial<ResponseOptions> = {}): string {
    const active = this.#open().#turns.speaking.active;
    if (active) {
      throw new RuntimeError(
        'response.active',
        'A response is being made.',
        { session: this.id, responseId: active.responseId },
        'Wait for response.done or cancel it.',
      );
    }
    let responseId = '';
    this.#enter(() => {
      responseId = this.#turns.requestReply(options);
    });
    return responseId;
  }

  cancelResponse(responseId?: string): void {
    const active = this.#open().#turns.speaking.active;
    if (!active || (responseId !== undefined && responseId !== active.responseId)) {
      throw new RuntimeError(
        'response.none',
        'There is no such active response.',
        { session: this.id, responseId },
        'Nothing needs to be cancelled.',
      );
    }
    this.#enter(() => this.#turns.speaking.cancel(active));
  }

  update(change: Partial<SessionSettings>): void {
    this.#open();
    const before = this.#settings;
    this.#settings = mergeSettings(before, change);
    this.#enter(() => this.#applySettings(before));
  }

  reportHeard(itemId: string, samples: number): void {
    this.#enter(() => this.#turns.speaking.report(itemId, samples));
  }

  close(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#turns.close();
    this.#queue.clear();
    this.#line.raiseEpoch();
    this.#line.close();
    this.#events.next({ type: 'ended', reason });
    this.#events.complete();
    this.#deps.onEnded();
  }

  // ─── what the shared actors answer ───────────────────────────────────────────────────────────────────────────

  fromAudioEncoder(message: Envelope<AudioEncoderOutput>): void {
    this.#enter(() => {
      const answer = message.body;
      if (answer.type === 'failed') throw new RuntimeError(answer.code, answer.message);
      if (message.session.endsWith(ITEMS_SUFFIX)) this.#items.recording(answer);
      else {
        this.#turns.listening.fromAudioEncoder(answer);
        this.#line.utterances.answered(answer);
      }
    });
  }

  fromVisionEncoder(message: Envelope<VisionEncoderOutput>): void {
    this.#enter(() => {
      const answer = message.body;
      if (answer.type === 'failed') this.#error(answer.code, answer.message, false);
      if (!this.#items.picture(answer)) this.#turns.listening.fromVisionEncoder(answer);
    });
  }

  fromLanguageModel(message: Envelope<LanguageModelOutput>): void {
    this.#enter(() => {
      const output = message.body;
      if (output.type === 'step' || output.type === 'ended') {
        this.#turns.speaking.fromLanguageModel({ ...message, body: output });
      } else if (output.type === 'dropped') {
        for (const itemId of output.itemIds) this.#conversation.leftContext(itemId);
      } else if (output.type === 'failed') {
        if (output.fatal) throw new RuntimeError(output.code, output.message);
        this.#error(output.code, output.message, false);
      }
    });
  }

  fromSpeechTokenizer(message: Envelope<SpeechTokenizerOutput>): void {
    const output = message.body;
    if (output.type !== 'frame' && output.type !== 'end') return;
    this.#enter(() => this.#turns.speaking.fromSpeechTokenizer({ ...message, body: output }));
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    this.#enter(() => this.#turns.speaking.fromGanDecoder(message));
  }

  /**
   * An actor lost its state. The language model's contexts are kept outside of it; what another actor was doing for this
   * session is lost, and the session with it.
   */
  actorRestarted(actor: string): void {
    if (actor === 'language-model' || !this.#turns.busy) return;
    this.fail(
      new RuntimeError('actor.restarted', 'A component failed while it worked for this session.', { actor }),
    );
  }

  /** Something that the session needs has failed: it ends with an error that the caller can read. */
  fail(error: { readonly code: string; readonly message: string }): void {
    if (this.#ended) return;
    this.#deps.log.error({ session: this.id, code: error.code, error: error.message }, 'session failed');
    this.#error(error.code, error.message, true);
    this.close('failed');
  }

  // ─── the rest ────────────────────────────────────────────────────────────────────────────────────────────────

  #delete(itemId: string): void {
    const { speaking } = this.#turns;
    const { active } = speaking;
    if (active?.itemId === itemId) speaking.cancel(active);
    speaking.forget(itemId);
    this.#items.forget(itemId);
    this.#conversation.remove(itemId);
    this.#conversation.leftContext(itemId);
    this.#queue.push(() => this.#line.languageModel('context', { type: 'remove', itemId }));
    this.#emit({ type: 'item.deleted', itemId });
  }

  #createTurns(): Turns {
    const { clock, detector, id, limits, model, trace } = this.#deps;
    return new Turns({
      session: id,
      clock,
      trace,
      limits,
      model,
      detector,
      line: this.#line,
      queue: this.#queue,
      conversation: this.#conversation,
      settings: () => this.#settings,
      write: (itemId, pieces) => this.#write(itemId, pieces),
      newId: prefix => this.#newId(prefix),
      emit: event => this.#emit(event),
      makeRoom: () => {
        const oldest = this.#conversation.surplus;
        if (oldest) this.#delete(oldest.id);
      },
      enter: action => this.#enter(action),
      fail: error => this.fail(readable(error)),
    });
  }

  #write(itemId: string, pieces: readonly Piece[]) {
    const { positions, count } = toPositions(pieces, this.#deps.tokenizer, this.#deps.model.tokens);
    this.#conversation.addTokens(itemId, count);
    return positions;
  }

  #writeItem(item: ConversationItem, appends: boolean): void {
    let pieces: readonly Piece[] = [];
    const ticket = this.#queue.defer(() => {
      // Items around it may have gone since.
      const current = this.#conversation.find(item.id);
      if (pieces.length === 0 || !current) return;
      const after = appends ? undefined : this.#conversation.contextAnchor(current.previousItemId);
      const positions = this.#write(item.id, pieces);
      const { id: itemId, role } = item;
      this.#line.languageModel('context', {
        type: 'prefill',
        itemId,
        role,
        positions,
        after: this.#anchor(after),
      });
    });
    this.#items.write(item, this.#settings.maxTokensPerPicture, written => {
      pieces = written;
      ticket.ready();
    });
  }

  /** The system turn stays first. */
  #anchor(after: string | undefined): string | undefined {
    return after === 'root' && this.#settings.instructions !== '' ? INSTRUCTIONS_ITEM : after;
  }

  #writeInstructions(): void {
    const { instructions } = this.#settings;
    if (instructions === '') return;
    const positions = this.#write(INSTRUCTIONS_ITEM, systemTurn(instructions));
    this.#line.languageModel('context', {
      type: 'prefill',
      itemId: INSTRUCTIONS_ITEM,
      role: 'system',
      positions,
      after: 'root',
    });
  }

  #applySettings(before: SessionSettings): void {
    const now = this.#settings;
    if (now.instructions !== before.instructions) {
      this.#queue.push(() => {
        this.#line.languageModel('context', { type: 'remove', itemId: INSTRUCTIONS_ITEM });
        this.#conversation.leftContext(INSTRUCTIONS_ITEM);
        this.#writeInstructions();
      });
    }
    this.#turns.settingsChanged(before);
  }

  #newId(prefix: string): string {
    this.#ids += 1;
    return `${prefix}_${this.id}_${this.#ids}`;
  }

  #emit(event: SessionEvent): void {
    if (!this.#ended) this.#events.next(event);
  }

  #error(code: string, message: string, fatal: boolean): void {
    this.#emit({ type: 'error', code, message, fatal });
  }

  /** Runs to completion; a failure ends the session instead of reaching whoever happened to call. */
  #enter(action: () => void): void {
    if (this.#ended) return;
    try {
      action();
    } catch (error) {
      this.fail(readable(error));
    }
  }

  /** Error `session.ended` when it is over. */
  #open(): this {
    if (this.#ended)
      throw new RuntimeError(
        'session.ended',
        'The session is over.',
        { session: this.id },
        'Open a new one.',
      );
    return this;
  }
}

function readable(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof RuntimeError) return error;
  return { code: 'session.failed', message: error instanceof Error ? error.message : String(error) };
}
