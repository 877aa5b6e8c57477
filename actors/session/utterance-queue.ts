/**
 * The live utterances of a session on their way to the audio encoder, which has one open at a time: the next one waits
 * until the end of the one before has been encoded, or its last words would be lost. The wait is as long as one step of the
 * encoder; what waits is bounded by the audio that a turn may hold.
 */
import type { AudioEncoderInput, AudioEncoderOutput } from '../audio-encoder/index.ts';

interface Account {
  sent: number;
  heard: number;
  /** The speculation that stands, and what was sent when it began: the encoder is fed no more until its rollback. */
  speculation: { readonly id: number; readonly at: number } | null;
}

export class UtteranceQueue {
  readonly #send: (input: AudioEncoderInput) => void;
  readonly #samplesPerVector: number;
  /** Of utterances that are not over. */
  readonly #accounts = new Map<string, Account>();
  /** The utterance that began last, while it takes sound. */
  #open: string | null = null;
  #waiting: AudioEncoderInput[] = [];
  /** The utterance whose end is being encoded. */
  #ending: string | null = null;
  /** The speculation that was answered last. */
  #flushed: number | null = null;

  constructor(send: (input: AudioEncoderInput) => void, samplesPerVector: number) {
    this.#send = send;
    this.#samplesPerVector = samplesPerVector;
  }

  /** Samples that the encoder has not answered yet; its look-ahead is always among them. */
  get unheardSamples(): number {
    let samples = 0;
    for (const { sent, heard, speculation } of this.#accounts.values())
      samples += Math.max(0, (speculation?.at ?? sent) - heard);
    return samples;
  }

  send(input: AudioEncoderInput): void {
    this.#count(input);
    this.#take(input);
  }

  #take(input: AudioEncoderInput): void {
    const next = input.utteranceId !== this.#ending;
    if (this.#ending !== null && next) this.#waiting.push(input);
    else this.#pass(input);
  }

  /** An answer has been dealt with. */
  answered(answer: Extract<AudioEncoderOutput, { type: 'vectors' }>): void {
    const { utteranceId, speculationId, last, firstIndex, count } = answer;
    const account = this.#accounts.get(utteranceId);
    if (account) account.heard = (firstIndex + count) * this.#samplesPerVector;
    if (last && utteranceId === this.#ending) this.#accounts.delete(utteranceId);
    if (!last) return;
    if (speculationId !== null) this.#flushed = speculationId;
    if (utteranceId !== this.#ending) return;
    this.#ending = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const input of waiting) this.#take(input);
  }

  #count(input: AudioEncoderInput): void {
    const { type, utteranceId } = input;
    if (type === 'begin') {
      // The encoder discards one that is still open.
      if (this.#open !== null) this.#accounts.delete(this.#open);
      this.#open = utteranceId;
      this.#accounts.set(utteranceId, { sent: 0, heard: 0, speculation: null });
      return;
    }
    if (type !== 'audio' && type !== 'speculate' && type !== 'rollback' && utteranceId === this.#open)
      this.#open = null;
    if (type === 'discard') this.#accounts.delete(utteranceId);
    else if (type === 'commit' && input.speculationId === this.#flushed) this.#accounts.delete(utteranceId);
    const account = this.#accounts.get(utteranceId);
    if (!account) return;
    if (type === 'audio') account.sent += input.samples.length;
    else if (type === 'speculate') account.speculation = { id: input.speculationId, at: account.sent };
    // That of an earlier speculation comes too late to change anything, as at the encoder.
    else if (type === 'rollback' && input.speculationId === account.speculation?.id)
      account.speculation = null;
    else if (type === 'end') account.speculation = null;
  }

  #pass(input: AudioEncoderInput): void {
    if (input.type === 'begin') this.#flushed = null;
    const ends = input.type === 'end' || (input.type === 'commit' && input.speculationId !== this.#flushed);
    if (ends) this.#ending = input.utteranceId;
    if (input.type === 'discard') this.#ending = null;
    this.#send(input);
  }
}
