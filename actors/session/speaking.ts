/**
 * The agent's side of a session: replies from the language model through speech tokenizer, GAN decoder and play-out, and
 * what becomes of them when they are rolled back, cancelled or interrupted.
 *
 *   language model ──step──► speech tokenizer ──frame──► GAN decoder ──speech──► play-out ──► response.audio
 *         └────────text (held until revealed)────────────────────────────────────────────► response.text
 */
import type { ModelDescription, Positions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { generationHeader, type Piece, systemTurn } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import type { Envelope } from '../core/message.ts';
import type { GanDecoderOutput } from '../gan-decoder/index.ts';
import type { LanguageModelOutput } from '../language-model/index.ts';
import { PlayOut } from '../play-out/index.ts';
import type { ResponseOptions, ResponseStatus, SessionEvent, SessionSettings } from '../session-api.ts';
import type { SpeechTokenizerOutput } from '../speech-tokenizer/index.ts';
import { TURN_DELAYS } from '../turn-taking/index.ts';
import type { ContextQueue, Ticket } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import { Reply } from './reply.ts';
import type { TurnAccount } from './turn-account.ts';
import type { GenerateRequest } from './user-turn.ts';

export interface SpeakingDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly model: ModelDescription;
  readonly settings: () => SessionSettings;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  readonly makeRoom: () => void;
  /** Runs what a timer starts; a failure ends the session. */
  readonly enter: (action: () => void) => void;
  /** Nothing of any reply is left to be heard. */
  readonly onFinished: () => void;
  /** The held reply failed before it was revealed. */
  readonly onHeldFailed: () => void;
}

export class Speaking {
  readonly playOut: PlayOut;
  readonly #deps: SpeakingDeps;
  /** Replies that are generated, sent or not yet heard, oldest first, by item. */
  readonly #replies = new Map<string, Reply>();
  readonly #tickets = new Map<string, Ticket>();
  /** Replies that are over but may still be cut by a client's report. */
  readonly #past = new Map<string, Reply>();

