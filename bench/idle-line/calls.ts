/** Calls on which somebody asks twice and says nothing in between, over lines that lose packets. */
import { join } from 'node:path';
import { type Random, VirtualClock } from '../../actors/core/index.ts';
import type { SessionEvent } from '../../actors/session-api.ts';
import type { EvalConversation, Material } from '../../cli/eval/material.ts';
import { ScriptedPerson } from '../../cli/eval/person.ts';
import type { House } from '../../cli/house.ts';
import { resampled } from '../../cli/media/resampled.ts';
import { readWav } from '../../cli/media/wav.ts';
import { INPUT_SAMPLE_RATE } from '../../cli/talk/recorded-person.ts';
import { joined, noise, room, silence, together, withLoss } from '../../test/support/idle-lines.ts';

const BEFORE_MS = 2000;
const AFTER_MS = 6000;
/**
 * A reply that begins so long after a question ended is no answer to it; the longest wait for the rest of a sentence is
 * 2.6 s.
 */
const ANSWER_WITHIN_MS = 4000;
/** dBFS of the line's noise; the voices are at about −20. */
const QUIETEST = -80;
const LOUDEST = -35;

export interface Line {
  /** Of packets of 20 ms. */
  readonly lost: number;
  /** Packets that are lost together, in the mean. */
  readonly burst: number;
}

export interface Outcome {
  /** Replies that began where nobody had spoken. */
  readonly toNobody: number;
  /** Of the two questions, those after which a reply began. */
  readonly answered: number;
}

/** One call of two questions with `idleMs` between them, under the virtual clock. */
export async function call(
  house: House,
  material: Material,
  random: Random,
  line: Line,
  idleMs: number,
): Promise<Outcome> {
  const asked = [question(material, random), question(material, random)];
  const level = QUIETEST + random.next() * (LOUDEST - QUIETEST);
  const said = joined(silence(BEFORE_MS), asked[0], silence(idleMs), asked[1], silence(AFTER_MS));
  const soundMs = (samples: number) => (samples / INPUT_SAMPLE_RATE) * 1000;
  const floor = (random.next() < 0.5 ? noise : room)(random, level, Math.ceil(soundMs(said.length)));
  const sound = withLoss(together(said, floor), random, line.lost, line.burst);
  const first = { fromMs: BEFORE_MS, toMs: BEFORE_MS + soundMs(asked[0].length) };
  const fromMs = first.toMs + idleMs;
  const second = { fromMs, toMs: fromMs + soundMs(asked[1].length) };
  return outcome(await repliesOver(house, sound), [first, second]);
}

/** A reply belongs to the question during which it began, or shortly before; any other was for nobody. */
function outcome(
  beganMs: readonly number[],
  asked: readonly { readonly fromMs: number; readonly toMs: number }[],
): Outcome {
  const answers = asked.map(({ fromMs, toMs }) =>
    beganMs.filter(ms => ms > fromMs && ms <= toMs + ANSWER_WITHIN_MS),
  );
  const toSomebody = answers.reduce((sum, { length }) => sum + length, 0);
  return {
    toNobody: beganMs.length - toSomebody,
    answered: answers.filter(({ length }) => length > 0).length,
  };
}

async function repliesOver(house: House, sound: Float32Array): Promise<number[]> {
  const { clock, runtime, sessionDefaults } = house;
  if (!(clock instanceof VirtualClock)) throw new Error('an idle line is measured under the virtual clock');
  const session = runtime.openSession({ ...sessionDefaults, delivery: { mode: 'paced', leadMs: 20 } });
  const openedAtMs = clock.nowMs();
  const began: number[] = [];
  session.events$.subscribe((event: SessionEvent) => {
    if (event.type === 'response.created') began.push(clock.nowMs() - openedAtMs);
  });
  const person = new ScriptedPerson(session, clock);
  person.say(sound, []);
  for (let guard = 0; !person.isSilent && guard < 10_000; guard++) await clock.runFor(100);
  person.hangUp();
  session.close('the call is over');
  await clock.runFor(100);
  return began;
}

function question(material: Material, random: Random): Float32Array {
  const cases = material.conversations.filter(({ suite }) => suite === 'facts');
  const { turns }: EvalConversation = cases[Math.floor(random.next() * cases.length)];
  return resampled(readWav(join(material.directory, turns[0].audio)), INPUT_SAMPLE_RATE);
}
