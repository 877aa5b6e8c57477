/**
 * A person on the line. Knows what is heard and when, never what the runtime thinks.
 *
 *   gap ──► talking ──► waiting ──agent starts──► listening ──agent stops──► gap
 *             ▲            │patience                 │ barge-in
 *             └────────────┴────────────────────────-┘
 */
import { type Clock, exponential, normal, type Random, type Timer } from '../../actors/core/index.ts';
import { type JudgementLaw, judgedActivity } from './judgement.ts';
import {
  DIALOGUE_SHIFT_S,
  drawTurn,
  type ExGaussian,
  exGaussian,
  type LogNormal,
  logNormal,
  type TurnLaw,
} from './laws.ts';
import { NOISE, SPEECH, type Voice } from './voice.ts';

export interface PersonLaw {
  readonly turn: TurnLaw;
  readonly gap: ExGaussian;
  readonly backchannelsPerMinute: number;
  readonly backchannelS: LogNormal;
  /** Probability per agent turn of mean length; the hazard is constant after `bargeInAfterS`. */
  readonly bargeIn: number;
  readonly bargeInAfterS: number;
  readonly meanReplyS: number;
  /** How long somebody who barged in goes on against an agent that does not stop. */
  readonly giveUpS: LogNormal;
  readonly noisesPerMinute: number;
  readonly noiseS: readonly [number, number];
  /** Silence after which the person speaks again. */
  readonly patienceS: number;
  /** What can be told from the words; null: nothing is. */
  readonly judgement: JudgementLaw | null;
  /** Listening for this long shows that the answer is to something else. */
  readonly noticesAfterS: number;
}

/** One turn as the mouth and the ear know it; clock milliseconds. */
export interface SpokenTurn {
  readonly beganMs: number;
  endedMs: number;
  /** Speech, in order; what lies between two of them is a pause. */
  readonly stretches: { readonly fromMs: number; toMs: number }[];
  /** It began while the agent was heard. */
  isBargeIn: boolean;
  /** Why the same is said once more. */
  readonly asksAgain: 'unanswered' | 'not understood' | null;
  /** First sound of the answer at the ear, and which item it is of. */
  answeredMs: number | null;
  answeredBy: string | null;
  /** A barge-in: when the agent was silent at the ear. */
  silentMs: number | null;
  gaveUp: boolean;
}

/** A sound that is none of the conversation: a cough, side talk. */
export interface Noise {
  readonly fromMs: number;
  readonly toMs: number;
}

type State = 'gap' | 'talking' | 'waiting' | 'listening';

/** Quieter than speech, so that a detector is less sure of it. */
const BACKCHANNEL = 0.8;

export class Person {
  readonly turns: SpokenTurn[] = [];
  readonly noises: Noise[] = [];
  /** When each began. */
  readonly backchannelsMs: number[] = [];
  readonly #clock: Clock;
  readonly #voice: Voice;
  readonly #law: PersonLaw;
  readonly #turnRandom: Random;
  readonly #gapRandom: Random;
  readonly #bargeRandom: Random;
  readonly #backchannelRandom: Random;
  readonly #noiseRandom: Random;
  readonly #judgementRandom: Random;
  readonly #shiftS: number;
  readonly #isUnderstood: (turn: SpokenTurn) => boolean;
  #state: State = 'gap';
  #agentSpeaks = false;
  #left = false;
  /** The person's next move; one at a time. */
  #next: Timer | null = null;
  #bargeIn: Timer | null = null;
  #backchannel: Timer | null = null;
  #noise: Timer | null = null;
  #giveUp: Timer | null = null;

