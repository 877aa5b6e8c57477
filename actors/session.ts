/**
 * One conversation: the stages of ARCHITECTURE.md §1 wired in the order of its picture.
 *
 *   audio     ─► perceive ─► audio encoder ──┐                      speech      GAN
 *   pictures  ─► frame sampling ─► vision ───┴► chunk    ─► language ─► tokenizer ─► decoder ─► play-out ─► response.audio
 *                   │ edges       encoder       interleaver  model                               │ heard
 *                   └────────────────► turn-taking ───────────┴──────────────────────────────────┘
 *
 * The stages that own an engine serve all sessions; the others are actors of this session. Between them stands what a
 * session knows (the user's turn, the replies, who has the floor, the items): plain code inside the delivery of one
 * message, because it is the committed state of ARCHITECTURE.md §3, which outlives every actor. What comes out of whom,
 * and where it goes, stands in `session/wiring.ts`. A failure ends this session only, readably.
 */
import type { Observable, Subscription } from 'rxjs';
import type { ModelDescription, Tokenizer } from '../kernels/engine/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { type ActorSystem, Outlet } from './core/index.ts';
import type { Memory } from './memory.ts';
import type { VoiceActivityDetector } from './perceive/index.ts';
import { builtInSpeaker, HeardLedger, type Speaker } from './play-out/index.ts';
import { readable } from './session/checks.ts';
import { Commands } from './session/commands.ts';
import { ContextQueue } from './session/context-queue.ts';
import { Conversation } from './session/conversation.ts';
import { Items } from './session/items.ts';
import { Line, type Pipeline, type SharedOutputs } from './session/line.ts';
import { checkSessionTools, offeredTools, toldTools } from './session/offered-tools.ts';
import { checkSpeaker, mergeSettings } from './session/settings.ts';
import { Forgotten } from './session/forgotten.ts';
import { type Stages, spawnStages, stopStages } from './session/stages.ts';
import { checkInstructions } from './session/text-size.ts';
import { Turns } from './session/turns.ts';
import { wire } from './session/wiring.ts';
import { Work } from './session/work.ts';
import type {
  ConversationItem,
  RuntimeLimits,
  Session,
  SessionCommand,
  SessionEvent,
  SessionSettings,
  Tool,
} from './session-api.ts';
import { ToolRunner } from './tools/index.ts';
import { DEFAULT_SETTINGS } from './turn-taking/index.ts';

export interface SessionDeps {
  readonly id: string;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly system: ActorSystem;
  readonly pipeline: Pipeline;
  readonly shared: SharedOutputs;
  readonly limits: RuntimeLimits;
  readonly detector: VoiceActivityDetector;
  readonly rejectsEcho: boolean;
  /** What the transport brought; null: a built-in one, as `delivery` says. */
  readonly speaker: Speaker | null;
  /** Run in this process. */
  readonly tools: readonly Tool[];
  readonly memory: Memory;
  readonly onEnded: () => void;
}

export class LiveSession implements Session {
  readonly id: string;
  readonly events$: Observable<SessionEvent>;
  readonly #deps: SessionDeps;
  readonly #events = new Outlet<SessionEvent>();
  readonly #stages: Stages;
  readonly #line: Line;
  readonly #queue = new ContextQueue();
  readonly #conversation: Conversation;
  readonly #items: Items;
  readonly #turns: Turns;
  readonly #work: Work;
  readonly #commands: Commands;
  readonly #edges: Subscription;
  #settings: SessionSettings;
  /** As JSON. */
  #toldTools = '[]';
  #ids = 0;
  #ended = false;
  readonly #settingsNow = () => this.#settings;
  readonly #newId = (prefix: string) => `${prefix}_${this.id}_${++this.#ids}`;
  readonly #tell = (event: SessionEvent) => this.#emit(event);
  readonly #makeRoom = () => this.#delete(this.#conversation.surplus?.id);

