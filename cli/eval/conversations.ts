import type { House } from '../house.ts';
import { converse, type Judged } from './converse.ts';
import { recognise } from './judge.ts';
import type { Material } from './material.ts';
import { areRight, TASK_PASSED, TASKS, taskRows } from './tasks.ts';
import { type Row, recognised, shareRow, words } from './score.ts';

/** Silence after which a listener takes the turn as left to him (silence alone would end it after 650 ms). */
const LEFT_TO_SPEAK_MS = 1000;

interface Suite {
  readonly what: string;
  readonly wanted: number | null;
}

export const CONVERSATION_SUITES: Readonly<Record<string, Suite>> = {
  facts: { what: 'spoken question → text exact: facts', wanted: 0.97 },
  phrasings: { what: 'spoken question → text exact: unseen phrasings', wanted: 0.95 },
  vision: { what: 'spoken question → text exact: vision', wanted: 0.9 },
  motion: { what: 'spoken question → text exact: motion', wanted: 0.9 },
  memory: { what: 'spoken question → text exact: memory over turns', wanted: 0.9 },
  stopped: { what: 'spoken question → text exact: where did you stop', wanted: 0.9 },
  'after-interruption': { what: 'spoken question → text exact: after an interruption', wanted: 0.95 },
  'after-recitation': { what: 'spoken question → text exact: after a recitation', wanted: 0.95 },
  'stop-and-ask': { what: 'spoken question → text exact: stop and ask in one breath', wanted: 0.95 },
  'ten-minutes': { what: 'spoken question → text exact: sums late in a call of ten minutes', wanted: 0.95 },
  'short-words': { what: 'spoken question → text exact: short words, before twenty', wanted: 0.95 },
  minus: { what: 'spoken question → text exact: minus', wanted: 0.95 },
  'tool-calls': { what: 'tool asked for in unheard wordings → the right call, once', wanted: 0.95 },
  'no-calls': { what: 'tools told and none asked for → no call', wanted: 0.99 },
  [TASKS]: { what: TASK_PASSED, wanted: 0.95 },
  everyday: { what: 'everyday English → asks to say that again', wanted: 0.9 },
  unfinished: { what: 'unfinished sentence → waits', wanted: 0.95 },
  finished: { what: 'finished sentence → answers', wanted: 0.97 },
  noise: { what: 'facts at 15 dB SNR → text exact', wanted: null },
  reverb: { what: 'facts in a reverberant room → text exact', wanted: null },
  telephone: { what: 'facts over G.711 → text exact', wanted: null },
  'packet-loss': { what: 'facts with 3 % of packets lost → text exact', wanted: null },
  clipping: { what: 'facts clipped by 12 dB → text exact', wanted: null },
  level: { what: 'facts at −18, −12 or +6 dB → text exact', wanted: null },
  'other-families': { what: 'facts in families of voices that no training has → text exact', wanted: 0.95 },
  'people-wide': { what: 'sums of a person’s recorded words, 16 kHz → text exact', wanted: 0.85 },
  'people-telephone': { what: 'sums of a person’s recorded words, 8 kHz → text exact', wanted: 0.8 },
};

/** Of models that were taught tools. */
const TOOL_SUITES: ReadonlySet<string> = new Set(['tool-calls', 'no-calls', TASKS]);

export interface ConversationSetting {
  readonly house: House;
  readonly material: Material;
  readonly limit: number;
  readonly speech: boolean;
  readonly progress: (text: string) => void;
  /** Sees every judged turn. */
  readonly saw?: (judged: Judged) => void;
}

/** Conversations through the runtime, end to end; spoken answers of all suites are judged together at the end. */
export async function conversationRows(
  setting: ConversationSetting,
  suites: readonly string[],
): Promise<Row[]> {
  const { material, house, limit, progress } = setting;
  const [rows, answered]: [Row[], Judged[]] = [[], []];
  for (const suite of suites) {
    if (TOOL_SUITES.has(suite) && !house.engine.model.toolTemplate) {
      progress(`${suite}: left out, the model was taught no tools`);
      continue;
    }
    if (suite === TASKS) {
      rows.push(...(await taskRows(setting)));
      continue;
    }
    const judged: Judged[] = [];
    for (const entry of material.conversations.filter(of => of.suite === suite).slice(0, limit)) {
      const some = await converse(house, material.directory, entry);
      for (const one of some) setting.saw?.(one);
      judged.push(...some);
      if (judged.length % 20 === 0) progress(`${suite}: ${judged.length}`);
    }
    if (judged.length === 0) continue;
    const { what, wanted } = CONVERSATION_SUITES[suite];
    rows.push(shareRow(suite, what, { right: judged.filter(isRight).length, of: judged.length }, wanted));
    answered.push(...judged.filter(({ said }) => said.text !== '' && said.samples.length > 0));
  }
  return setting.speech && answered.length > 0 ? [...rows, ...spokenRows(answered, setting)] : rows;
}

/** The rule of each suite: exact words, or the moment of the reply where the question is whether to speak. */
export function isRight({ case: { call, suite }, said, expected }: Judged): boolean {
  if (TOOL_SUITES.has(suite)) return areRight(said.calls, call ?? null);
  if (suite === 'unfinished') return !repliesSoon(said.trace);
  if (suite === 'finished') return repliesSoon(said.trace);
  return words(said.text).join(' ') === words(expected).join(' ');
}

function repliesSoon(trace: Judged['said']['trace']): boolean {
  if (!trace || trace.timeline.firstAudio === null || trace.timeline.speechEnd === null) return false;
  return trace.timeline.firstAudio - trace.timeline.speechEnd <= LEFT_TO_SPEAK_MS;
}

function spokenRows(answered: readonly Judged[], { house, material }: ConversationSetting): Row[] {
  const sampleRate = house.engine.model.outputSampleRate;
  const heard = recognise(
    answered.map(({ said }) => ({ sampleRate, samples: said.samples })),
    material.sentences,
  );
  const scored = recognised(answered.map(({ said }, at) => ({ heard: heard[at] ?? '', truth: said.text })));
  return [
    shareRow('spoken', 'spoken answer against its own text: words', scored.words, 0.97, answered.length),
    shareRow(
      'spoken',
      'spoken answer against its own text: sentences',
      scored.sentences,
      0.9,
      answered.length,
    ),
  ];
}
