/**
 * One reply on its way from the language model to the ear. Text and sound are held until the endpoint (`deliver`), so a
 * speculation that is rolled back was never there for the outside.
 */
import type { ToolTemplate } from '../../kernels/engine/index.ts';
import { NO_TOKENS } from '../chunk-interleaver/index.ts';
import type { EndReason, LanguageModelOutput, ReplyInput } from '../language-model/index.ts';
import { type Cut, type CutPlace, Transcript } from '../play-out/index.ts';
import type { ItemContent, ResponseStatus, Usage } from '../session-api.ts';
import { CodeFrames } from '../speech-tokenizer/index.ts';
import {
  ArgumentStream,
  CallReader,
  callBegin,
  parseCalls,
  type ToolCall,
  type ToolDeclaration,
} from '../tools/index.ts';
import { type ReplyEvent, replyMachine, Statechart } from '../turn-taking/index.ts';
import { audioContent } from './audio-content.ts';
import { type Babble, BabbleGuard, type BabbleLimits } from './babble.ts';
import type { TurnAccount } from './turn-account.ts';

export interface ReplyIdentity {
  readonly generationId: string;
  readonly responseId: string;
  readonly itemId: string;
  readonly modality: 'audio' | 'text';
  /** The account of the turn that it answers. */
  readonly account: TurnAccount;
  /** Of its speech: milliseconds of the reply that one millisecond plays. */
  readonly speed: number;
}

/** What it may call. */
export interface ReplyTools {
  readonly offered: readonly ToolDeclaration[];
  readonly template: ToolTemplate;
  /** It begins with a call, of this tool where there is a name. */
  readonly forced: { readonly name: string } | null;
  readonly maxCalls: number;
}

const NO_INPUT: ReplyInput = { all: NO_TOKENS, cached: NO_TOKENS };

type ModelStep = Extract<LanguageModelOutput, { type: 'step' }>;

export class Reply implements ReplyIdentity {
  readonly generationId: string;
  readonly responseId: string;
  readonly itemId: string;
  readonly modality: 'audio' | 'text';
  readonly account: TurnAccount;
  readonly speed: number;
  readonly transcript: Transcript;
  /** Its steps as the GAN decoder takes them. */
  readonly frames = new CodeFrames();
  /** What stood in the context when the reply began; null: it has not. */
  input: ReplyInput | null = null;
  /** The language model has ended; why. */
  endReason: EndReason | null = null;
  endError: { readonly code: string; readonly message: string } | null = null;
  /** It was asked for, and not begun before the endpoint: whatever comes of it is told. */
  isWanted = false;
  /** What of it is to be heard at most: the rest is no reply any more, or (null) need not be said any more. */
  good: (Cut & { readonly heardMs: number; readonly babble: Babble['kind'] | null }) | null = null;
  /** Samples given to play-out that have not left. */
  heldSamples = 0;
  /** What it has called so far. */
  readonly calls: ToolCall[] = [];
  /** What can be told of each of them, and last of one that is being written. */
  readonly argumentStreams: ArgumentStream[] = [];
  /** Of its results in the context. */
  lastResult: string | null = null;
  /** For each, what it stands behind. */
  readonly resultBefore = new Map<string, string>();
  /** A reply to the results is to follow. */
  goesOn = true;
  /** The calls have happened, or may have: the context keeps them whatever was heard. */
  keepsCall = false;
  /** Samples that left, for the item. */
  readonly audio: Float32Array[] = [];
  readonly #phase = new Statechart(replyMachine);
  #textSteps = 0;
  #audioSteps = 0;
  #heldText = '';
  readonly #guard: BabbleGuard | null;
  readonly #tools: ReplyTools | null;
  readonly #reader: CallReader | null;
  #newCalls: ToolCall[] = [];
  #hasCallText = false;

