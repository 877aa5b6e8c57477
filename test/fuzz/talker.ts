/** Somebody who speaks and pauses at a door that owns the turns, while a fuzzer has its way with the rest. */
import { integer, type Random } from '../../actors/core/index.ts';
import { pcm16, voice } from '../support/voice.ts';
import type { FuzzedProtocol } from './protocols.ts';

const RATE_HZ = 24_000;
const APPEND_MS = 100;
const APPEND_BYTES = (2 * RATE_HZ * APPEND_MS) / 1000;
const SPEECH = pcm16(voice(3000, RATE_HZ));
const SILENCE = Buffer.alloc(APPEND_BYTES);

export class Talker {
  readonly #random: Random;
  readonly #append: string;
  #speechLeft = 0;
  #silenceLeft = 0;
  #at = 0;
  /** Fragments of what was said: the door tells of no turns. */
  turns = 0;
  replies = 0;
  readonly interrupted = 0;

  constructor(random: Random, { appendType }: FuzzedProtocol) {
    this.#random = random;
    this.#append = appendType;
  }

  begin(): string {
    return this.next();
  }

  receive(text: string): void {
    if (text.startsWith('{"type":"session.output_transcript.delta"')) this.replies++;
    else if (text.startsWith('{"type":"session.input_transcript.delta"')) this.turns++;
  }

  next(): string {
    if (this.#speechLeft === 0 && this.#silenceLeft === 0) {
      this.#speechLeft = 4 + integer(this.#random, 20);
      this.#silenceLeft = 2 + integer(this.#random, 20);
    }
    if (this.#speechLeft > 0) {
      this.#speechLeft--;
      this.#at = (this.#at + APPEND_BYTES) % (SPEECH.length - APPEND_BYTES);
      return this.#frame(SPEECH.subarray(this.#at, this.#at + APPEND_BYTES));
    }
    this.#silenceLeft--;
    return this.#frame(SILENCE);
  }

  #frame(bytes: Buffer): string {
    return JSON.stringify({ type: this.#append, audio: bytes.toString('base64') });
  }
}
