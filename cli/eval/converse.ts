import { join } from 'node:path';
import { VirtualClock } from '../../actors/core/index.ts';
import type { House } from '../house.ts';
import { readPicture, type CapturedPicture } from '../media/pictures.ts';
import { resampled } from '../media/resampled.ts';
import { readWav } from '../media/wav.ts';
import { INPUT_SAMPLE_RATE } from '../talk/recorded-person.ts';
import { TurnListener, type Said } from './ear.ts';
import type { EvalConversation, EvalTurn } from './material.ts';
import { ScriptedPerson } from './person.ts';

const REST_MS = 1200;
const STEP_MS = 100;
/** A reply that has not ended by then is cut; the longest of the domain takes about 25 s. */
const MAX_TURN_MS = 45_000;
export const PAUSE_BEFORE_MS = 300;

export interface Judged {
  readonly case: EvalConversation;
  readonly turn: EvalTurn;
  readonly said: Said;
  /** What should have been said: of the material, or what follows from where the reply before was really cut. */
  readonly expected: string;
}

/**
 * One conversation through the runtime, every turn spoken, under virtual time; the last turn counts, or those marked.
 */
export async function converse(
  house: House,
  directory: string,
  of: EvalConversation,
): Promise<readonly Judged[]> {
  const session = house.runtime.openSession({
    ...house.sessionDefaults,
    delivery: { mode: 'paced', leadMs: 20 },
    ...(of.tools && { tools: of.tools }),
  });
  const [ear, person] = [new TurnListener(session, house.clock), new ScriptedPerson(session, house.clock)];
  try {
    const judged: Judged[] = [];
    for (const turn of of.turns) {
      await pass(house, PAUSE_BEFORE_MS);
      const said = await exchange(house, ear, person, turn, directory);
      if (ear.failure) throw ear.failure;
      if (isJudged(of, turn))
        judged.push({ case: of, turn, said, expected: expectedAnswer(of, turn, ear.truncatedText) });
    }
    return judged;
  } finally {
    person.hangUp();
    session.close('the evaluation is over');
    await pass(house, STEP_MS);
  }
}

/** One turn, spoken, and what is said to it until the agent has rested. */
export async function exchange(
  house: House,
  ear: TurnListener,
  person: ScriptedPerson,
  turn: EvalTurn,
  directory: string,
): Promise<Said> {
  ear.take();
  person.say(
    resampled(readWav(join(directory, turn.audio)), INPUT_SAMPLE_RATE),
    await framesOf(turn, directory),
  );
  for (let passed = 0; passed < MAX_TURN_MS && ear.failure === null; passed += STEP_MS) {
    await pass(house, STEP_MS);
    const isCut = turn.cutAfterMs !== undefined && (ear.hearingForMs() ?? -1) >= turn.cutAfterMs;
    if (isCut || (person.isSilent && ear.restedForMs() >= REST_MS)) break;
  }
  return ear.take();
}

async function framesOf(turn: EvalTurn, directory: string): Promise<CapturedPicture[]> {
  const frames = turn.pictures.map(async ({ file, atMs }) => ({
    capturedAtMs: atMs,
    image: await readPicture(join(directory, file)),
  }));
  return Promise.all(frames);
}

function isJudged({ turns }: EvalConversation, turn: EvalTurn): boolean {
  return turns.some(({ judged }) => judged) ? turn.judged === true : turn === turns.at(-1);
}

/** Where a recitation stopped is known only after it was cut: the last item that was heard is the answer. */
export function expectedAnswer(of: EvalConversation, turn: EvalTurn, truncatedText: string | null): string {
  const answer = turn.answer.join(' ');
  if (of.suite !== 'stopped' || truncatedText === null) return answer;
  const item = truncatedText
    .split(/[,.]/)
    .map(part => part.trim())
    .filter(Boolean)
    .at(-1);
  if (!item) return answer;
  return `At ${/^[A-Z][a-z]/.test(item) && !isName(item) ? item.toLowerCase() : item}.`;
}

/** Days and months keep their capital. */
const isName = (word: string): boolean =>
  /^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day$|^(January|February|March|April|May|June|July|August|September|October|November|December)$/.test(
    word,
  );

/** Time goes by. */
export function pass({ clock }: House, durationMs: number): Promise<unknown> {
  if (clock instanceof VirtualClock) return clock.runFor(durationMs);
  return new Promise<void>(resolve => clock.setTimer(durationMs, resolve));
}