  /**
   * @param babble what is no reply any more; null: nothing is
   * @param tools null: none were told
   */
  constructor(
    identity: ReplyIdentity,
    frameMs: number,
    babble: BabbleLimits | null,
    tools: ReplyTools | null = null,
  ) {
    this.generationId = identity.generationId;
    this.responseId = identity.responseId;
    this.itemId = identity.itemId;
    this.modality = identity.modality;
    this.account = identity.account;
    this.speed = identity.speed;
    this.transcript = new Transcript(frameMs);
    this.#guard = babble && new BabbleGuard(babble, frameMs);
    this.#tools = tools;
    this.#reader = tools && new CallReader(body => this.#called(body, tools), tools.forced !== null);
    if (tools?.forced)
      this.#reader!.push(
        callBegin(tools.template, tools.forced.name).slice(callBegin(tools.template).length),
      );
  }

  /** Nothing is to be seen of it before it has said something: it may be nothing but calls. */
  get mayCall(): boolean {
    return this.#tools !== null;
  }

  /** A call began and none came of it. */
  get hasLostCall(): boolean {
    return this.#hasCallText && this.calls.length === 0;
  }

  get offered(): readonly ToolDeclaration[] {
    return this.#tools?.offered ?? [];
  }

  /** It has made as many calls as it may. */
  get isFullOfCalls(): boolean {
    return this.#tools !== null && this.calls.length >= this.#tools.maxCalls;
  }

  /** Calls that have become complete since the last time. */
  takeCalls(): readonly ToolCall[] {
    const calls = this.#newCalls;
    this.#newCalls = [];
    return calls;
  }

  #called(body: string, { offered, maxCalls }: ReplyTools): void {
    // One that is being written is no call until it is understood.
    const begun = this.argumentStreams[this.calls.length];
    const calls = parseCalls(body, offered).slice(0, maxCalls - this.calls.length);
    if (calls.length === 0) this.argumentStreams.length = this.calls.length;
    for (const [i, call] of calls.entries()) {
      const stream = (i === 0 && begun) || new ArgumentStream(offered);
      stream.finish(call);
      this.argumentStreams[this.calls.length] = stream;
      this.calls.push(call);
      this.#newCalls.push(call);
    }
  }

  /** Reads on in the call that is being written. */
  #stream({ offered, maxCalls }: ReplyTools): void {
    const index = this.calls.length;
    const body = this.#reader!.body;
    if (body === null || index >= maxCalls) return;
    this.argumentStreams[index] ??= new ArgumentStream(offered);
    this.argumentStreams[index].push(body);
  }

  /** Nothing is to be heard of it before its calls, which can thus be told while they are written. */
  get tellsCallsAtOnce(): boolean {
    return this.isDelivering && (this.modality === 'text' || this.transcript.steps === 0);
  }

  /** Text to show now: empty while held. */
  step(step: ModelStep): string {
    if (step.isCall) return this.#callStep(step);
    const endsSegment = this.transcript.step(step.textDelta, step.codes[0], step.state);
    const semantic = this.modality === 'audio' && !endsSegment ? step.codes[0] : null;
    const babble = this.#guard?.step(step.textDelta, semantic, endsSegment);
    if (babble) this.good = { ...this.transcript.lastGood(babble.goodSteps), babble: babble.kind };
    this.input ??= step.input;
    if (step.textId >= 0) this.#textSteps += 1;
    else this.#audioSteps += 1;
    return this.#show(step.textDelta);
  }

  /** It is a call, or what only began like one: that may be read, but has no sound. */
  #callStep(step: ModelStep): string {
    this.input ??= step.input;
    this.#textSteps += 1;
    this.#hasCallText = true;
    const shown = this.#noCall(this.#reader?.push(step.textDelta) ?? '');
    if (this.#tools) this.#stream(this.#tools);
    return shown;
  }

  #noCall(text: string): string {
    if (this.modality === 'audio' || text === '') return '';
    this.transcript.finish(text);
    return this.#show(text);
  }

  /** Returns text that became readable only now. */
  end(reason: EndReason, textDelta: string, error: Reply['endError']): string {
    this.endReason = reason;
    this.endError = error;
    const inCall = this.#reader?.isInCall === true;
    if (inCall) this.#reader!.push(textDelta);
    const shown = inCall ? '' : textDelta;
    // A call that was broken off is none.
    const rest = reason !== 'ended' ? '' : this.#noCall(this.#reader?.finish() ?? '');
    this.transcript.finish(shown);
    return rest + this.#show(shown);
  }

  /** Its life goes on; true when the outside must be told now how it ended. */
  on(type: ReplyEvent['type']): boolean {
    return this.#phase.send({ type }).includes('tell');
  }

  /** Nothing of it is known outside. */
  get isSpeculative(): boolean {
    return this.#phase.snapshot.matches('speculative');
  }

  get isDelivering(): boolean {
    return this.#phase.snapshot.matches('delivering');
  }

  /** The outside knows how it ended. */
  get isTold(): boolean {
    return !this.isSpeculative && !this.isDelivering;
  }

  /** A client stopped it: it ends with what was sent. */
  get isCancelled(): boolean {
    return this.#phase.snapshot.matches('cancelled');
  }

  /** All there is of it has left. */
  get isAllSent(): boolean {
    const { snapshot } = this.#phase;
    return snapshot.matches('sent') || snapshot.matches('finished');
  }

  /** The endpoint was reached: the gate opens. Returns the text that was held. */
  deliver(): string {
    this.on('deliver');
    const text = this.#heldText;
    this.#heldText = '';
    return text;
  }

  usage(): Usage {
    const { all, cached } = this.input ?? NO_INPUT;
    return {
      inputTextTokens: all.text,
      inputAudioTokens: all.audio,
      inputImageTokens: all.image,
      cachedTextTokens: cached.text,
      cachedAudioTokens: cached.audio,
      cachedImageTokens: cached.image,
      outputTextTokens: this.#textSteps,
      outputAudioTokens: this.#audioSteps,
    };
  }

  /** How the reply ended by itself. */
  status(): ResponseStatus {
    if (this.endReason === 'failed') {
      const { code, message } = this.endError ?? { code: 'engine.failed', message: 'The reply failed.' };
      return { kind: 'failed', code, message };
    }
    if (this.good?.babble) return { kind: 'incomplete', reason: 'babble' };
    if (this.endReason === 'max-steps' || this.endReason === 'context-full') {
      return { kind: 'incomplete', reason: 'max-steps' };
    }
    return this.endReason === 'cancelled' && !this.isFullOfCalls
      ? { kind: 'cancelled', reason: 'asked' }
      : { kind: 'completed' };
  }

  /** It says that its calls are awaited, which they are no more; it is not all sent. */
  get isOutdated(): boolean {
    return this.isDelivering && this.calls.length > 0 && !this.goesOn && this.good === null;
  }

  /**
   * Ends at the end of the word that is being said after so many milliseconds of playing. Returns how many it then has.
   */
  endAtWord(heardMs: number): number {
    this.good = { ...this.transcript.nextWordEnd(heardMs * this.speed), babble: null };
    return this.good.heardMs / this.speed;
  }

  /** What counts as said: text that was shown is known, speech as far as it was heard, in milliseconds of playing. */
  cut(heardMs: number, place: CutPlace): Cut {
    const heard =
      this.modality === 'audio'
        ? this.transcript.cut(heardMs * this.speed, place)
        : { steps: this.transcript.steps, text: this.transcript.text.trim() };
    if (!this.good) return heard;
    // Where we ended it ourselves no more was to be heard than these words.
    const isAll = this.good.babble === null && Math.ceil(heardMs * this.speed) >= this.good.heardMs;
    return isAll || this.good.steps < heard.steps ? this.good : heard;
  }

  /** The item's content with this text and at most so many samples. */
  content(text: string, samples: number): ItemContent[] {
    if (this.modality === 'text') return [{ type: 'text', text }];
    return [audioContent(this.audio, text, samples)];
  }

  #show(text: string): string {
    if (!this.isSpeculative) return text;
    this.#heldText += text;
    return '';
  }
}
