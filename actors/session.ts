/**
 * One conversation: the stages of design.md §1 wired in the order of its picture.
 *
 *   pushAudio ─► perceive ─► audio encoder ──┐                      speech      GAN
 *   pushVideo ─► frame sampling ─► vision ───┴► chunk    ─► language ─► tokenizer ─► decoder ─► play-out ─► response.audio
 *                   │ edges       encoder       interleaver  model                               │ heard
 *                   └────────────────► turn-taking ───────────┴──────────────────────────────────┘
 *
 * The encoders, the language model, speech tokenizer and GAN decoder own an engine and serve all sessions; the other stages are
 * actors of this session. Between the stages stands what a session knows: `listening` (the user's turn), `speaking` (the replies),
 * `turns` (who has the floor), `items`. It is plain code that runs inside the delivery of one message, because it is
 * the committed state of design.md §3, which outlives every actor. A failure ends this session only, with an error that the
 * caller can read.
 */
import { type Observable, Subject } from 'rxjs';
import type { ModelDescription, RgbImage, Tokenizer } from '../kernels/engine/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import type { AudioEncoderOutput } from './audio-encoder/index.ts';
import type { ActorSystem, Envelope } from './core/index.ts';
import type { GanDecoderOutput } from './gan-decoder/index.ts';
import type { LanguageModelOutput } from './language-model/index.ts';
import type { VoiceActivityDetector } from './perceive/index.ts';
import { HeardLedger } from './play-out/index.ts';
import { ContextQueue } from './session/context-queue.ts';
import { Conversation } from './session/conversation.ts';
import { Items } from './session/items.ts';
import { ITEMS_SUFFIX, Line, type Pipeline } from './session/line.ts';
import { mergeSettings, turnPolicy } from './session/settings.ts';
import { type Stages, spawnStages, stopStages } from './session/stages.ts';
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
import { DEFAULT_SETTINGS, TURN_DELAYS } from './turn-taking/index.ts';
import type { VisionEncoderOutput } from './vision-encoder/index.ts';

export interface SessionDeps {
  readonly id: string;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly system: ActorSystem;
  readonly pipeline: Pipeline;
  readonly limits: RuntimeLimits;
  readonly detector: VoiceActivityDetector;
  readonly onEnded: () => void;
}

export class LiveSession implements Session {
  readonly id: string;
  readonly events$: Observable<SessionEvent>;
  readonly #deps: SessionDeps;
  readonly #events = new Subject<SessionEvent>();
  readonly #stages: Stages;
  readonly #line: Line;
  readonly #queue = new ContextQueue();
  readonly #conversation: Conversation;
  readonly #items: Items;
  readonly #turns: Turns;
  #settings: SessionSettings;
  #ids = 0;
  #ended = false;

