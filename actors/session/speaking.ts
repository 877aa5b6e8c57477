/**
 * The agent's side of a session: replies from the language model through GAN decoder and play-out, and
 * what becomes of them when they are rolled back, cancelled or interrupted.
 *
 *   language model ──step──► code frames ──► GAN decoder ──speech──► play-out ──► response.audio
 *         └────────text (held until delivered)───────────────────────────────► response.text
 */
import type { Positions } from '../../kernels/engine/index.ts';
import type { Address, Envelope } from '../core/message.ts';
import type { GanDecoderOutput } from '../gan-decoder/index.ts';
import type { LanguageModelOutput } from '../language-model/index.ts';
import { type PlayOutOutput, playsByItself } from '../play-out/index.ts';
import { GenerationRequests } from './generation-requests.ts';
import { newReply } from './new-reply.ts';
import { Outcome } from './outcome.ts';
import { Replies } from './replies.ts';
import type { Reply } from './reply.ts';
import { ReplyCalls } from './reply-calls.ts';
import type { ReplyRequest } from './reply-request.ts';
import type { SpeakingDeps, SpeakingEvents } from './speaking-deps.ts';
import type { TurnAccount } from './turn-account.ts';
import type { GenerateRequest } from './user-turn.ts';

type StepOutput = Extract<LanguageModelOutput, { type: 'step' }>;

export class Speaking {
  readonly #deps: SpeakingDeps;
  readonly #on: SpeakingEvents;
  readonly #replies = new Replies();
  readonly #requests: GenerationRequests;
  readonly #calls: ReplyCalls;
  readonly #outcome: Outcome;

  constructor(deps: SpeakingDeps, on: SpeakingEvents) {
    this.#deps = deps;
    this.#on = on;
    this.#outcome = new Outcome(deps);
    this.#calls = new ReplyCalls(deps);
    this.#requests = new GenerationRequests(deps.line, deps.queue);
  }

  /** The reply that a client may cancel. */
  get active(): Reply | null {
    return this.#replies.active;
  }

  /** A reply is not complete at play-out yet. */
  get busy(): boolean {
    return this.#replies.busy;
  }

  /** Something of a reply is still to be heard, or may be. */
  get isPlaying(): boolean {
    return this.#replies.size > 0;
  }

  /** The reply that was begun before the endpoint. */
  get speculative(): Reply | null {
    return this.#replies.speculative;
  }

  /** A new reply, held, and what to ask the language model for. */
  prepare(
    account: TurnAccount,
    options: ReplyRequest,
  ): { readonly reply: Reply; readonly request: GenerateRequest } {
    const { reply, request } = newReply(this.#deps, account, options);
    this.#replies.add(reply);
    this.#deps.line.playOut('control', { type: 'gate', open: false });
    return { reply, request };
  }

  /** Asks for the reply once the context holds all before it; with `compose`, once what that is made of is there. */
  generate(
    reply: Reply,
    request: GenerateRequest,
    compose: ((done: (input: Positions) => void) => void) | null,
  ): void {
    reply.isWanted = true;
    this.#requests.ask(reply, request, compose);
  }

  /** t4: the outside learns of the reply, the gate opens. */
  deliver(reply: Reply): void {
    const { emit, work } = this.#deps;
    const { responseId, itemId } = reply;
    const text = reply.deliver();
    emit({ type: 'response.created', responseId, itemId });
    const show = () => this.#show(reply, text);
    const waits = this.#calls.wait(reply, show);
    if (!waits) {
      if (!reply.mayCall || text !== '') this.#open(reply);
      work.delivered(reply);
      show();
      this.#calls.tellArguments(reply);
      return;
    }
    if (work.isReady(reply)) {
      work.announced(reply);
      this.#skip(reply);
    }
    work.delivered(reply);
  }

  /** The item enters the conversation. */
  #open(reply: Reply): void {
    const { conversation, emit, makeRoom } = this.#deps;
    if (conversation.find(reply.itemId) || reply.isTold) return;
    makeRoom();
    const item = conversation.add({ id: reply.itemId, role: 'assistant', content: [] }, 'in_progress');
    emit({ type: 'item.added', item });
  }

