/**
 * The person who calls: speaks in turn, interrupts if told to, presses keys, and hangs up when there is nothing more to
 * hear.
 */
import { FRAME_MS } from './fake-call.ts';

export interface PersonOptions {
  /** What is said, in the carrier's format. */
  readonly utterances: readonly Buffer[];
  /** Of 20 ms. */
  readonly frameBytes: number;
  /** Pressed when everything was said, one every 300 ms. */
  readonly keys: string;
  /**
   * What is said after the first is said so long after the agent has begun; null: when it has been silent for a while.
   */
  readonly interruptAfterMs: number | null;
  readonly onSpeaks?: (utterance: number) => void;
  readonly onKey: (key: string) => void;
}

const BEGINS_AFTER_MS = 500;
/** The agent has finished. */
const PAUSE_MS = 1500;
/** It will say nothing any more. */
const PATIENCE_MS = 12_000;
const KEY_EVERY_MS = 300;
/** Heard out, the person stays on the line for a little. */
const LINGERS_MS = 3000;

export class CarrierPerson {
  readonly #options: PersonOptions;
  #said = 0;
  #at = 0;
  #isSpeaking = false;
  #keys: string;
  /** Since the person did something, since the agent began, and since it fell silent; null while it does not. */
  #waitedMs = 0;
  #agentSpeaksMs: number | null = null;
  #agentSilentMs: number | null = null;
  #isDone = false;

  constructor(options: PersonOptions) {
    this.#options = options;
    this.#keys = options.keys;
  }

  /** Has nothing more to say and has heard everything. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The next 20 ms; null: silence. */
  next(agentSpeaks: boolean): Buffer | null {
    this.#listen(agentSpeaks);
    if (!this.#isSpeaking) this.#consider();
    if (!this.#isSpeaking) return null;
    const { frameBytes, utterances } = this.#options;
    const frame = utterances[this.#said].subarray(this.#at, this.#at + frameBytes);
    this.#at += frameBytes;
    if (this.#at >= utterances[this.#said].length) this.#finish();
    return frame.length === frameBytes ? frame : null;
  }

  #listen(agentSpeaks: boolean): void {
    this.#waitedMs += FRAME_MS;
    if (agentSpeaks) {
      this.#agentSpeaksMs = (this.#agentSpeaksMs ?? 0) + FRAME_MS;
      this.#agentSilentMs = null;
    } else if (this.#agentSpeaksMs !== null) {
      this.#agentSilentMs = (this.#agentSilentMs ?? 0) + FRAME_MS;
    }
  }

  #consider(): void {
    const { interruptAfterMs, utterances } = this.#options;
    const isFirst = this.#said === 0 && this.#keys === this.#options.keys;
    const hasFinished = this.#agentSilentMs !== null && this.#agentSilentMs >= PAUSE_MS;
    const interrupts = interruptAfterMs !== null && (this.#agentSpeaksMs ?? 0) >= interruptAfterMs;
    const goesOn = isFirst
      ? this.#waitedMs >= BEGINS_AFTER_MS
      : hasFinished || interrupts || this.#isImpatient;
    if (this.#said < utterances.length) {
      if (goesOn) this.#begin();
    } else if (this.#keys !== '') {
      if (goesOn || (this.#keys !== this.#options.keys && this.#waitedMs >= KEY_EVERY_MS)) this.#press();
    } else this.#isDone = (this.#agentSilentMs ?? 0) >= LINGERS_MS || this.#isImpatient;
  }

  get #isImpatient(): boolean {
    return this.#agentSpeaksMs === null && this.#waitedMs >= PATIENCE_MS;
  }

  #begin(): void {
    this.#isSpeaking = true;
    this.#at = 0;
    this.#options.onSpeaks?.(this.#said);
  }

  #finish(): void {
    this.#isSpeaking = false;
    this.#said += 1;
    this.#forgetAgent();
  }

  #press(): void {
    this.#options.onKey(this.#keys[0]);
    this.#keys = this.#keys.slice(1);
    this.#forgetAgent();
  }

  /** What it says from now on is an answer. */
  #forgetAgent(): void {
    this.#waitedMs = 0;
    this.#agentSpeaksMs = null;
    this.#agentSilentMs = null;
  }
}
