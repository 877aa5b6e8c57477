/**
 * Random conversations with tools under the virtual clock: second thoughts, interruptions, cancels and crashes at any
 * moment. Each is checked against the promise of docs/tools.md. `npx tsx test/actors/tool-transactions.ts 1000000 1`
 * goes on from the first seed until so many of them were seen, and prints what it saw.
 */
import { fileURLToPath } from 'node:url';
import { createRandom, type Random } from '../../actors/core/index.ts';
import type { ItemContent } from '../../actors/session-api.ts';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import { bookedTool, callSegment, TOOL_TEMPLATE, type ToolBooks } from '../support/tool-calls.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

interface Seen {
  conversations: number;
  rollbacks: number;
  interruptions: number;
  crashes: number;
  calls: number;
  effects: number;
}

export const nothingSeen = (): Seen => ({
  ...{ conversations: 0, rollbacks: 0, interruptions: 0, crashes: 0, calls: 0, effects: 0 },
});

const FRAMES = 14;
const SENTENCES: readonly ScriptedSegment[] = [
  { text: 'One moment.', frames: FRAMES },
  { text: 'It is so.', frames: FRAMES },
];
const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random.next() * of.length)];

function script(random: Random): ScriptedSegment[] {
  const said = random.next() < 0.7 ? [pick(random, SENTENCES)] : [];
  if (said.length > 0 && random.next() < 0.3) return said;
  const names = Array.from({ length: random.next() < 0.3 ? 2 : 1 }, () =>
    pick(random, ['look', 'set', 'set', 'nobody']),
  );
  return [...said, callSegment(...names.map(name => [name, { x: 1 }] as const))];
}

interface World {
  readonly rig: SessionRig;
  readonly caller: Caller;
  readonly books: { readonly look: ToolBooks; readonly set: ToolBooks };
  /** What went against the promise. */
  readonly broken: string[];
  crashes: number;
}

function world(random: Random): World {
  const crash = random.next() < 0.5 ? 0.3 : 0;
  const crashes = () => {
    if (random.next() >= crash) return null;
    made.crashes += 1;
    return pick(random, ['before', 'after'] as const);
  };
  const clock = () => made.rig.clock;
  const takesMs = pick(random, [1, 120, 300, 900, 4000]);
  const knowsKeys = random.next() < 0.5;
  const look = bookedTool('look', clock, { effect: 'none', takesMs, crashes });
  const set = bookedTool('set', clock, {
    effect: 'world',
    takesMs: pick(random, [1, 200, 1500, 5000]),
    crashes,
    knowsKeys,
  });
  const run = set.tool.run;
  const guarded = {
    ...set.tool,
    run(...[given, context]: Parameters<typeof run>) {
      if (!isCommitted(made, context.callId)) made.broken.push(`effect before t4: ${context.key}`);
      return run(given, context);
    },
  };
  const replies = Array.from({ length: 6 }, () => script(random));
  const failing = random.next() < 0.2 ? 5 + Math.floor(random.next() * 200) : -1;
  // The runtime's, or brought by whoever holds the session, as those of an MCP server are.
  const tools = [look.tool, guarded];
  const areBrought = random.next() < 0.5;
  const rig = new SessionRig({
    ...{ replies, toolTemplate: TOOL_TEMPLATE, tools: areBrought ? [] : tools, maxPositions: 60_000 },
    // A call is a dozen steps in most of them, as nano's, and a hundred in the others.
    wholeTags: random.next() < 0.8,
    fails: (component, step) => component === 'languageModel' && step === failing,
  });
  const caller = rig.open({
    delivery: random.next() < 0.5 ? { mode: 'paced', leadMs: 100 } : { mode: 'burst' },
    outputModality: random.next() < 0.85 ? 'audio' : 'text',
    ...(areBrought && { tools }),
    toolPolicy: {
      ...{ fillerAfterMs: pick(random, [0, 200, 400]), stopOnBargeIn: random.next() < 0.7 },
      maxRounds: 3,
    },
  });
  const books = { look: look.books, set: set.books };
  const made: World = { rig, caller, books, broken: [], crashes: 0 };
  return made;
}