  #show(reply: Reply, text: string): void {
    const { clock, line } = this.#deps;
    this.#showText(reply, text);
    if (reply.heldSamples > 0) reply.account.silenceEnded('gate', clock.nowMs());
    line.playOut('control', { type: 'gate', open: true });
    if (reply.modality === 'text' && reply.endReason !== null) this.#allSent(reply.itemId);
  }

  /** All that the reply called has answered: what follows from it is in the context. */
  resultsAreIn(reply: Reply): void {
    if (this.#calls.waits(reply)) this.#skip(reply);
  }

  /** The results are there: that they are awaited need not be said. */
  #skip(reply: Reply): void {
    const { line } = this.#deps;
    this.#calls.letGo();
    this.#replies.delete(reply.itemId);
    line.playOut('control', { type: 'discard', itemId: reply.itemId });
    line.ganDecoder('control', { type: 'discard', generationId: reply.generationId });
    line.playOut('control', { type: 'gate', open: true });
    reply.keepsCall = true;
    this.#outcome.end(reply, 'cut', { kind: 'completed' }, 0);
    this.#outcome.settle(reply, 0, true);
  }

  /** The speculation is void. The language model is told by the caller. */
  rollback(): void {
    const reply = this.speculative;
    if (!reply) return;
    reply.on('rollback');
    this.#deps.work.rolledBack(reply);
    this.#replies.delete(reply.itemId);
    const { conversation, line } = this.#deps;
    conversation.leftContext(reply.itemId);
    line.playOut('control', { type: 'discard', itemId: reply.itemId });
    line.raiseEpoch();
    line.ganDecoder('control', { type: 'discard', generationId: reply.generationId });
  }

  /** The language model's next step; what it leads to keeps its address. */
  step(of: Address, output: StepOutput): void {
    const reply = this.#replies.of(output);
    if (!reply || reply.good) return;
    const { generationId, itemId, codes, waitProbability } = output;
    if (waitProbability !== null && reply.isSpeculative) {
      this.#on.onWaitProbability(waitProbability);
      if (!this.#replies.get(itemId)) return;
    }
    this.#markStep(reply, output);
    this.#showText(reply, reply.step(output));
    if (reply.good) {
      this.#endBabble(reply, reply.good);
      return;
    }
    if (output.isCall) {
      this.#calls.decoded(reply);
      return;
    }
    const frame = reply.modality === 'audio' ? reply.frames.step(codes) : null;
    if (frame) this.#deps.line.ganDecoder('frames', { type: 'frame', generationId, codes: frame }, of);
  }

  /** The language model has made the last step. */
  ended(of: Address, output: Extract<LanguageModelOutput, { type: 'ended' }>): void {
    const reply = this.#replies.of(output);
    if (!reply || output.reason === 'rolled-back') return;
    const { line } = this.#deps;
    const { generationId, itemId } = output;
    // One that was asked for may fail at once, before it is delivered.
    if (output.reason === 'failed' && reply.isSpeculative && !reply.isWanted) {
      this.#on.onSpeculationFailed();
      return;
    }
    const rest = reply.end(output.reason, output.textDelta, output.error);
    if (!reply.good) this.#showText(reply, rest);
    this.#calls.ended(reply);
    if (!this.#replies.get(itemId)) return;
    if (reply.modality === 'audio') line.ganDecoder('frames', { type: 'end', generationId }, of);
    else if (!reply.isSpeculative) this.#allSent(itemId);
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    const output = message.body;
    const { line } = this.#deps;
    if (line.isStale(message)) return;
    const reply = this.#replies.ofGeneration(output.generationId);
    if (!reply) return;
    const { itemId } = reply;
    if (output.type === 'speech') {
      this.#endFiller(reply);
      this.#mark(reply, 'vocoder');
      reply.heldSamples += output.samples.length;
      const { speed } = reply;
      line.playOut('speech', { type: 'speech', itemId, samples: output.samples, speed }, message);
    } else if (output.type === 'end') line.playOut('speech', { type: 'end', itemId }, message);
    else this.#speechFailed(reply, output);
  }

  /** The client stops the reply: what was sent will be heard, nothing more. */
  cancel(reply: Reply): void {
    const { line, work } = this.#deps;
    this.#calls.letGo();
    work.left();
    this.#stop(reply);
    line.raiseEpoch();
    this.#outcome.end(reply, 'cancel', { kind: 'cancelled', reason: 'asked' });
    if (reply.modality === 'audio') line.playOut('control', { type: 'drop-unsent', itemId: reply.itemId });
    else this.#allHeard(reply.itemId);
    this.#tellSent();
  }

  /** The session ends: what items say of replies is what was heard by now. */
  leave(): void {
    for (const reply of this.#replies.takeAll())
      this.#outcome.leave(reply, this.#deps.ledger.freeze(reply.itemId));
  }

  /**
   * t5: everything stops; each reply keeps what was heard of it. One that is not asked for yet, because the end of the
   * user's turn is still being encoded, is cut to nothing when its turn comes: the end of the user's turn stays.
   */
  interrupt(): void {
    const { clock, emit, ledger, line, work } = this.#deps;
    this.#calls.letGo();
    work.left();
    line.raiseEpoch();
    const replies = this.#replies.takeAll();
    const heard = replies.map(({ itemId }) => ledger.freeze(itemId));
    line.playOut('control', { type: 'clear' });
    line.perceive('control', { type: 'silenced', atMs: clock.nowMs() });
    emit({ type: 'playout.clear', itemId: replies.at(-1)?.itemId ?? null });
    replies.forEach((reply, i) => {
      this.#stop(reply);
      this.#outcome.end(reply, 'cut', { kind: 'cancelled', reason: 'interrupted' }, heard[i]);
      this.#outcome.settle(reply, heard[i], true);
    });
  }

  /** The spoken reply of this item, if it may still be cut. */
  spoken(itemId: string): Reply | null {
    const reply = this.#replies.get(itemId) ?? this.#outcome.past(itemId);
    return reply?.modality === 'audio' ? reply : null;
  }

  /** What is said by the end of so many samples of it. */
  wordsWithin(itemId: string, samples: number): string {
    return this.spoken(itemId)?.cut((samples * 1000) / this.#deps.model.outputSampleRate, 'word').text ?? '';
  }

  /** A client's word on how much was heard. Whoever truncates has stopped playing: no more of it will be heard. */
  truncate(itemId: string, audioEndMs: number): void {
    const { clock, ledger, line, model } = this.#deps;
    const playing = this.#replies.get(itemId);
    const past = this.#outcome.past(itemId);
    const samples = Math.max(0, audioEndMs) * (model.outputSampleRate / 1000);
    if (!playing) {
      if (past) this.#outcome.truncate(past, samples);
      return;
    }
    this.#replies.delete(itemId);
    // What is being made for a later reply lives on.
    if (!playing.isTold) line.raiseEpoch();
    this.#stop(playing);
    const heard = ledger.stoppedAt(itemId, samples);
    line.playOut('control', { type: 'stopped', itemId });
    this.#outcome.end(playing, 'cut', { kind: 'cancelled', reason: 'asked' }, heard);
    this.#outcome.settle(playing, heard, true);
    if (this.#replies.size > 0) return;
    line.perceive('control', { type: 'silenced', atMs: clock.nowMs() });
    this.#on.onFinished();
  }

  /** The transport's word on how much left towards the ear. */
  report(itemId: string, samples: number, atMs: number, firstAtMs?: number): void {
    this.#outcome.report(itemId, samples, atMs, firstAtMs);
    this.#deps.line.playOut('control', { type: 'reported', itemId });
  }

  /** The item was deleted: its reply stops and is not kept. */
  forget(itemId: string): void {
    const { active } = this;
    if (active?.itemId === itemId) this.cancel(active);
    this.#outcome.forget(itemId);
  }

  fromPlayOut(output: PlayOutOutput): void {
    if (output.type === 'audio') this.#audioLeaves(output.itemId, output.samples, output.playsAtMs);
    else if (output.type === 'sent') this.#allSent(output.itemId);
    else this.#allHeard(output.itemId);
  }

  /** A server that keeps no context computes it again while the user waits: said, not hidden in the first step. */
  #markStep(reply: Reply, { index, handover, hopMs }: StepOutput): void {
    if (handover && reply.heldSamples === 0)
      reply.account.markAgo('sending context', handover.prefillMs, this.#deps.clock.nowMs());
    this.#mark(reply, handover ? 're-prefill' : index === 0 ? 'prefill' : 'decode', hopMs);
  }

  /** Once there is sound that waits at the gate, what else is being made costs the user nothing. */
  #mark(reply: Reply, cause: string, hopMs = 0): void {
    if (reply.heldSamples > 0) return;
    reply.account.markStep(cause, hopMs, this.#deps.clock.nowMs());
  }

  #showText(reply: Reply, delta: string): void {
    if (delta === '') return;
    const { responseId, itemId } = reply;
    this.#open(reply);
    this.#deps.emit({ type: 'response.text', responseId, itemId, delta });
  }

  #audioLeaves(itemId: string, samples: Float32Array, playsAtMs: number): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    reply.heldSamples = Math.max(0, reply.heldSamples - samples.length * reply.speed);
    reply.account.firstAudio(playsAtMs);
    if (this.#deps.rejectsEcho)
      this.#deps.line.perceive('control', { type: 'played', samples, atMs: playsAtMs });
    reply.audio.push(samples);
    this.#open(reply);
    this.#deps.emit({ type: 'response.audio', responseId: reply.responseId, itemId, samples });
  }

  #allSent(itemId: string): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    if (this.#calls.show(reply)) this.#open(reply);
    this.#outcome.end(reply, 'sent', reply.status());
    if (reply.modality === 'text') this.#allHeard(itemId);
    else this.#tellSent();
  }

  /** Where we pace, what has left is as good as heard. */
  #tellSent(): void {
    if (playsByItself(this.#deps.speaker()) && !this.busy) this.#on.onSent();
  }

  #allHeard(itemId: string): void {
    const reply = this.#replies.get(itemId);
    if (!reply) return;
    this.#replies.delete(itemId);
    const stopped = reply.isCancelled || reply.good !== null;
    reply.on('heard');
    this.#outcome.settle(reply, this.#deps.ledger.heardSamples(itemId), stopped);
    if (this.#replies.size > 0) return;
    if (this.#deps.work.isPending) this.#on.onWaits();
    else this.#on.onFinished();
  }

  /** Nothing more is generated, and no more heard than what was good; the generation's end ends the reply as ever. */
  #endBabble(reply: Reply, good: { readonly heardMs: number }): void {
    const { line, model } = this.#deps;
    const { generationId, itemId } = reply;
    line.languageModel('control', { type: 'cancel', generationId });
    const samples = Math.ceil((good.heardMs * model.outputSampleRate) / 1000 / reply.speed);
    if (reply.modality === 'audio') line.playOut('control', { type: 'limit', itemId, samples });
  }

  /** What follows from the results can be heard: that they are awaited is said to the end of a word, where we pace. */
  #endFiller(answer: Reply): void {
    const { ledger, line, model, speaker } = this.#deps;
    const filler = this.#replies.outdated;
    if (!filler || filler === answer || playsByItself(speaker())) return;
    const { itemId } = filler;
    const samplesPerMs = model.outputSampleRate / 1000;
    const endMs = filler.endAtWord(ledger.sentSamples(itemId) / samplesPerMs);
    line.playOut('control', { type: 'limit', itemId, samples: Math.ceil(endMs * samplesPerMs) });
  }

  #speechFailed(reply: Reply, error: { readonly code: string; readonly message: string }): void {
    this.#stop(reply);
    reply.endReason = 'failed';
    reply.endError = { code: error.code, message: error.message };
    if (reply.isSpeculative) this.#on.onSpeculationFailed();
    else this.#deps.line.playOut('speech', { type: 'end', itemId: reply.itemId });
  }

  /** Nobody need go on with this reply. */
  #stop(reply: Reply): void {
    this.#requests.callOff(reply);
    this.#deps.line.ganDecoder('control', { type: 'discard', generationId: reply.generationId });
  }
}