  constructor(deps: SessionDeps, settings: Partial<SessionSettings>) {
    const { id, limits, model, pipeline } = deps;
    this.id = id;
    this.#deps = deps;
    this.events$ = this.#events.values$;
    this.#settings = mergeSettings(DEFAULT_SETTINGS, settings);
    checkInstructions(this.#settings.instructions, model, deps.tokenizer);
    if (model.toolTemplate) checkSessionTools(deps.tools, this.#settings);
    const speaker = () => deps.speaker ?? builtInSpeaker(this.#settings.delivery);
    checkSpeaker(speaker());
    const ledger = new HeardLedger(deps.system.clock, model.outputSampleRate, speaker().latencyMs);
    this.#stages = spawnStages(deps, this.#settings, ledger, speaker());
    this.#line = new Line(id, pipeline, this.#stages);
    this.#conversation = new Conversation(limits);
    this.#items = this.#newItems();
    const forgotten = this.#newForgotten();
    this.#work = this.#newWork();
    this.#turns = this.#newTurns(ledger, speaker);
    this.#commands = this.#newCommands();
    this.#edges = wire({
      session: id,
      own: this.#stages,
      shared: deps.shared,
      conversation: this.#conversation,
      items: this.#items,
      turns: this.#turns,
      emit: this.#tell,
      left: gone => forgotten.left(gone),
      enter: (action, given) => this.#deliver(action, given),
    });
    const played = speaker().played$.subscribe(told => this.send({ type: 'played', ...told }));
    this.#edges.add(played);
    this.#line.languageModel('control', { type: 'open' });
    if (this.#settings.truncation) this.#truncationChanged();
    this.#toolsChanged();
    if (this.#settings.instructions !== '') this.#items.writeInstructions();
  }

  // ─── its parts ───────────────────────────────────────────────────────────────────────────────────────────────
  // Without spreads: V8 gives an object made of one a hidden class of its own in each session, and all access to it is
  // slow.

  #newItems(): Items {
    const { model, system, tokenizer } = this.#deps;
    return new Items({
      line: this.#line,
      queue: this.#queue,
      conversation: this.#conversation,
      settings: this.#settingsNow,
      newId: this.#newId,
      emit: this.#tell,
      model,
      tokenizer,
      later: run => void system.clock.setTimer(0, () => this.#enter(run)),
    });
  }

  #newForgotten(): Forgotten {
    const { memory, model, system, tokenizer } = this.#deps;
    return new Forgotten({
      clock: system.clock,
      model,
      tokenizer,
      summarise: memory.summarise,
      write: text => this.#items.writeSummary(text),
      emit: this.#tell,
      enter: action => this.#enter(action),
    });
  }

  #newWork(): Work {
    const { model, system, tokenizer } = this.#deps;
    return new Work({
      session: this.id,
      clock: system.clock,
      model,
      tokenizer,
      line: this.#line,
      queue: this.#queue,
      conversation: this.#conversation,
      newId: this.#newId,
      emit: this.#tell,
      settings: this.#settingsNow,
      runner: new ToolRunner(system.clock),
      makeRoom: this.#makeRoom,
      enter: action => this.#enter(action),
      onDone: reply => this.#turns.resultsAreIn(reply),
      onOver: () => this.#turns.workIsOver(),
    });
  }

  #newTurns(ledger: HeardLedger, speaker: () => Speaker): Turns {
    const { limits, model, rejectsEcho, system } = this.#deps;
    return new Turns({
      work: this.#work,
      offered: request => offeredTools(this.#toolSource, this.#settings, request),
      line: this.#line,
      queue: this.#queue,
      conversation: this.#conversation,
      settings: this.#settingsNow,
      newId: this.#newId,
      emit: this.#tell,
      session: this.id,
      clock: system.clock,
      limits,
      model,
      ledger,
      speaker,
      rejectsEcho,
      write: (itemId, pieces) => this.#items.positions(itemId, pieces),
      questionId: () => this.#items.questionId,
      showPictures: (pictures, asked, id) => this.#items.showPictures(pictures, asked, id),
      compose: (items, done) => this.#items.compose(items, done),
      makeRoom: this.#makeRoom,
      onFloorFree: () => this.#commands.floorFree(),
    });
  }

  #newCommands(): Commands {
    const { model, system, tokenizer, tools } = this.#deps;
    return new Commands({
      clock: system.clock,
      model,
      tokenizer,
      conversation: this.#conversation,
      items: this.#items,
      turns: this.#turns,
      settings: this.#settingsNow,
      applySettings: after => this.#apply(after),
      deleteItem: itemId => this.#delete(itemId),
      emit: this.#tell,
      enter: action => this.#enter(action),
      checkSettings: settings => {
        if (model.toolTemplate) checkSessionTools(tools, settings);
      },
      checkOpen: () => this.#checkOpen(),
    });
  }

