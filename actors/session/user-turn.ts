/**
 * One user turn while it is heard: its audio goes to the audio encoder, its pictures to the vision encoder, what they
 * answer to the chunk interleaver, and the pieces that it gives into the context (docs/spec/model.md §5.3, §6.1). At t3
 * the tail is computed from a finished copy of the encoder; a rollback forgets it, a commit makes it the end of the
 * turn.
 */
import type { Caption, Positions } from '../../kernels/engine/index.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import {
  type ChunkInterleaverOutput,
  NO_TOKENS,
  type Piece,
  type TokenCount,
} from '../chunk-interleaver/index.ts';
import type { ContextCommand } from '../language-model/index.ts';
import type { SampledUnit } from '../perceive/index.ts';
import type { ItemContent } from '../session-api.ts';
import { CONFIDENCE_NOT_TOLD } from '../turn-taking/index.ts';
import { audioContent } from './audio-content.ts';
import type { ContextQueue, Ticket } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import { UserSound } from './user-sound.ts';

export type GenerateRequest = Omit<Extract<ContextCommand, { type: 'generate' }>, 'type' | 'close'>;

export interface UserTurnDeps {
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  /** Of the audio encoder. */
  readonly samplesPerVector: number;
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

type VectorsAnswer = Extract<AudioEncoderOutput, { type: 'vectors' }>;

/** A tail of the turn on its way through audio encoder and chunk interleaver. */
interface Ending {
  readonly id: number;
  readonly ticket: Ticket;
  flush: VectorsAnswer | null;
  tail: readonly Piece[];
}

interface Speculation extends Ending {
  readonly request: GenerateRequest;
  /** The account of the turn without its tail. */
  tokensBefore: TokenCount;
}

/** Words so far, and how sure the caption head is of each. */
export type OnWords = (words: string, confidences: readonly number[]) => void;

const confidenceOf = ({ confidence }: Caption) => confidence ?? CONFIDENCE_NOT_TOLD;

/** Id of the tail that ends the turn without a speculation; those of speculations are above it. */
const ENDING = 0;

export class UserTurn {
  readonly itemId: string;
  readonly #deps: UserTurnDeps;
  readonly #samples: Float32Array[] = [];
  readonly #sound: UserSound;
  #unitCount = 0;
  #speculation: Speculation | null = null;
  #ending: Ending | null = null;
  /** Finished copies of the encoder's stream, speculations among them. */
  #copies = 0;
  #caption = '';
  /** Of each word of it. */
  readonly #confidences: number[] = [];
  #captionIsFinal = false;
  /** Answers kept until it is decided whether this is a turn; null: it is. */
  #kept: VectorsAnswer[] | null;
  #listening: { readonly id: number; readonly onWords: OnWords } | null = null;

  /** `tentative`: only its words are wanted, until `admit`. */
  constructor(itemId: string, tentative: boolean, deps: UserTurnDeps) {
    this.#kept = tentative ? [] : null;
    this.itemId = itemId;
    this.#deps = deps;
    this.#sound = new UserSound(itemId, deps.samplesPerVector, input =>
      deps.line.audioEncoder('utterance', input),
    );
  }

  get sampleCount(): number {
    return this.#sound.sentSamples;
  }

  /** Samples that the audio encoder has not answered yet. */
  get unheardSamples(): number {
    return this.#sound.unheardSamples;
  }

