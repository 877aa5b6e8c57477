/**
 * Spoken tasks of tools, from the request to the answer that says what came of it, by the definitions of
 * Full-Duplex-Bench v3 (arXiv 2604.04847): Pass@1 is the right call with the right arguments and no other; what
 * corrects itself is counted by itself; latencies begin where the caller's speech ends.
 */
import { isDeepStrictEqual } from 'node:util';
import { defineTool, type Tool } from '../../actors/index.ts';
import type { House } from '../house.ts';
import { exchange, type Judged, PAUSE_BEFORE_MS, pass } from './converse.ts';
import { type Said, TurnListener } from './ear.ts';
import type { EvalConversation, Material } from './material.ts';
import { ScriptedPerson } from './person.ts';
import { median, type Row, shareRow, words } from './score.ts';

export const TASKS = 'tool-tasks';
export const TASK_PASSED = 'spoken task of a tool → Pass@1: the right call, once, and no other';
/** Of every tool. */
const TOOL_MS = 300;

interface TaskSetting {
  readonly house: House;
  readonly material: Material;
  readonly limit: number;
  readonly progress: (text: string) => void;
  readonly saw?: (judged: Judged) => void;
}

export interface TaskOutcome {
  readonly corrected: boolean;
  readonly passed: boolean;
  readonly answered: boolean;
  /**
   * Milliseconds from the end of the caller's speech to the first sound, to the call, and to the first sound of what
   * follows from it; null: there is none.
   */
  readonly firstSoundMs: number | null;
  readonly callMs: number | null;
  readonly answerMs: number | null;
}

/** All tasks of the material, one conversation each. */
export async function taskRows(setting: TaskSetting): Promise<Row[]> {
  const { material, limit, progress } = setting;
  const cases = material.conversations.filter(({ suite }) => suite === TASKS).slice(0, limit);
  if (cases.length === 0)
    progress(`${TASKS}: left out, the material is older; remove its folder to make it anew`);
  const outcomes: TaskOutcome[] = [];
  for (const task of cases) {
    outcomes.push(await perform(setting, task));
    if (outcomes.length % 20 === 0) progress(`${TASKS}: ${outcomes.length}`);
  }
  return outcomes.length === 0 ? [] : rowsOf(outcomes);
}

export function rowsOf(outcomes: readonly TaskOutcome[]): Row[] {
  const share = (
    what: string,
    of: readonly TaskOutcome[],
    isOne: (outcome: TaskOutcome) => boolean,
    wanted: number | null,
  ) => shareRow(TASKS, what, { right: of.filter(isOne).length, of: of.length }, wanted);
  const latency = (what: string, times: readonly (number | null)[]): Row => {
    const known = times.filter(time => time !== null);
    const value = known.length === 0 ? Number.NaN : median(known);
    return { suite: TASKS, what, n: known.length, value, interval: null, unit: 'ms', wanted: null };
  };
  const right = outcomes.filter(({ passed }) => passed);
  const corrected = outcomes.filter(outcome => outcome.corrected);
  return [
    share(TASK_PASSED, outcomes, ({ passed }) => passed, 0.95),
    share('spoken task that corrects itself → Pass@1', corrected, ({ passed }) => passed, 0.95),
    share('spoken task → a reply that is heard', outcomes, ({ firstSoundMs }) => firstSoundMs !== null, null),
    share(
      'spoken task, passed → the answer is what the result says',
      right,
      ({ answered }) => answered,
      null,
    ),
    latency(
      'spoken task → first sound, p50',
      outcomes.map(({ firstSoundMs }) => firstSoundMs),
    ),
    latency(
      'spoken task → call, p50',
      right.map(({ callMs }) => callMs),
    ),
    latency(
      `spoken task → answer with the result of a tool of ${TOOL_MS} ms, p50`,
      right.map(({ answerMs }) => answerMs),
    ),
  ];
}

async function perform({ house, material, saw }: TaskSetting, task: EvalConversation): Promise<TaskOutcome> {
  const { clock } = house;
  const [turn] = task.turns;
  const expected = turn.answer.join(' ');
  const calls: { readonly name: string; readonly argumentsJson: string; readonly atMs: number }[] = [];
  const tools = (task.tools ?? []).map(({ effect = 'world', ...told }): Tool => {
    const run = (given: object) => {
      calls.push({ name: told.name, argumentsJson: JSON.stringify(given), atMs: clock.nowMs() });
      return new Promise<string>(resolve => clock.setTimer(TOOL_MS, () => resolve(task.result ?? 'ok')));
    };
    return defineTool({ ...told, effect, run });
  });
  const session = house.runtime.openSession(
    { ...house.sessionDefaults, delivery: { mode: 'paced', leadMs: 20 } },
    { tools },
  );
  const [ear, person] = [new TurnListener(session, clock), new ScriptedPerson(session, clock)];
  const [sounds, ends]: [number[], number[]] = [[], []];
  session.events$.subscribe(event => {
    if (event.type === 'response.audio') sounds.push(clock.nowMs());
    if (event.type === 'turn.trace' && event.trace.timeline.speechEnd !== null)
      ends.push(event.trace.timeline.speechEnd);
  });
  try {
    await pass(house, PAUSE_BEFORE_MS);
    const said = await exchange(house, ear, person, turn, material.directory);
    if (ear.failure) throw ear.failure;
    saw?.({ case: task, turn, said: { ...said, calls }, expected });
    const since = (atMs: number | undefined) =>
      atMs === undefined || ends.length === 0 ? null : atMs - ends[0];
    const calledAtMs = calls[0]?.atMs;
    return {
      corrected: task.kind === 'corrected',
      passed: areRight(calls, task.call),
      answered: words(said.text).join(' ') === words(expected).join(' '),
      firstSoundMs: since(sounds[0]),
      callMs: since(calledAtMs),
      answerMs: since(sounds.find(atMs => atMs >= calledAtMs + TOOL_MS)),
    };
  } finally {
    person.hangUp();
    session.close('the evaluation is over');
    await pass(house, 100);
  }
}

/** The wanted call, once, and no other. */
export function areRight(calls: Said['calls'], wanted: EvalConversation['call']): boolean {
  if (!wanted) return calls.length === 0;
  const [only] = calls;
  return (
    calls.length === 1 &&
    only.name === wanted.name &&
    isDeepStrictEqual(JSON.parse(only.argumentsJson), wanted.arguments)
  );
}
