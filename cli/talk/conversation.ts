import type { Clock } from '../../actors/core/clock.ts';
import { VirtualClock } from '../../actors/core/index.ts';
import type { RuntimeError } from '../../kernels/errors.ts';
import type { Interruption } from '../interruption.ts';

/** The conversation is over when everybody has been quiet this long after the person's last word. */
const REST_MS = 1_500;
const STEP_MS = 200;
const MAX_AFTER_PERSON_MS = 300_000;

/** Whoever speaks into the session. */
export interface TalkPerson {
  readonly startedAtMs: number;
  readonly hasFinished: boolean;
  /** Makes ready what is said and shown in the next time. @throws RuntimeError */
  prepare(durationMs: number): Promise<void>;
  hangUp(): void;
}

/** Whoever hears the other side. */
export interface Hearer {
  /** Milliseconds since nobody speaks and nothing is being said. */
  restedForMs(): number;
  /** What ended the conversation, null while it goes on. */
  readonly failure: RuntimeError | null;
}

export interface TalkSides {
  readonly clock: Clock;
  readonly person: TalkPerson;
  readonly ear: Hearer;
  readonly interruption: Interruption;
  /** Called a few times a second of the conversation. */
  readonly onStep: () => void;
  readonly hangUp: () => void;
}

/**
 * Lets time pass until the conversation is over, then hangs up, whatever happened.
 *
 * @throws RuntimeError what ended the session or the person's line
 */
export async function untilOver(conversation: TalkSides): Promise<void> {
  const { clock, person, ear, interruption, onStep, hangUp } = conversation;
  let finishedAtMs = Number.POSITIVE_INFINITY;
  const isOver = () =>
    interruption.isAsked ||
    ear.failure !== null ||
    (person.hasFinished && ear.restedForMs() >= REST_MS) ||
    clock.nowMs() - finishedAtMs > MAX_AFTER_PERSON_MS;
  try {
    while (!isOver()) {
      await person.prepare(STEP_MS);
      await pass(clock, STEP_MS);
      if (person.hasFinished) finishedAtMs = Math.min(finishedAtMs, clock.nowMs());
      onStep();
    }
    if (ear.failure) throw ear.failure;
  } finally {
    person.hangUp();
    hangUp();
    await pass(clock, STEP_MS);
  }
}

/** Lets time pass, whichever time it is. */
function pass(clock: Clock, durationMs: number): Promise<unknown> {
  if (clock instanceof VirtualClock) return clock.runFor(durationMs);
  return new Promise<void>(resolve => clock.setTimer(durationMs, resolve));
}