  /** True while the encoders owe something that the context waits for. */
  get unfinished(): boolean {
    return (
      (this.#ending !== null && !this.#ending.ticket.done) ||
      (this.#speculation !== null && !this.#speculation.ticket.done)
    );
  }

  /** All of the turn, for its item; its words are not known before the last of them is. */
  content(): ItemContent {
    return audioContent(this.#samples, null);
  }

  audio(samples: Float32Array): void {
    if (this.#sound.isClosed) return;
    this.#samples.push(samples);
    this.#sound.push(samples);
  }

  /** The pictures of a chunk of this turn. */
  picture(unit: SampledUnit): void {
    const chunk = unit.chunk ?? 0;
    const unitId = `${this.itemId}.${this.#unitCount++}`;
    this.#deps.line.chunkInterleaver('control', {
      type: 'unit.expected',
      turnId: this.itemId,
      unitId,
      chunk,
    });
    this.#deps.encodeUnit(unitId, unit);
  }

  /** A second of audio is full. */
  endChunk(unit: SampledUnit | null): void {
    if (unit) this.picture(unit);
    this.#deps.line.chunkInterleaver('control', { type: 'chunk.ended', turnId: this.itemId });
  }

  /** An answer of the audio encoder for this turn. */
  vectors(answer: VectorsAnswer): void {
    this.#take(answer);
    this.#sound.answered(answer);
  }

  #take(answer: VectorsAnswer): void {
    if (answer.speculationId !== null && answer.speculationId === this.#listening?.id) {
      this.#heardWords(answer);
      return;
    }
    if (this.#kept) {
      this.#kept.push(answer);
      this.#addCaption(answer, false);
      return;
    }
    if (answer.speculationId === null && !(answer.last && this.#ending)) this.#addCaption(answer, false);
    this.#place(answer);
  }

  /** The sound is a turn: what was heard of it takes its place. */
  admit(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const answer of kept) this.#place(answer);
  }

  /** How sure the caption head is of each word of the caption, 0–1. */
  get confidences(): readonly number[] {
    return this.#confidences;
  }

  /** All words so far, from a finished copy of the encoder, which is thrown away again. */
  askForWords(onWords: OnWords): void {
    const id = ++this.#copies;
    this.#listening = { id, onWords };
    this.#sound.copy(id);
  }

  #heardWords({ captions }: VectorsAnswer): void {
    const { id, onWords } = this.#listening!;
    this.#listening = null;
    this.#sound.rollback(id);
    const words = [this.#caption, ...captions.map(({ text }) => text)].join(' ');
    onWords(words, [...this.#confidences, ...captions.map(confidenceOf)]);
  }

  #place(answer: VectorsAnswer): void {
    const tailId = answer.speculationId ?? (answer.last && this.#ending ? ENDING : null);
    if (tailId !== null) {
      const waits = this.#waiting(tailId);
      if (!waits) return;
      waits.flush = answer;
      this.#deps.mark('audio encoding');
      if (this.#sound.isClosed) this.finishCaption();
    }
    const { vectors, count, firstIndex } = answer;
    const audio = { turnId: this.itemId, tailId, vectors, count, firstIndex };
    this.#deps.line.chunkInterleaver('vectors', audio);
  }

  /** What the chunk interleaver gives for this turn. */
  interleaved(output: ChunkInterleaverOutput): void {
    if (output.type === 'pieces') {
      const { pieces } = output;
      this.#deps.queue.push(() => this.#send(pieces));
      return;
    }
    const waits = this.#waiting(output.tailId);
    if (!waits) return;
    if (output.seesPictures) this.#deps.mark('vision encoding');
    waits.tail = output.pieces;
    waits.ticket.ready();
  }

  /** The turn is an item now: its caption ends with the flushed words, as soon as they are known. */
  finishCaption(): void {
    const flush = (this.#speculation ?? this.#ending)?.flush;
    if (flush) this.#addCaption(flush, true);
  }

  /** t3. The reply begins as soon as the tail is encoded. */
  speculate(request: GenerateRequest): void {
    const id = ++this.#copies;
    const ticket = this.#deps.queue.defer(() => this.#generate());
    this.#speculation = { id, request, ticket, tokensBefore: NO_TOKENS, flush: null, tail: [] };
    this.#deps.line.chunkInterleaver('control', { type: 'tail', turnId: this.itemId, tailId: id });
    this.#sound.copy(id);
  }

  /** The user resumed. */
  rollback(): void {
    const speculation = this.#speculation;
    if (!speculation) return;
    this.#speculation = null;
    const begun = speculation.ticket.done;
    speculation.ticket.cancel();
    const { conversation, line } = this.#deps;
    this.#sound.rollback(speculation.id);
    if (begun) {
      conversation.restoreTokens(this.itemId, speculation.tokensBefore);
      line.languageModel('context', { type: 'rollback', generationId: speculation.request.generationId });
    }
    line.chunkInterleaver('control', { type: 'tail.withdrawn', turnId: this.itemId });
  }

  /** t4 with the speculation as the reply. */
  commit(): void {
    const speculation = this.#speculation;
    if (!speculation) return;
    const { line, queue } = this.#deps;
    this.#sound.commit(speculation.id);
    line.chunkInterleaver('control', { type: 'over', turnId: this.itemId });
    queue.push(() => {
      line.languageModel('context', { type: 'commit', generationId: speculation.request.generationId });
    });
  }

  /** The turn ends without a speculation: its tail goes into the context when it is encoded. */
  end(): void {
    const { line, queue } = this.#deps;
    const ticket = queue.defer(() => this.#send(this.#ending!.tail));
    this.#ending = { id: ENDING, ticket, flush: null, tail: [] };
    line.chunkInterleaver('control', { type: 'tail', turnId: this.itemId, tailId: ENDING });
    line.chunkInterleaver('control', { type: 'over', turnId: this.itemId });
    this.#sound.end();
  }

  /** As if the turn had never been. */
  discard(): void {
    this.#speculation?.ticket.cancel();
    this.#ending?.ticket.cancel();
    const { line, queue } = this.#deps;
    this.#sound.discard();
    if (this.#kept) return;
    line.chunkInterleaver('control', { type: 'discarded', turnId: this.itemId });
    queue.push(() => line.languageModel('context', { type: 'remove', itemId: this.itemId }));
  }

  #waiting(tailId: number): Ending | null {
    const waits = tailId === ENDING ? this.#ending : this.#speculation;
    return waits?.id === tailId ? waits : null;
  }

  /** Always told once with `final`: whoever waits for the words of a turn learns that there are no more. */
  #addCaption({ captions }: VectorsAnswer, final: boolean): void {
    if (this.#captionIsFinal) return;
    this.#captionIsFinal = final;
    const words = captions.map(({ text }) => text).join(' ');
    const delta = words !== '' && this.#caption !== '' ? ` ${words}` : words;
    this.#caption += delta;
    this.#confidences.push(...captions.map(confidenceOf));
    if (delta === '' && !final) return;
    this.#deps.onCaption({ delta, text: this.#caption, final });
  }

  #generate(): void {
    const { conversation, line, write } = this.#deps;
    const speculation = this.#speculation!;
    speculation.tokensBefore = conversation.tokensOf(this.itemId);
    const close = write(this.itemId, speculation.tail);
    const { generationId, itemId, header, options } = speculation.request;
    line.languageModel('context', { type: 'generate', generationId, itemId, close, header, options });
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
