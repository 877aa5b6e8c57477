/**
 * The live utterances of a session on their way to the audio encoder, which has one open at a time: the next one waits
 * until the end of the one before has been encoded, or its last words would be lost. The wait is as long as one step of the
 * encoder; what waits is bounded by the audio that a turn may hold.
 */
import type { AudioEncoderInput, AudioEncoderOutput } from '../audio-encoder/index.ts';

export class UtteranceQueue {
  readonly #send: (input: AudioEncoderInput) => void;
  #waiting: AudioEncoderInput[] = [];
  /** The utterance whose end is being encoded. */
  #ending: string | null = null;
  /** The speculation that was answered last. */
  #flushed: number | null = null;

  constructor(send: (input: AudioEncoderInput) => void) {
    this.#send = send;
  }

  send(input: AudioEncoderInput): void {
    const next = input.utteranceId !== this.#ending;
    if (this.#ending !== null && next) this.#waiting.push(input);
    else this.#pass(input);
  }

  /** An answer has been dealt with. */
  answered({ utteranceId, speculationId, last }: Extract<AudioEncoderOutput, { type: 'vectors' }>): void {
    if (!last) return;
    if (speculationId !== null) this.#flushed = speculationId;
    if (utteranceId !== this.#ending) return;
    this.#ending = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const input of waiting) this.send(input);
  }

  #pass(input: AudioEncoderInput): void {
    if (input.type === 'begin') this.#flushed = null;
    const ends = input.type === 'end' || (input.type === 'commit' && input.speculationId !== this.#flushed);
    if (ends) this.#ending = input.utteranceId;
    if (input.type === 'discard') this.#ending = null;
    this.#send(input);
  }
}
