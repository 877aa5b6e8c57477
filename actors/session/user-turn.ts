/**
 * One user turn while it is heard: its audio goes to the audio encoder, its pictures to the vision encoder, and each chunk
 * that is complete into the context (spec/model.md §5.3, §6.1). At t3 the tail is computed from a finished copy of the
 * encoder; a rollback forgets it, a commit makes it the end of the turn.
 */
import type { Positions } from '../../kernels/engine/index.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import {
  type FrameUnit,
  LiveInterleaver,
  NO_TOKENS,
  type Piece,
  type TokenCount,
} from '../chunk-interleaver/index.ts';
import type { ContextCommand } from '../language-model/index.ts';
import type { SampledUnit } from '../perceive/index.ts';
import type { ContextQueue, Ticket } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';

export type GenerateRequest = Omit<Extract<ContextCommand, { type: 'generate' }>, 'type' | 'close'>;

export interface UserTurnDeps {
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly hiddenSize: number;
  /** Pieces to positions; counts them for the account of the item. */
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly encodeUnit: (unitId: string, unit: SampledUnit) => void;
  /** A step of the way to the reply is over. */
  readonly mark: (cause: string) => void;
  /** Words of the live caption; `text` is all of it, `final` comes once, after `end` or `commit`. */
  readonly onCaption: (caption: {
    readonly delta: string;
    readonly text: string;
    readonly final: boolean;
  }) => void;
}

type Flush = Pick<VectorsAnswer, 'vectors' | 'count' | 'firstIndex' | 'captions'>;
type VectorsAnswer = Extract<AudioEncoderOutput, { type: 'vectors' }>;

interface Speculation {
  readonly id: number;
  readonly request: GenerateRequest;
  readonly ticket: Ticket;
  /** The account of the turn without its tail. */
  tokensBefore: TokenCount;
  flush: Flush | null;
}

export class UserTurn {
  readonly itemId: string;
  readonly #deps: UserTurnDeps;
  readonly #interleaver: LiveInterleaver;
  readonly #samples: Float32Array[] = [];
  readonly #units = new Map<string, number>();
  #sampleCount = 0;
  #unitCount = 0;
  #speculation: Speculation | null = null;
  #speculations = 0;
  #ending: { readonly ticket: Ticket; flush: Flush | null } | null = null;
  readonly #prefills: boolean;
  #caption = '';
  #captionIsFinal = false;
  /** No audio is added any more. */
  #closed = false;

  /**
   * `leading`: the buffered sparse units. A turn that a client commits `byHand` goes into the encoders only: until
   * then replies to other items may be asked for, and they must not see half a turn.
   */
  constructor(itemId: string, leading: readonly FrameUnit[], byHand: boolean, deps: UserTurnDeps) {
    this.itemId = itemId;
    this.#prefills = !byHand;
    this.#deps = deps;
    this.#interleaver = new LiveInterleaver(deps.hiddenSize, leading);
    deps.line.utterance({ type: 'begin', utteranceId: itemId });
    this.#advance();
  }

