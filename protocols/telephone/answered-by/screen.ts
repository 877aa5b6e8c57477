/**
 * Who answered a call of ours: the agent hears nothing until that is known, and then all of it at once, so that a
 * person's *hello* is answered as if nobody had listened before.
 *
 *   listening ─┬─ a person, or nobody for three seconds ──► through
 *              ├─ a machine ─┬─ continue ─────────────────► through
 *              │             ├─ hang_up ──────────────────► over
 *              │             └─ leave_message ─ its beep, or its silence ─► the agent speaks; through
 *              └─ a fax ──────────────────────────────────► over (continue: through)
 */
import { createBandEnergyDetector, type VoiceActivityDetector } from '../../../actors/perceive/index.ts';
import { SESSION_INPUT_RATE_HZ } from '../../media/index.ts';
import { BeepDetector } from './beep.ts';
import { FaxToneDetector } from './fax-tone.ts';
import { GreetingJudge, type Greeter } from './greeting.ts';
import { LOOK_MS, Looks } from './looks.ts';

export type AnsweredBy = Greeter | 'fax';
/** What is done where a machine answers. */
export type OnMachine = 'continue' | 'hang_up' | 'leave_message';

const SPEECH = 0.5;
/** A machine that is silent for so long records, with or without a beep; */
const RECORDS_MS = 2500;
/** one that talks on for so long does not want a message. */
const LONGEST_GREETING_MS = 60_000;

export interface HeardPiece {
  readonly samples: Float32Array;
  readonly lost: boolean;
  readonly waitedMs: number;
}

export interface ScreenHandlers {
  /** Once. `afterMs` of the line's sound. */
  readonly onAnsweredBy: (by: AnsweredBy, afterMs: number) => void;
  /** It is the agent's turn: the machine records. */
  readonly onRecording: (afterMs: number) => void;
  readonly hangUp: (reason: string) => void;
}

export class AnswerScreen {
  readonly #onMachine: OnMachine;
  readonly #handlers: ScreenHandlers;
  readonly #detector: VoiceActivityDetector = createBandEnergyDetector(SESSION_INPUT_RATE_HZ);
  readonly #greeting = new GreetingJudge();
  readonly #fax = new FaxToneDetector('answering', SESSION_INPUT_RATE_HZ);
  readonly #looks = new Looks();
  #beep: BeepDetector | null = null;
  #heardMs = 0;
  #silentMs = 0;
  #answeredBy: AnsweredBy | null = null;
  #state: 'listening' | 'waiting' | 'through' | 'over' = 'listening';
  /** What came while it was listened to, and when: a few seconds at most. */
  #kept: { readonly piece: HeardPiece; readonly atMs: number }[] = [];

  constructor(onMachine: OnMachine, handlers: ScreenHandlers) {
    this.#onMachine = onMachine;
    this.#handlers = handlers;
  }

  get answeredBy(): AnsweredBy | null {
    return this.#answeredBy;
  }

  /** Nothing is held back any more. */
  get isDone(): boolean {
    return this.#state === 'through';
  }

  /** Sound of the line, 16 kHz; what of it, and of what came before, is for the agent now. */
  hear(piece: HeardPiece): readonly HeardPiece[] {
    if (this.#state === 'through') return [piece];
    if (this.#state === 'listening') this.#kept.push({ piece, atMs: this.#heardMs });
    this.#looks.push(piece.samples, look => this.#take(look));
    return this.#isListening ? [] : this.#released();
  }

  get #isListening(): boolean {
    return this.#state === 'listening';
  }

  #released(): HeardPiece[] {
    const kept = this.isDone ? this.#kept : [];
    this.#kept = [];
    return kept.map(({ piece, atMs }) => ({ ...piece, waitedMs: piece.waitedMs + this.#heardMs - atMs }));
  }

  #take(look: Float32Array): void {
    if (this.#state === 'through' || this.#state === 'over') return;
    this.#heardMs += LOOK_MS;
    const isSpeech = this.#detector.frame(look) >= SPEECH;
    this.#silentMs = isSpeech ? 0 : this.#silentMs + LOOK_MS;
    const isBeep = this.#beep?.push(look) ?? false;
    if (this.#state === 'waiting') this.#waitForBeep(isBeep);
    else if (this.#fax.push(look)) this.#decided('fax');
    else {
      const greeter = this.#greeting.frame(isSpeech);
      if (greeter !== null) this.#decided(greeter);
    }
  }

  #decided(by: AnsweredBy): void {
    this.#answeredBy = by;
    this.#handlers.onAnsweredBy(by, this.#heardMs);
    const isPerson = by === 'human' || by === 'nobody';
    if (isPerson || this.#onMachine === 'continue') this.#state = 'through';
    else if (by === 'machine' && this.#onMachine === 'leave_message') {
      this.#state = 'waiting';
      this.#beep = new BeepDetector(SESSION_INPUT_RATE_HZ);
    } else {
      this.#state = 'over';
      this.#handlers.hangUp(`answered by ${by === 'fax' ? 'a fax' : 'a machine'}`);
    }
  }

  #waitForBeep(isBeep: boolean): void {
    if (isBeep || this.#silentMs >= RECORDS_MS) {
      this.#state = 'through';
      this.#handlers.onRecording(this.#heardMs);
    } else if (this.#heardMs >= LONGEST_GREETING_MS) {
      this.#state = 'over';
      this.#handlers.hangUp('the machine takes no message');
    }
  }
}