  constructor(deps: SessionDeps, settings: Partial<SessionSettings>) {
    const { id, limits, model, pipeline, system } = deps;
    const { clock, trace } = system;
    this.id = id;
    this.#deps = deps;
    this.events$ = this.#events.asObservable();
    this.#settings = mergeSettings(DEFAULT_SETTINGS, settings);
    const ledger = new HeardLedger(clock, model.outputSampleRate);
    this.#stages = this.#spawnStages(ledger);
    this.#line = new Line(id, clock, pipeline, this.#stages);
    this.#conversation = new Conversation(limits.maxItems);
    const known = {
      line: this.#line,
      queue: this.#queue,
      conversation: this.#conversation,
      settings: () => this.#settings,
      newId: (prefix: string) => `${prefix}_${id}_${++this.#ids}`,
      emit: (event: SessionEvent) => this.#emit(event),
    };
    this.#items = new Items({ ...known, model, tokenizer: deps.tokenizer });
    this.#turns = new Turns({
      ...known,
      ...{ session: id, clock, trace, limits, model, ledger },
      write: (itemId, pieces) => this.#items.positions(itemId, pieces),
      makeRoom: () => this.#makeRoom(),
    });
    this.#wireStages();
    this.#line.languageModel('control', { type: 'open' });
    this.#items.writeInstructions();
  }

  get settings(): SessionSettings {
    return this.#settings;
  }

  get items(): readonly ConversationItem[] {
    return this.#conversation.items;
  }

  // ─── what comes in ───────────────────────────────────────────────────────────────────────────────────────────

  pushAudio(samples: Float32Array): void {
    this.#enter(() => this.#turns.listening.audio(samples));
  }

  pushVideo(frame: RgbImage, capturedAtMs = this.#deps.system.clock.nowMs()): void {
    this.#enter(() => this.#turns.listening.video(frame, capturedAtMs));
  }

  commitInput(): string {
    const turn = this.#open().#turns.listening.checkCommit();
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
    const { item, isLast } = this.#open().#items.add(given, previousItemId);
    this.#enter(() => {
      if (item.role === 'user') this.#turns.beginItemTurn();
      // An open user turn stays the last thing in the context.
      this.#items.write(item, isLast && !this.#turns.listening.turn);
      this.#emit({ type: 'item.added', item });
      this.#emit({ type: 'item.done', item });
    });
    return item;
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
    this.#open().#turns.speaking.checkCreate();
    let responseId = '';
    this.#enter(() => {
      responseId = this.#turns.requestReply(options);
    });
    return responseId;
  }

  cancelResponse(responseId?: string): void {
    const active = this.#open().#turns.speaking.checkCancel(responseId);
    this.#enter(() => this.#turns.speaking.cancel(active));
  }

  update(change: Partial<SessionSettings>): void {
    const before = this.#open().#settings;
    this.#settings = mergeSettings(before, change);
    this.#enter(() => {
      if (this.#settings.instructions !== before.instructions) this.#items.replaceInstructions();
      this.#turns.settingsChanged(before);
    });
  }

  reportHeard(itemId: string, samples: number): void {
    this.#enter(() => this.#turns.speaking.report(itemId, samples));
  }

  close(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    stopStages(this.#stages);
    this.#queue.clear();
    this.#line.raiseEpoch();
    this.#line.close();
    this.#events.next({ type: 'ended', reason });
    this.#events.complete();
    this.#deps.onEnded();
  }

  // ─── from stage to stage ─────────────────────────────────────────────────────────────────────────────────────

  #spawnStages(ledger: HeardLedger): Stages {
    const { detector, limits, model, system } = this.#deps;
    const { delivery, turnDetection } = this.#settings;
    return spawnStages(system, {
      perceive: {
        detector,
        sampleRate: model.inputSampleRate,
        maxUtteranceMs: limits.maxBufferedSpeechMs,
        turnDetection,
      },
      playOut: {
        ledger,
        sampleRate: model.outputSampleRate,
        delivery,
        reportGraceMs: TURN_DELAYS.reportGraceMs,
      },
      policy: turnPolicy(this.#settings),
      hiddenSize: model.hiddenSize,
    });
  }

  #wireStages(): void {
    const { chunkInterleaver, frameSampling, perceive, playOut, turnTaking } = this.#stages;
    const { listening, speaking } = this.#turns;
    const wire = <T>(from: { readonly output$: Observable<Envelope<T>> }, to: (output: T) => void) =>
      from.output$.subscribe(({ body }) => this.#enter(() => to(body)));
    wire(perceive, percept => listening.fromPerceive(percept));
    wire(frameSampling, unit => listening.fromFrameSampling(unit));
    wire(chunkInterleaver, pieces => listening.fromChunkInterleaver(pieces));
    wire(turnTaking, decision => this.#turns.fromTurnTaking(decision));
    wire(playOut, sound => speaking.fromPlayOut(sound));
  }

  fromAudioEncoder({ session, body }: Envelope<AudioEncoderOutput>): void {
    this.#enter(() => {
      if (body.type === 'failed') throw new RuntimeError(body.code, body.message);
      if (session.endsWith(ITEMS_SUFFIX)) this.#items.writer.recording(body);
      else {
        this.#turns.listening.fromAudioEncoder(body);
        this.#line.utterances.answered(body);
      }
    });
  }

  fromVisionEncoder({ body }: Envelope<VisionEncoderOutput>): void {
    this.#enter(() => {
      if (body.type === 'failed') this.#error(body.code, body.message, false);
      if (!this.#items.writer.picture(body)) this.#turns.listening.fromVisionEncoder(body);
    });
  }

  fromLanguageModel(message: Envelope<LanguageModelOutput>): void {
    this.#enter(() => {
      const { body } = message;
      if (body.type === 'step' || body.type === 'ended') {
        this.#turns.speaking.fromLanguageModel({ ...message, body });
      } else if (body.type === 'dropped') {
        for (const itemId of body.itemIds) this.#conversation.leftContext(itemId);
      } else if (body.type === 'failed') {
        if (body.fatal) throw new RuntimeError(body.code, body.message);
        this.#error(body.code, body.message, false);
      }
    });
  }

  fromSpeechTokenizer(message: Envelope<SpeechTokenizerOutput>): void {
    const { body } = message;
    if ((body.type !== 'frame' && body.type !== 'end') || this.#line.isStale(message)) return;
    this.#enter(() => this.#line.ganDecoder('frames', body, message));
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    this.#enter(() => this.#turns.speaking.fromGanDecoder(message));
  }

  // ─── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * An actor lost its state. The language model's contexts are kept outside of it, a few pictures may be lost; what another actor
   * was doing for this session is lost, and the session with it.
   */
  actorRestarted(actor: string): void {
    if (actor === 'language-model' || actor === 'frame-sampling' || !this.#turns.busy) return;
    this.fail(
      new RuntimeError('actor.restarted', 'A component failed while it worked for this session.', { actor }),
    );
  }

  /** Something that the session needs has failed: it ends with an error that the caller can read. */
  fail(error: { readonly code: string; readonly message: string }): void {
    if (this.#ended) return;
    const { log } = this.#deps.system;
    log.error({ session: this.id, code: error.code, error: error.message }, 'session failed');
    this.#error(error.code, error.message, true);
    this.close('failed');
  }

  #delete(itemId: string): void {
    this.#turns.speaking.forget(itemId);
    this.#items.remove(itemId);
  }

  #makeRoom(): void {
    const oldest = this.#conversation.surplus;
    if (oldest) this.#delete(oldest.id);
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
    if (!this.#ended) return this;
    const remedy = 'Open a new one.';
    throw new RuntimeError('session.ended', 'The session is over.', { session: this.id }, remedy);
  }
}

function readable(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof RuntimeError) return error;
  return { code: 'session.failed', message: error instanceof Error ? error.message : String(error) };
}