  constructor(deps: SpeakingDeps) {
    this.#deps = deps;
    this.playOut = new PlayOut({
      clock: deps.clock,
      sampleRate: deps.model.outputSampleRate,
      delivery: deps.settings().delivery,
      reportGraceMs: TURN_DELAYS.reportGraceMs,
      onAudio: (itemId, samples, playsAtMs) =>
        deps.enter(() => this.#audioLeaves(itemId, samples, playsAtMs)),
      onSent: itemId => deps.enter(() => this.#allSent(itemId)),
      onHeard: itemId => deps.enter(() => this.#allHeard(itemId)),
    });
  }

  /** The reply that a client may cancel. */
  get active(): Reply | null {
    for (const reply of this.#replies.values()) if (reply.revealed && !reply.done) return reply;
    return null;
  }

  /** A reply is not complete at play-out yet. */
  get busy(): boolean {
    return [...this.#replies.values()].some(reply => !reply.done);
  }

  /** A speculative reply. */
  get held(): Reply | null {
    for (const reply of this.#replies.values()) if (!reply.revealed) return reply;
    return null;
  }

  /** A new reply, held, and what to ask the language model for. */
  prepare(
    account: TurnAccount,
    options: Partial<ResponseOptions>,
  ): { readonly reply: Reply; readonly request: GenerateRequest } {
    const { model, newId, settings, write } = this.#deps;
    const current = settings();
    const modality = options.outputModality ?? current.outputModality;
    const identity = {
      generationId: newId('gen'),
      responseId: newId('resp'),
      itemId: newId('item'),
      modality,
      metadata: options.metadata ?? {},
      account,
    };
    const reply = new Reply(identity, model.codeFrameMs);
    this.#replies.set(reply.itemId, reply);
    this.playOut.closeGate();
    const header = [
      ...(options.instructions ? systemTurn(options.instructions) : []),
      generationHeader(modality),
    ];
    const request: GenerateRequest = {
      generationId: reply.generationId,
      itemId: reply.itemId,
      header: write(reply.itemId, header),
      options: {
        speech: modality === 'audio',
        maxSteps: options.maxReplySteps ?? current.maxReplySteps,
        temperature: current.temperature,
        topK: current.topK,
        topP: current.topP,
        repetitionPenalty: current.repetitionPenalty,
      },
    };
    return { reply, request };
  }

  /** Asks for the reply when everything before it is in the context. */
  generate(reply: Reply, request: GenerateRequest): void {
    const { line, queue } = this.#deps;
    const ticket = queue.defer(() => {
      this.#tickets.delete(reply.itemId);
      line.languageModel('context', { type: 'generate', ...request, close: null });
      line.languageModel('context', { type: 'commit', generationId: reply.generationId });
    });
    this.#tickets.set(reply.itemId, ticket);
    ticket.ready();
  }

  /** t4: the outside learns of the reply, the gate opens. */
  reveal(reply: Reply): void {
    const { conversation, emit, makeRoom } = this.#deps;
    const { responseId, itemId, metadata } = reply;
    const text = reply.reveal();
    reply.input = conversation.contextTokens();
    emit({ type: 'response.created', responseId, itemId, metadata });
    makeRoom();
    const item = conversation.add({ id: itemId, role: 'assistant', content: [] }, 'in_progress');
    emit({ type: 'item.added', item });
    if (text !== '') emit({ type: 'response.text', responseId, itemId, delta: text });
    if (this.playOut.heldSamples(itemId) > 0) reply.account.mark('gate', this.#deps.clock.nowMs());
    this.playOut.openGate();
    if (reply.modality === 'text' && reply.endReason !== null) this.#allSent(itemId);
  }

  /** The held reply is void. The language model is told by the caller. */
  dropHeld(): Reply | null {
    const reply = this.held;
    if (!reply) return null;
    this.#replies.delete(reply.itemId);
    this.#deps.conversation.leftContext(reply.itemId);
    this.playOut.discard(reply.itemId);
    this.#deps.line.raiseEpoch();
    this.#deps.line.ganDecoder('control', { type: 'discard', generationId: reply.generationId });
    return reply;
  }

  fromLanguageModel(message: Envelope<Extract<LanguageModelOutput, { type: 'step' | 'ended' }>>): void {
    const output = message.body;
    const reply = this.#replies.get(output.itemId);
    if (!reply || reply.generationId !== output.generationId || reply.cancelled) return;
    const { line } = this.#deps;
    const { generationId, itemId } = output;
    if (output.type === 'step') {
      this.#mark(reply, output.index === 0 ? 'prefill' : 'decode');
      this.#showText(reply, reply.step(output));
      const { index, codes } = output;
      if (reply.modality === 'audio')
        line.speechTokenizer('steps', { type: 'step', generationId, index, codes }, message);
      return;
    }
    if (output.reason === 'rolled-back') return;
    if (output.reason === 'failed' && !reply.revealed) {
      this.#deps.onHeldFailed();
      return;
    }
    this.#showText(reply, reply.end(output.reason, output.textDelta, output.error));
    if (reply.modality === 'audio') line.speechTokenizer('steps', { type: 'end', generationId }, message);
    else if (reply.revealed) this.#allSent(itemId);
  }

  fromSpeechTokenizer(message: Envelope<Extract<SpeechTokenizerOutput, { type: 'frame' | 'end' }>>): void {
    const { line } = this.#deps;
    if (line.isStale(message)) return;
    const output = message.body;
    const { generationId } = output;
    if (output.type === 'end') line.ganDecoder('frames', { type: 'end', generationId }, message);
    else
      line.ganDecoder(
        'frames',
        { type: 'frame', generationId, step: output.step, codes: output.codes },
        message,
      );
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    const output = message.body;
    const reply = [...this.#replies.values()].find(
      candidate => candidate.generationId === output.generationId,
    );
    if (!reply || reply.cancelled || this.#deps.line.isStale(message)) return;
    if (output.type === 'speech') {
      this.#mark(reply, 'vocoder');
      this.playOut.add(reply.itemId, output.samples);
    } else if (output.type === 'end') this.playOut.finish(reply.itemId);
    else this.#speechFailed(reply, output);
  }

  /** The client stops the reply: what was sent will be heard, nothing more. */
  cancel(reply: Reply): void {
    const { line } = this.#deps;
    reply.cancelled = true;
    this.#stop(reply);
    line.raiseEpoch();
    this.#finish(reply, { kind: 'cancelled', reason: 'client_cancelled' });
    if (reply.modality === 'audio') this.playOut.dropUnsent(reply.itemId);
    else this.#allHeard(reply.itemId);
  }

  /**
   * t5: everything stops; each reply keeps what was heard of it. A reply that has not even been asked for, because the end
   * of the user's turn is still being encoded, is cut to nothing when its turn comes: the end of the user's turn stays.
   */
  interrupt(): void {
    const { emit, line } = this.#deps;
    line.raiseEpoch();
    const replies = [...this.#replies.values()];
    this.#replies.clear();
    const heard = new Map(this.playOut.clear().map(cut => [cut.itemId, cut.heardSamples]));
    emit({ type: 'playout.clear', itemId: replies.at(-1)?.itemId ?? null });
    for (const reply of replies) {
      this.#stop(reply);
      this.#finish(reply, { kind: 'cancelled', reason: 'turn_detected' }, heard.get(reply.itemId) ?? 0);
      this.#settle(reply, heard.get(reply.itemId) ?? 0, true);
    }
  }

  /** Errors `item.unknown`, `item.no-audio`. */
  checkTruncate(itemId: string): void {
    this.#deps.conversation.get(itemId);
    const reply = this.#replies.get(itemId) ?? this.#past.get(itemId);
    if (reply?.modality === 'audio') return;
    throw new RuntimeError(
      'item.no-audio',
      'Only spoken replies can be truncated.',
      { itemId },
      'Give the id of a recent assistant item with audio.',
    );
  }

  /** A client's word on how much was heard. It can take away, never give back: what was cut is gone. */
  truncate(itemId: string, audioEndMs: number): void {
    const playing = this.#replies.get(itemId);
    const reply = playing ?? this.#past.get(itemId);
    if (!reply) return;
    const samples = Math.max(0, audioEndMs) * (this.#deps.model.outputSampleRate / 1000);
    if (playing) {
      // Whoever truncates has stopped playing: nothing more of this reply will be heard.
      this.#replies.delete(itemId);
      this.#deps.line.raiseEpoch();
      this.#stop(reply);
      this.playOut.dropUnsent(itemId);
      this.playOut.ledger.freeze(itemId, samples);
      this.#finish(reply, { kind: 'cancelled', reason: 'client_cancelled' });
      this.#settle(reply, this.playOut.ledger.heardSamples(itemId), true);
      if (this.#replies.size === 0) this.#deps.onFinished();
    } else {
      this.playOut.ledger.freeze(itemId, samples);
      this.#cutHistory(reply, this.playOut.ledger.heardSamples(itemId));
    }
  }

  /**
   * The transport's word on how much left towards the ear. A first report that comes after the interruption and says less
   * than was assumed takes the rest out of the context.
   */
  report(itemId: string, samples: number): void {
    const { ledger } = this.playOut;
    const before = ledger.heardSamples(itemId);
    this.playOut.report(itemId, samples);
    const reply = this.#past.get(itemId);
    if (reply?.modality === 'audio' && ledger.heardSamples(itemId) < before) {
      this.#cutHistory(reply, ledger.heardSamples(itemId));
    }
  }

  /** The item was deleted: its reply stops and is not kept. */
  forget(itemId: string): void {
    this.#past.delete(itemId);
    this.playOut.ledger.forget(itemId);
  }

  close(): void {
    this.playOut.close();
    this.#replies.clear();
  }

  /** Once there is sound that waits at the gate, what else is being made costs the user nothing. */
  #mark(reply: Reply, cause: string): void {
    if (this.playOut.heldSamples(reply.itemId) > 0) return;
    reply.account.mark(cause, this.#deps.clock.nowMs());
  }

  #showText(reply: Reply, delta: string): void {
    if (delta === '') return;
    const { responseId, itemId } = reply;
    this.#deps.emit({ type: 'response.text', responseId, itemId, delta });
  }

  #audioLeaves(itemId: string, samples: Float32Array, playsAtMs: number): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    reply.account.firstAudio(playsAtMs);
    reply.audio.push(samples);
    this.#deps.emit({ type: 'response.audio', responseId: reply.responseId, itemId, samples });
  }

  #allSent(itemId: string): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    if (!reply.cancelled) this.#finish(reply, reply.status());
    if (reply.modality === 'text') this.#allHeard(itemId);
  }

  #allHeard(itemId: string): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    this.#replies.delete(itemId);
    this.#settle(reply, this.playOut.ledger.heardSamples(itemId), reply.cancelled);
    if (this.#replies.size === 0) this.#deps.onFinished();
  }

  #speechFailed(reply: Reply, error: { readonly code: string; readonly message: string }): void {
    this.#stop(reply);
    reply.endReason = 'failed';
    reply.endError = { code: error.code, message: error.message };
    if (reply.revealed) this.playOut.finish(reply.itemId);
    else this.#deps.onHeldFailed();
  }

  /** The language model need not go on with this reply. */
  #stop(reply: Reply): void {
    const ticket = this.#tickets.get(reply.itemId);
    this.#tickets.delete(reply.itemId);
    ticket?.cancel();
    const { line } = this.#deps;
    if (reply.endReason === null && !ticket) {
      line.languageModel('control', { type: 'cancel', generationId: reply.generationId });
    }
    line.ganDecoder('control', { type: 'discard', generationId: reply.generationId });
  }

  /** `heardSamples` when it is known already that no more than that will be. */
  #finish(reply: Reply, status: ResponseStatus, heardSamples = Number.POSITIVE_INFINITY): void {
    if (reply.done || !reply.revealed) return;
    reply.done = true;
    const { conversation, emit } = this.#deps;
    const { itemId, responseId } = reply;
    if (conversation.find(itemId)) {
      const content = reply.content(
        reply.cut(this.#ms(heardSamples), this.#deps.settings().truncateAt).text,
        heardSamples,
      );
      const item = conversation.update(itemId, {
        status: status.kind === 'completed' ? 'completed' : 'incomplete',
        content,
      });
      emit({ type: 'item.done', item });
    }
    emit({ type: 'response.done', responseId, itemId, status, usage: reply.usage() });
  }

  /** The reply is over: the context keeps what was heard, the turn's account is closed. */
  #settle(reply: Reply, heardSamples: number, stopped: boolean): void {
    const { clock, emit } = this.#deps;
    if (stopped) this.#cutHistory(reply, heardSamples);
    reply.account.note('end', clock.nowMs());
    const heardMs = this.#ms(heardSamples);
    const text = stopped
      ? reply.cut(heardMs, this.#deps.settings().truncateAt).text
      : reply.transcript.text.trim();
    emit({ type: 'turn.trace', trace: reply.account.trace({ text, interrupted: stopped, heardMs }) });
    this.#past.set(reply.itemId, reply);
    const [oldest] = this.#past.keys();
    if (this.#past.size > 32) this.forget(oldest);
  }

  #cutHistory(reply: Reply, heardSamples: number): void {
    const { conversation, emit, line, queue } = this.#deps;
    const { itemId } = reply;
    const heardMs = this.#ms(heardSamples);
    const { steps, text } = reply.cut(heardMs, this.#deps.settings().truncateAt);
    queue.push(() => line.languageModel('context', { type: 'truncate', itemId, steps }));
    if (steps === 0) conversation.leftContext(itemId);
    if (!conversation.find(itemId)) return;
    conversation.update(itemId, { status: 'incomplete', content: reply.content(text, heardSamples) });
    if (reply.modality === 'audio')
      emit({ type: 'item.truncated', itemId, audioEndMs: Math.floor(heardMs), text });
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#deps.model.outputSampleRate;
  }
}