  // ─── what can be seen ────────────────────────────────────────────────────────────────────────────────────────

  get settings(): SessionSettings {
    return this.#settings;
  }

  get items(): readonly ConversationItem[] {
    return this.#conversation.items;
  }

  get unheardMs(): number {
    return (this.#turns.listening.unheardSamples * 1000) / this.#deps.model.inputSampleRate;
  }

  wordsWithin(itemId: string, samples: number): string {
    return this.#turns.speaking.wordsWithin(itemId, samples);
  }

  // ─── what comes in ───────────────────────────────────────────────────────────────────────────────────────────

  send(command: SessionCommand): void {
    this.#commands.run(command);
  }

  close(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#turns.speaking.leave();
    this.#edges.unsubscribe();
    this.#commands.close();
    this.#work.close();
    stopStages(this.#stages);
    this.#queue.clear();
    this.#line.raiseEpoch();
    this.#line.close();
    this.#events.next({ type: 'ended', reason });
    this.#events.complete();
    this.#deps.onEnded();
  }

  // ─── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * An actor lost its state. Contexts are kept outside, a few pictures do not matter; anything else takes the session
   * with it.
   */
  actorRestarted(actor: string): void {
    if (actor === 'language-model' || actor === 'frame-sampling' || !this.#turns.busy) return;
    const message = 'A component failed while it worked for this session.';
    this.fail(new RuntimeError('actor.restarted', message, { actor }));
  }

  /** Something that the session needs has failed: it ends with an error that the caller can read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const { code, message } = readable(error);
    this.#deps.system.log.error({ session: this.id, code, error: message }, 'session failed');
    this.#emit({ type: 'error', code, message, fatal: true });
    this.close('failed');
  }

  #apply(after: SessionSettings): void {
    const before = this.#settings;
    this.#settings = after;
    this.#enter(() => {
      if (after.truncation !== before.truncation) this.#truncationChanged();
      if (after.tools !== before.tools || after.toolChoice !== before.toolChoice) this.#toolsChanged();
      if (after.instructions !== before.instructions) this.#items.writeInstructions();
      this.#turns.settingsChanged(before);
    });
  }

  get #toolSource() {
    const { model, tokenizer, tools: here } = this.#deps;
    return { model, tokenizer, here };
  }

  #toolsChanged(): void {
    const told = toldTools(this.#toolSource, this.#settings);
    const text = JSON.stringify(told);
    if (text === this.#toldTools) return;
    this.#toldTools = text;
    this.#items.writeTools(told);
  }

  #truncationChanged(): void {
    const policy = this.#settings.truncation ?? ({ mode: 'auto' } as const);
    this.#queue.push(() => this.#line.languageModel('context', { type: 'truncation', policy }));
  }

  #delete(itemId: string | undefined): void {
    if (itemId === undefined) return;
    this.#turns.speaking.forget(itemId);
    this.#items.remove(itemId);
  }

  #emit(event: SessionEvent): void {
    if (this.#ended) return;
    this.#keep(event);
    this.#events.next(event);
  }

  /** An item that is complete, and that the model is to know for long. */
  #keep(event: SessionEvent): void {
    let item: ConversationItem | undefined;
    if (event.type === 'item.done' || event.type === 'item.added') item = event.item;
    else if (event.type === 'input.transcript' && event.final) item = this.#conversation.find(event.itemId);
    if (!item || item.status === 'in_progress') return;
    const rank = this.#deps.memory.keeps(item);
    if (rank === 0) return;
    const itemId = this.#conversation.placeOf(item.id);
    this.#conversation.keep(item.id);
    this.#queue.push(() => this.#line.languageModel('context', { type: 'keep', itemId, rank }));
  }

  /** Runs to completion; a failure ends the session instead of reaching whoever happened to call. */
  #enter(action: () => void): void {
    this.#deliver(action, undefined);
  }

  #deliver<T>(action: (given: T) => void, given: T): void {
    if (this.#ended) return;
    try {
      action(given);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Error `session.ended`. */
  #checkOpen(): void {
    if (!this.#ended) return;
    const remedy = 'Open a new one.';
    throw new RuntimeError('session.ended', 'The session is over.', { session: this.id }, remedy);
  }
}