/** A call that runs is known outside and has no outcome yet, in a reply that is. */
function isCommitted({ caller }: World, callId: string): boolean {
  const isReplying = caller.events.some(({ type }) => type === 'response.created');
  return isReplying && caller.session.items.some(({ content: [part] }) => isOpenCall(part, callId));
}

const isOpenCall = (part: ItemContent | undefined, callId: string): boolean =>
  part?.type === 'call' && part.callId === callId && !part.output;

async function live(random: Random, { caller }: World): Promise<void> {
  const deeds = 6 + Math.floor(random.next() * 60);
  for (let i = 0; i < deeds && !caller.last('ended'); i++) {
    await caller.say(pick(random, [120, 300, 600]));
    await caller.silence(pick(random, [220, 300, 420, 560, 700, 900, 1500, 3000]));
    if (random.next() < 0.1) attempt(() => caller.session.send({ type: 'response.cancel' }));
    if (random.next() < 0.05) attempt(() => caller.session.send({ type: 'input.clear' }));
    if (random.next() < 0.05) attempt(() => caller.session.send({ type: 'response.create' }));
  }
  // The turn ends by what is heard; what follows needs no sound: at most four rounds of the slowest tool, crashed and
  // repeated.
  await caller.silence(1000);
  for (let i = 0; i < 8 && (i === 0 || caller.state !== 'idle'); i++) await caller.wait(6000);
  await caller.wait(12_000);
}

function attempt(deed: () => void): void {
  try {
    deed();
  } catch {
    // Refused: nothing was to be done.
  }
}

function check({ books, broken, caller, rig }: World): void {
  const { effects } = books.set;
  if (new Set(effects).size < effects.length) broken.push(`an effect happened twice: ${effects}`);
  const calls = caller.session.items.flatMap(({ content: [part] }) => (part?.type === 'call' ? [part] : []));
  if (caller.last('ended')) return;
  for (const { callId, output } of calls) if (!output) broken.push(`no outcome: ${callId}`);
  const text = rig.contextOf('SYSTEM:TOOLS');
  const [called, answered] = [text.split('</longcat_tool_call>').length, text.split('TOOL:').length].map(
    n => n - 1,
  );
  if (called !== answered) broken.push(`the context has ${called} calls and ${answered} outcomes: ${text}`);
  if (called !== calls.length)
    broken.push(`the context has ${called} calls, the conversation ${calls.length}`);
  if (text.includes('"running"')) broken.push('a call that has ended still runs in the context');
  const heard = new Map<string, number>();
  for (const { itemId, samples } of caller.all('response.audio'))
    heard.set(itemId, (heard.get(itemId) ?? 0) + samples.length);
  for (const [itemId, samples] of heard)
    if (samples > FRAMES * 1440) broken.push(`more than was said is heard: ${itemId}`);
  for (const { delta } of caller.all('response.text'))
    if (/[<>{}_]/.test(delta)) broken.push(`shown: ${delta}`);
}

/** One conversation; what went against the promise comes back. */
export async function conversation(seed: number, seen: Seen): Promise<readonly string[]> {
  const random = createRandom(seed);
  const made = world(random);
  await live(random, made);
  check(made);
  const traces = made.caller.all('turn.trace').map(({ trace }) => trace);
  seen.conversations += 1;
  seen.rollbacks += traces.reduce((sum, { rollbacks }) => sum + rollbacks, 0);
  seen.interruptions += made.caller.all('playout.clear').length;
  seen.crashes += made.crashes;
  seen.calls += made.books.look.runs.length + made.books.set.runs.length;
  seen.effects += made.books.set.effects.length;
  await made.rig.runtime.close();
  return made.broken;
}

async function main(wanted: number, first: number): Promise<void> {
  const seen = nothingSeen();
  const broken: string[] = [];
  for (let seed = first; seen.rollbacks + seen.interruptions + seen.crashes < wanted; seed++) {
    for (const what of await conversation(seed, seen)) broken.push(`seed ${seed}: ${what}`);
    if (seed % 500 === 0) console.log(JSON.stringify({ ...seen, broken: broken.length }));
  }
  console.log(JSON.stringify({ ...seen, broken: broken.length }));
  for (const line of broken.slice(0, 20)) console.log(line);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1));