  /** @param isUnderstood whether an answer is to what was said; asked once for each answered turn */
  constructor(
    clock: Clock,
    random: Random,
    voice: Voice,
    law: PersonLaw,
    isUnderstood: (turn: SpokenTurn) => boolean = () => true,
  ) {
    this.#isUnderstood = isUnderstood;
    this.#clock = clock;
    this.#voice = voice;
    this.#law = law;
    this.#turnRandom = random.split('turns');
    this.#gapRandom = random.split('gaps');
    this.#bargeRandom = random.split('barge-in');
    this.#backchannelRandom = random.split('backchannels');
    this.#noiseRandom = random.split('noise');
    this.#judgementRandom = random.split('judgement');
    this.#shiftS = normal(random.split('dialogue'), 0, DIALOGUE_SHIFT_S);
    this.#then(this.#gapMs(), () => this.#talk({}));
    this.#scheduleNoise();
  }

  /** Within a turn, pauses included. */
  get isTalking(): boolean {
    return this.#state === 'talking';
  }

  agentStarted(atMs: number, itemId: string): void {
    if (this.#left) return;
    this.#agentSpeaks = true;
    if (this.#state === 'talking') return;
    const turn = this.turns.at(-1);
    const isAnswer = turn !== undefined && this.#state === 'waiting';
    if (isAnswer) {
      turn.answeredMs = atMs;
      turn.answeredBy = itemId;
    }
    this.#listen();
    if (isAnswer && !this.#isUnderstood(turn)) this.#correct();
  }

  agentStopped(atMs: number): void {
    if (this.#left) return;
    this.#agentSpeaks = false;
    this.#bargeIn?.cancel();
    this.#backchannel?.cancel();
    const turn = this.turns.at(-1);
    // That the agent has ended by itself is noticed a moment later: whoever began meanwhile interrupted nobody.
    if (turn && atMs < turn.beganMs) turn.isBargeIn = false;
    else if (turn?.isBargeIn && turn.silentMs === null && !turn.gaveUp) turn.silentMs = atMs;
    if (this.#state !== 'listening') return;
    this.#state = 'gap';
    // The gap counts from the last sound, which was a moment ago.
    this.#then(Math.max(0, atMs + this.#gapMs() - this.#clock.nowMs()), () => this.#talk({}));
  }

  hangUp(): void {
    if (this.#left) return;
    this.#left = true;
    for (const timer of [this.#next, this.#bargeIn, this.#backchannel, this.#noise, this.#giveUp])
      timer?.cancel();
    const turn = this.turns.at(-1);
    if (turn && this.#state === 'talking') this.#cutShort(turn);
    this.#voice.stopAt(this.#clock.nowMs());
  }

  #talk({
    isBargeIn = false,
    asksAgain = null,
  }: {
    isBargeIn?: boolean;
    asksAgain?: SpokenTurn['asksAgain'];
  }): void {
    const beganMs = this.#clock.nowMs();
    const stretches = drawTurn(this.#turnRandom, this.#law.turn);
    let atMs = beganMs;
    const spoken: SpokenTurn['stretches'] = [];
    for (const [i, { speechMs, pauseMs }] of stretches.entries()) {
      this.#voice.sound(atMs, atMs + speechMs, this.#activity(i === stretches.length - 1));
      spoken.push({ fromMs: atMs, toMs: atMs + speechMs });
      atMs += speechMs + pauseMs;
    }
    this.#state = 'talking';
    const turn: SpokenTurn = {
      beganMs,
      endedMs: atMs,
      stretches: spoken,
      isBargeIn,
      asksAgain,
      answeredMs: null,
      answeredBy: null,
      silentMs: null,
      gaveUp: false,
    };
    this.turns.push(turn);
    this.#then(atMs - beganMs, () => this.#wait());
    if (isBargeIn) this.#mayGiveUp(turn);
  }

  #activity(isLast: boolean): number {
    const { judgement } = this.#law;
    if (!judgement) return SPEECH;
    return judgedActivity(this.#judgementRandom, isLast ? judgement.done : judgement.goesOn);
  }

  #wait(): void {
    // Spoken to meanwhile: the turn is lost in the overlap.
    if (this.#agentSpeaks) {
      this.#listen();
      return;
    }
    this.#state = 'waiting';
    this.#then(this.#law.patienceS * 1000, () => this.#talk({ asksAgain: 'unanswered' }));
  }

  #listen(): void {
    this.#state = 'listening';
    this.#next?.cancel();
    this.#scheduleBargeIn();
    this.#scheduleBackchannel();
  }

  /** The answer is to something else: after a moment, the person says it again. Nothing else interrupts before. */
  #correct(): void {
    this.#bargeIn?.cancel();
    this.#backchannel?.cancel();
    this.#bargeIn = this.#clock.setTimer(this.#law.noticesAfterS * 1000, () => {
      if (this.#state === 'listening') this.#talk({ isBargeIn: true, asksAgain: 'not understood' });
    });
  }

  /** What was not said yet is not said at all. */
  #cutShort(turn: SpokenTurn): void {
    const nowMs = this.#clock.nowMs();
    this.#voice.stopAt(nowMs, SPEECH);
    while (turn.stretches.length > 1 && turn.stretches.at(-1)!.fromMs >= nowMs) turn.stretches.pop();
    const last = turn.stretches.at(-1)!;
    last.toMs = Math.min(last.toMs, nowMs);
    turn.endedMs = last.toMs;
  }

  #scheduleBargeIn(): void {
    const { bargeIn, bargeInAfterS, meanReplyS } = this.#law;
    this.#bargeIn?.cancel();
    if (bargeIn <= 0) return;
    const meanS = Math.max(0.1, meanReplyS - bargeInAfterS) / -Math.log(1 - bargeIn);
    const waitMs = (bargeInAfterS + exponential(this.#bargeRandom, meanS)) * 1000;
    this.#bargeIn = this.#clock.setTimer(waitMs, () => {
      this.#backchannel?.cancel();
      if (this.#state === 'listening') this.#talk({ isBargeIn: true });
    });
  }

  #mayGiveUp(turn: SpokenTurn): void {
    const waitMs = logNormal(this.#bargeRandom, this.#law.giveUpS) * 1000;
    this.#giveUp?.cancel();
    this.#giveUp = this.#clock.setTimer(waitMs, () => {
      if (!this.#agentSpeaks || this.turns.at(-1) !== turn || !this.isTalking) return;
      turn.gaveUp = true;
      this.#cutShort(turn);
      this.#listen();
    });
  }

  #scheduleBackchannel(): void {
    const { backchannelsPerMinute, backchannelS } = this.#law;
    this.#backchannel?.cancel();
    if (backchannelsPerMinute <= 0) return;
    const waitMs = exponential(this.#backchannelRandom, 60_000 / backchannelsPerMinute);
    this.#backchannel = this.#clock.setTimer(waitMs, () => {
      if (this.#state !== 'listening') return;
      const lengthMs = logNormal(this.#backchannelRandom, backchannelS) * 1000;
      const nowMs = this.#clock.nowMs();
      this.#voice.sound(nowMs, nowMs + lengthMs, BACKCHANNEL);
      this.backchannelsMs.push(nowMs);
      this.#scheduleBackchannel();
    });
  }

  #scheduleNoise(): void {
    const { noisesPerMinute, noiseS } = this.#law;
    if (noisesPerMinute <= 0) return;
    this.#noise = this.#clock.setTimer(exponential(this.#noiseRandom, 60_000 / noisesPerMinute), () => {
      const lengthS = noiseS[0] + this.#noiseRandom.next() * (noiseS[1] - noiseS[0]);
      const nowMs = this.#clock.nowMs();
      this.#voice.sound(nowMs, nowMs + lengthS * 1000, NOISE);
      this.noises.push({ fromMs: nowMs, toMs: nowMs + lengthS * 1000 });
      this.#scheduleNoise();
    });
  }

  /** docs/spec/latency-data.md §4.1: people wait for a machine; never negative. */
  #gapMs(): number {
    return Math.max(0, exGaussian(this.#gapRandom, this.#law.gap) + this.#shiftS) * 1000;
  }

  #then(delayMs: number, action: () => void): void {
    this.#next?.cancel();
    this.#next = this.#clock.setTimer(delayMs, action);
  }
}
