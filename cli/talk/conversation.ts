import { VirtualClock } from '../../actors/core/index.ts';
import type { Session } from '../../actors/session-api.ts';
import type { House } from '../house.ts';
import type { Interruption } from '../interruption.ts';
import type { Listener } from './listener.ts';

/** The conversation is over when everybody has been quiet this long after the person's last word. */
const REST_MS = 1_500;
const STEP_MS = 200;
const MAX_AFTER_PERSON_MS = 300_000;

/** Whoever speaks into the session. */
export interface Person {
  readonly startedAtMs: number;
  readonly hasFinished: boolean;
  /** Makes ready what is said and shown in the next time. @throws RuntimeError */
  prepare(durationMs: number): Promise<void>;
  hangUp(): void;
}

/**
 * Lets time pass until the conversation is over, then hangs up, whatever happened.
 *
 * @param onStep called a few times a second of the conversation
 * @throws RuntimeError what ended the session or the person's line
 */
export async function untilOver(
  house: House,
  session: Session,
  person: Person,
  listener: Listener,
  interruption: Interruption,
  onStep: () => void,
): Promise<void> {
  const { clock } = house;
  let finishedAtMs = Number.POSITIVE_INFINITY;
  const isOver = () =>
    interruption.isAsked ||
    listener.failure !== null ||
    (person.hasFinished && listener.restedForMs() >= REST_MS) ||
    clock.nowMs() - finishedAtMs > MAX_AFTER_PERSON_MS;
  try {
    while (!isOver()) {
      await person.prepare(STEP_MS);
      await pass(house, STEP_MS);
      if (person.hasFinished) finishedAtMs = Math.min(finishedAtMs, clock.nowMs());
      onStep();
    }
    if (listener.failure) throw listener.failure;
  } finally {
    person.hangUp();
    session.close('the recording is over');
    await pass(house, STEP_MS);
  }
}

/** Lets time pass, whichever time it is. */
function pass({ clock }: House, durationMs: number): Promise<unknown> {
  if (clock instanceof VirtualClock) return clock.runFor(durationMs);
  return new Promise<void>(resolve => clock.setTimer(durationMs, resolve));
}
