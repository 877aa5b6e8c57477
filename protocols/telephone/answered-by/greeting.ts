/**
 * A person or a machine, by how it greets: a person says a word or two and waits for an answer, a machine talks on. By
 * time alone, for a greeting is in any language.
 */
import { LOOK_MS } from './looks.ts';

export type Greeter = 'human' | 'machine' | 'nobody';

export const GREETING = {
  /** Nobody has said anything by then. */
  nobodyMs: 3000,
  /** Whoever talks longer than this, pauses included, is a machine; */
  machineMs: 2000,
  /** who is silent for this long before, a person; */
  waitsMs: 700,
  /** after a long greeting of a person's, a little less is enough. */
  longGreetingMs: 1300,
  waitsAfterLongMs: 540,
  /** Less speech than this is a click or a breath. */
  wordMs: 100,
} as const;

export class GreetingJudge {
  #elapsedMs = 0;
  /** Since the first speech; null before it. */
  #greetingMs: number | null = null;
  #speechMs = 0;
  #silentMs = 0;

  /** The next `LOOK_MS` of the line. Null: not decided yet. */
  frame(isSpeech: boolean): Greeter | null {
    this.#elapsedMs += LOOK_MS;
    if (isSpeech) {
      this.#greetingMs ??= 0;
      this.#speechMs += LOOK_MS;
    }
    this.#silentMs = isSpeech ? 0 : this.#silentMs + LOOK_MS;
    if (this.#greetingMs === null) return this.#elapsedMs >= GREETING.nobodyMs ? 'nobody' : null;
    this.#greetingMs += LOOK_MS;
    const saidMs = this.#greetingMs - this.#silentMs;
    if (saidMs >= GREETING.machineMs) return 'machine';
    const isLong = saidMs >= GREETING.longGreetingMs;
    if (this.#silentMs < (isLong ? GREETING.waitsAfterLongMs : GREETING.waitsMs)) return null;
    if (this.#speechMs >= GREETING.wordMs) return 'human';
    this.#greetingMs = null;
    this.#speechMs = 0;
    return null;
  }
}
