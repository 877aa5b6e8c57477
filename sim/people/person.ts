/**
 * A person on the line. Knows what is heard and when, never what the runtime thinks.
 *
 *   gap ──► talking ──► waiting ──agent starts──► listening ──agent stops──► gap
 *             ▲            │patience                 │ barge-in
 *             └────────────┴────────────────────────-┘
 */
import { type Clock, exponential, normal, type Random, type Timer } from '../../actors/core/index.ts';
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
}

/** One turn as the mouth and the ear know it; clock milliseconds. */
export interface SpokenTurn {
  readonly beganMs: number;
  endedMs: number;
  readonly pauses: number;
  readonly isBargeIn: boolean;
  readonly isReprompt: boolean;
  /** First sound of the answer at the ear. */
  answeredMs: number | null;
  /** A barge-in: when the agent was silent at the ear. */
  silentMs: number | null;
  gaveUp: boolean;
}

type State = 'gap' | 'talking' | 'waiting' | 'listening';

/** Quieter than speech, so that a detector is less sure of it. */
const BACKCHANNEL = 0.8;

export class Person {
  readonly turns: SpokenTurn[] = [];
  backchannels = 0;
  readonly #clock: Clock;
  readonly #voice: Voice;
  readonly #law: PersonLaw;
  readonly #turnRandom: Random;
  readonly #gapRandom: Random;
  readonly #bargeRandom: Random;
  readonly #backchannelRandom: Random;
  readonly #noiseRandom: Random;
  readonly #shiftS: number;
  #state: State = 'gap';
  #agentSpeaks = false;
  #left = false;
  /** The person's next move; one at a time. */
  #next: Timer | null = null;
  #bargeIn: Timer | null = null;
  #backchannel: Timer | null = null;

  constructor(clock: Clock, random: Random, voice: Voice, law: PersonLaw) {
    this.#clock = clock;
    this.#voice = voice;
    this.#law = law;
    this.#turnRandom = random.split('turns');
    this.#gapRandom = random.split('gaps');
    this.#bargeRandom = random.split('barge-in');
    this.#backchannelRandom = random.split('backchannels');
    this.#noiseRandom = random.split('noise');
    this.#shiftS = normal(random.split('dialogue'), 0, DIALOGUE_SHIFT_S);
    this.#then(this.#gapMs(), () => this.#talk({}));
    this.#scheduleNoise();
  }

  /** Within a turn, pauses included. */
  get isTalking(): boolean {
    return this.#state === 'talking';
  }

  agentStarted(atMs: number): void {
    this.#agentSpeaks = true;
    if (this.#state === 'talking') return;
    const turn = this.turns.at(-1);
    if (turn && this.#state === 'waiting') turn.answeredMs = atMs;
    this.#listen();
  }

  agentStopped(atMs: number): void {
    this.#agentSpeaks = false;
    this.#bargeIn?.cancel();
    this.#backchannel?.cancel();
    const turn = this.turns.at(-1);
    if (turn?.isBargeIn && turn.silentMs === null && !turn.gaveUp) turn.silentMs = atMs;
    if (this.#state !== 'listening') return;
    this.#state = 'gap';
    // The gap counts from the last sound, which was a moment ago.
    this.#then(Math.max(0, atMs + this.#gapMs() - this.#clock.nowMs()), () => this.#talk({}));
  }

  hangUp(): void {
    this.#left = true;
    for (const timer of [this.#next, this.#bargeIn, this.#backchannel]) timer?.cancel();
    this.#voice.stopAt(this.#clock.nowMs());
  }

  #talk({ isBargeIn = false, isReprompt = false }): void {
    const beganMs = this.#clock.nowMs();
    const stretches = drawTurn(this.#turnRandom, this.#law.turn);
    let atMs = beganMs;
    for (const { speechMs, pauseMs } of stretches) {
      this.#voice.sound(atMs, atMs + speechMs, SPEECH);
      atMs += speechMs + pauseMs;
    }
    this.#state = 'talking';
    const turn = {
      beganMs,
      endedMs: atMs,
      pauses: stretches.length - 1,
      isBargeIn,
      isReprompt,
      answeredMs: null,
      silentMs: null,
      gaveUp: false,
    };
    this.turns.push(turn);
    this.#then(atMs - beganMs, () => this.#wait());
    if (isBargeIn) this.#mayGiveUp(turn);
  }

  #wait(): void {
    // Spoken to meanwhile: the turn is lost in the overlap.
    if (this.#agentSpeaks) {
      this.#listen();
      return;
    }
    this.#state = 'waiting';
    this.#then(this.#law.patienceS * 1000, () => this.#talk({ isReprompt: true }));
  }

  #listen(): void {
    this.#state = 'listening';
    this.#next?.cancel();
    this.#scheduleBargeIn();
    this.#scheduleBackchannel();
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
    this.#clock.setTimer(waitMs, () => {
      if (this.#left || !this.#agentSpeaks || this.turns.at(-1) !== turn || !this.isTalking) return;
      turn.gaveUp = true;
      turn.endedMs = this.#clock.nowMs();
      this.#voice.stopAt(turn.endedMs);
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
      this.backchannels += 1;
      this.#scheduleBackchannel();
    });
  }

  #scheduleNoise(): void {
    const { noisesPerMinute, noiseS } = this.#law;
    if (noisesPerMinute <= 0) return;
    this.#clock.setTimer(exponential(this.#noiseRandom, 60_000 / noisesPerMinute), () => {
      if (this.#left) return;
      const lengthS = noiseS[0] + this.#noiseRandom.next() * (noiseS[1] - noiseS[0]);
      const nowMs = this.#clock.nowMs();
      this.#voice.sound(nowMs, nowMs + lengthS * 1000, NOISE);
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