  /** Words recognised so far; empty where the model has no caption head. */
  get caption(): string {
    return this.#caption;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** True while the encoders owe something that the context waits for. */
  get unfinished(): boolean {
    return (
      (this.#ending !== null && !this.#ending.ticket.done) ||
      (this.#speculation !== null && !this.#speculation.ticket.done)
    );
  }

  /** All audio of the turn. */
  samples(): Float32Array {
    const joined = new Float32Array(this.#sampleCount);
    let at = 0;
    for (const part of this.#samples) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  audio(samples: Float32Array): void {
    if (this.#closed) return;
    this.#samples.push(samples);
    this.#sampleCount += samples.length;
    this.#deps.line.utterance({ type: 'audio', utteranceId: this.itemId, samples });
  }

  /** The pictures of a chunk of this turn. */
  picture(unit: SampledUnit): void {
    const chunk = unit.chunk ?? 0;
    const unitId = `${this.itemId}.${this.#unitCount++}`;
    this.#units.set(unitId, chunk);
    this.#interleaver.expectUnit(chunk);
    this.#deps.encodeUnit(unitId, unit);
  }

  /** A second of audio is full. */
  endChunk(unit: SampledUnit | null): void {
    if (unit) this.picture(unit);
    this.#interleaver.endChunk();
    this.#advance();
  }

  /** An answer of the vision encoder; `null` where the unit was dropped. False when the unit is not of this turn. */
  unit(unitId: string, unit: FrameUnit | null): boolean {
    const chunk = this.#units.get(unitId);
    if (chunk === undefined) return false;
    this.#units.delete(unitId);
    if (unit) this.#interleaver.unitEncoded(chunk, unit);
    else this.#interleaver.unitLost(chunk);
    this.#advance();
    return true;
  }

  /** An answer of the audio encoder for this turn. */
  vectors(answer: VectorsAnswer): void {
    if (answer.speculationId !== null) {
      if (answer.speculationId !== this.#speculation?.id) return;
      this.#speculation.flush = answer;
      this.#deps.mark('audio encoding');
      if (this.#closed) this.finishCaption();
    } else if (answer.last && this.#ending) {
      this.#ending.flush = answer;
      this.#deps.mark('audio encoding');
      this.finishCaption();
    } else {
      this.#interleaver.audio(answer.vectors, answer.count);
      this.#addCaption(answer, false);
    }
    this.#advance();
  }

  /** The turn is an item now: its caption ends with the flushed words, as soon as they are known. */
  finishCaption(): void {
    const flush = (this.#speculation ?? this.#ending)?.flush;
    if (flush) this.#addCaption(flush, true);
  }

  /** t3. The reply begins as soon as the tail is encoded. */
  speculate(request: GenerateRequest): void {
    const id = ++this.#speculations;
    const ticket = this.#deps.queue.defer(() => this.#generate());
    this.#speculation = { id, request, ticket, tokensBefore: NO_TOKENS, flush: null };
    this.#deps.line.utterance({
      type: 'speculate',
      utteranceId: this.itemId,
      speculationId: id,
    });
  }

  /** The user resumed. */
  rollback(): void {
    const speculation = this.#speculation;
    if (!speculation) return;
    this.#speculation = null;
    const begun = speculation.ticket.done;
    speculation.ticket.cancel();
    const { conversation, line } = this.#deps;
    line.utterance({
      type: 'rollback',
      utteranceId: this.itemId,
      speculationId: speculation.id,
    });
    if (begun) {
      conversation.restoreTokens(this.itemId, speculation.tokensBefore);
      line.languageModel('context', { type: 'rollback', generationId: speculation.request.generationId });
    }
    this.#advance();
  }

  /** t4 with the speculation as the reply. */
  commit(): void {
    const speculation = this.#speculation;
    if (!speculation) return;
    this.#closed = true;
    const { line, queue } = this.#deps;
    line.utterance({
      type: 'commit',
      utteranceId: this.itemId,
      speculationId: speculation.id,
    });
    queue.push(() => {
      line.languageModel('context', { type: 'commit', generationId: speculation.request.generationId });
    });
  }

  /** The turn ends without a speculation: its tail goes into the context when it is encoded. */
  end(): void {
    this.#closed = true;
    this.#ending = {
      ticket: this.#deps.queue.defer(() => this.#writeTail(this.#ending!.flush!)),
      flush: null,
    };
    this.#deps.line.utterance({ type: 'end', utteranceId: this.itemId });
  }

  /** As if the turn had never been. */
  discard(): void {
    this.#closed = true;
    this.#speculation?.ticket.cancel();
    this.#ending?.ticket.cancel();
    const { line, queue } = this.#deps;
    line.utterance({ type: 'discard', utteranceId: this.itemId });
    queue.push(() => line.languageModel('context', { type: 'remove', itemId: this.itemId }));
  }

  /** Nothing is said where the model has no caption head. */
  #addCaption({ captions }: Flush, final: boolean): void {
    if (this.#captionIsFinal) return;
    this.#captionIsFinal = final;
    const words = captions.map(({ text }) => text).join(' ');
    const delta = words !== '' && this.#caption !== '' ? ` ${words}` : words;
    this.#caption += delta;
    if (delta === '' && (this.#caption === '' || !final)) return;
    this.#deps.onCaption({ delta, text: this.#caption, final });
  }

  /** What is complete goes on; during a speculation the chunks wait for its outcome. */
  #advance(): void {
    const waits = this.#speculation ?? this.#ending;
    if (!waits) {
      if (this.#prefills) this.#prefill(this.#interleaver.take());
      return;
    }
    if (waits.ticket.done || !waits.flush || this.#interleaver.waitingForUnits) return;
    if (this.#units.size === 0 && this.#unitCount > 0) this.#deps.mark('vision encoding');
    waits.ticket.ready();
  }

  #generate(): void {
    const speculation = this.#speculation!;
    const { request, flush } = speculation;
    speculation.tokensBefore = this.#deps.conversation.tokensOf(this.itemId);
    const close = this.#deps.write(this.itemId, this.#tail(flush!));
    this.#deps.line.languageModel('context', { type: 'generate', ...request, close });
  }

  #writeTail(flush: Flush): void {
    this.#send(this.#tail(flush));
  }

  #tail(flush: Flush): Piece[] {
    return this.#interleaver.tail(flush.vectors, flush.count, flush.firstIndex);
  }

  #prefill(pieces: readonly Piece[]): void {
    if (pieces.length > 0) this.#deps.queue.push(() => this.#send(pieces));
  }

  #send(pieces: readonly Piece[]): void {
    const positions = this.#deps.write(this.itemId, pieces);
    this.#deps.line.languageModel('context', {
      type: 'prefill',
      itemId: this.itemId,
      role: 'user',
      positions,
    });
  }
}
