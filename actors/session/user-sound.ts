/**
 * The sound of one turn at the audio encoder, as the session keeps its books: what was sent, what was answered, which
 * finished copy of the encoder's stream stands (docs/spec/model.md §6.1).
 */
import type { AudioEncoderInput, AudioEncoderOutput } from '../audio-encoder/index.ts';

export class UserSound {
  readonly #utteranceId: string;
  readonly #samplesPerVector: number;
  readonly #send: (input: AudioEncoderInput) => void;
  #sent = 0;
  #heard = 0;
  /** The copy that stands, and what was sent when it was made: the encoder itself hears no more until its rollback. */
  #copy: { readonly id: number; readonly at: number } | null = null;
  /** The copy that was answered last. */
  #answered: number | null = null;
  /** No more is sent. */
  #isClosed = false;
  /** Nothing more is owed. */
  #isOver = false;

  constructor(utteranceId: string, samplesPerVector: number, send: (input: AudioEncoderInput) => void) {
    this.#utteranceId = utteranceId;
    this.#samplesPerVector = samplesPerVector;
    this.#send = send;
    send({ type: 'begin', utteranceId });
  }

  get sentSamples(): number {
    return this.#sent;
  }

  /** What the encoder has not answered yet; its look-ahead is always among it. */
  get unheardSamples(): number {
    return this.#isOver ? 0 : Math.max(0, (this.#copy?.at ?? this.#sent) - this.#heard);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  push(samples: Float32Array): void {
    if (this.#isClosed) return;
    this.#sent += samples.length;
    this.#send({ type: 'audio', utteranceId: this.#utteranceId, samples });
  }

  /** Asks for all vectors so far from a finished copy of that id. */
  copy(id: number): void {
    this.#copy = { id, at: this.#sent };
    this.#send({ type: 'speculate', utteranceId: this.#utteranceId, speculationId: id });
  }

  /** The copy is void. That of an earlier one comes too late to change anything, as at the encoder. */
  rollback(id: number): void {
    if (this.#copy?.id === id) this.#copy = null;
    this.#send({ type: 'rollback', utteranceId: this.#utteranceId, speculationId: id });
  }

  /** The copy is the end of the turn. */
  commit(id: number): void {
    this.#isClosed = true;
    this.#isOver = this.#answered === id;
    this.#send({ type: 'commit', utteranceId: this.#utteranceId, speculationId: id });
  }

  end(): void {
    this.#isClosed = true;
    this.#copy = null;
    this.#send({ type: 'end', utteranceId: this.#utteranceId });
  }

  discard(): void {
    this.#isClosed = true;
    this.#isOver = true;
    this.#send({ type: 'discard', utteranceId: this.#utteranceId });
  }

  /** An answer has been dealt with. */
  answered({
    speculationId,
    firstIndex,
    count,
    last,
  }: Extract<AudioEncoderOutput, { type: 'vectors' }>): void {
    this.#heard = (firstIndex + count) * this.#samplesPerVector;
    if (speculationId !== null) this.#answered = speculationId;
    if (last && this.#isClosed) this.#isOver = true;
  }
}
