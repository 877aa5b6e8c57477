/**
 * What a recording holds of tools that ran in the process: what the model was told of them, and what they gave, but not
 * what they do (docs/tools.md).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../actors/core/index.ts';
import { defineTool, type Session, ToolCrash } from '../../actors/index.ts';
import { recordedEvents, type ReplayResult } from '../../actors/recording/index.ts';
import { packCommand, unpackCommand } from '../../actors/recording/samples.ts';
import type { SessionCommand, Tool } from '../../actors/session-api.ts';
import { RecordingRig } from '../support/recording-rig.ts';
import { packet } from '../support/session-rig.ts';
import { addItem, cancelResponse, createResponse, pushAudio, update } from '../support/told.ts';
import { bookedTool, callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

const look = defineTool({ name: 'look', description: 'Looks.', effect: 'none', run: () => 'there it is' });
const CONTEXT = { key: 'k', callId: 'c', sessionId: 's', signal: new AbortController().signal };
const HERE: ScriptedSegment[] = [{ text: 'It is there.', frames: 0 }];
/** Calls are long where a token is a character. */
const MODEL = { toolTemplate: TOOL_TEMPLATE, mostStepMs: 1 };

const WENT_WRONG: readonly [string, Pick<Tool, 'run' | 'happened'>, string][] = [
  ['fails', { run: () => Promise.reject(new Error('no such lamp')) }, '{"error":"no such lamp"}'],
  ['gives no JSON', { run: () => ({ n: 1n }) }, 'BigInt'],
  ['gives too much', { run: () => 'x'.repeat(20_000) }, 'The result has 20000 characters'],
  ['gives nothing', { run: () => undefined }, 'null'],
  ['broke down, and nobody knows', { run: crash }, 'nobody knows whether it happened'],
  ['broke down, and it happened', { run: crash, happened: () => ({ ok: 1 }) }, '{"ok":1}'],
  ['broke down, and cannot be asked', { run: crash, happened: crash }, 'nobody knows whether'],
  ['broke down twice', { run: crash, happened: () => null }, 'nobody knows whether it happened'],
];

describe('tools of a recorded session', () => {
  it.each([
    ['settings', { type: 'settings.update', settings: { tools: [look, { name: 'theirs' }] } }],
    ['one response', { type: 'response.create', options: { tools: [look, { name: 'theirs' }] } }],
  ] as const)(
    'are data in %s, and give what the recording says when they are read again',
    async (_where, command) => {
      const packed = packCommand(command as SessionCommand);
      const copy = structuredClone(packed) as SessionCommand;
      const { tools } = toolsOf(unpackCommand(copy, async ({ tool }) => ({ output: `${tool} again` })));
      expect(tools[1]).toEqual({ name: 'theirs' });
      expect(tools[0]).toMatchObject({ name: 'look', description: 'Looks.', effect: 'none' });
      expect(await (tools[0] as Tool).run({}, CONTEXT)).toBe('look again');
    },
  );

  it.each(['runtime', 'session', 'settings'] as const)(
    'give a replay what they gave, those of the %s, and do nothing again',
    async where => {
      let runs = 0;
      const tool: Tool = { ...look, run: () => `look ${++runs}` };
      const rig: RecordingRig = new RecordingRig({
        ...{ ...MODEL, replies: [[callSegment(['look'])], HERE] },
        ...(where === 'runtime' && { tools: [tool] }),
      });
      const settings = { outputModality: 'text', ...(where === 'settings' && { tools: [tool] }) } as const;
      const options = { id: 'caller', ...(where === 'session' && { tools: [tool] }) };
      await ask(rig, rig.runtime.openSession(settings, options));
      expect(outputs(recordedEvents(rig.recording()))).toEqual(['look 1']);
      await expectSame(rig);
      expect(runs).toBe(1);
    },
  );

  it.each(WENT_WRONG)('whose call %s is replayed so', async (_what, deeds, told) => {
    const tool: Tool = { name: 'set', effect: 'world', ...deeds };
    const rig: RecordingRig = new RecordingRig({
      ...{ ...MODEL, replies: [[callSegment(['set'])], HERE] },
      tools: [tool],
    });
    await ask(rig, rig.runtime.openSession({ outputModality: 'text' }));
    const [output] = outputs(recordedEvents(rig.recording()));
    expect(output).toContain(told);
    await expectSame(rig);
  });

  it('come out to the bit whatever people do meanwhile and however slow they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async seed => {
        const made = await conversation(createRandom(seed), seed);
        const runs = made.runs();
        await expectSame(made.rig);
        expect(made.runs()).toBe(runs);
      }),
      { numRuns: 8 },
    );
  });

  it('were called, interrupted and rolled back, so the test above compares something', async () => {
    const made = await Promise.all([1, 2, 3].map(seed => conversation(createRandom(seed), seed)));
    const causes = made.flatMap(({ rig }) => [...rig.recording().entries()].map(({ cause }) => cause.type));
    expect(causes.filter(type => type === 'tool').length).toBeGreaterThan(5);
    const types = made.flatMap(({ rig }) =>
      [...recordedEvents(rig.recording())].map(({ json }) => JSON.parse(json)),
    );
    expect(types.some(({ type, trace }) => type === 'turn.trace' && trace.rollbacks > 0)).toBe(true);
    expect(types.some(({ type }) => type === 'playout.clear')).toBe(true);
  });

  it('give what they gave when something was changed; what was not asked then the recording does not hold', async () => {
    const { tool } = bookedTool('look', () => rig.clock.virtual, {
      effect: 'none',
      takesMs: 700,
      result: 'seen',
    });
    const replies = [[callSegment(['look', { at: 1 }])], HERE];
    const rig: RecordingRig = new RecordingRig({ ...MODEL, replies, tools: [tool] });
    await ask(rig, rig.runtime.openSession({ outputModality: 'text', instructions: 'Be kind.' }));
    const changeSettings = (settings: object) => ({ ...settings, instructions: 'Be brief.' });
    const changed = await rig.replay({ changeSettings });
    expect(changed.divergence).not.toBeNull();
    expect(outputs(changed.events)).toEqual(['seen']);
    const other = new RecordingRig({ ...MODEL, replies: [[callSegment(['look', { at: 2 }])], HERE] });
    other.files.push(...rig.files);
    const { divergence, events } = await other.replay();
    expect(divergence).not.toBeNull();
    expect(outputs(events)).toEqual(['{"error":"The recording does not hold what this call gives."}']);
  });
});

function crash(): never {
  throw new ToolCrash('gone');
}

async function ask(rig: RecordingRig, session: Session): Promise<void> {
  addItem(session, { role: 'user', content: [{ type: 'text', text: 'Look.' }] });
  createResponse(session);
  await rig.clock.virtual.runFor(2000);
  session.close('over');
  await rig.clock.virtual.runFor(200);
}

async function expectSame(rig: RecordingRig): Promise<ReplayResult> {
  const result = await rig.replay();
  expect(result.divergence).toBeNull();
  expect(result.events).toEqual([...recordedEvents(rig.recording())]);
  expect(result.endReason).toBe('idle');
  return result;
}

/**
 * Somebody who speaks and goes on at any moment, cancels, and changes the tools; a slow tool without and one with an
 * effect, which crash.
 */
async function conversation(random: Random, seed: number) {
  const crashes = () => (random.next() < 0.2 ? 'after' : null);
  const clock = () => rig.clock.virtual;
  const [takesMs, effect] = [[1, 300, 2000][seed % 3], 'world'] as const;
  const look = bookedTool('look', clock, { effect: 'none', takesMs: 200, crashes });
  const set = bookedTool('set', clock, { effect, takesMs, crashes, knowsKeys: seed % 2 === 0 });
  const replies = Array.from({ length: 8 }, () => [
    ...(random.next() < 0.5 ? [{ text: 'One moment.', frames: 10 }] : []),
    ...(random.next() < 0.8
      ? [callSegment(['look', { at: 1 }], ['set'])]
      : [{ text: 'It is so.', frames: 12 }]),
  ]);
  const tools = [look.tool];
  const rig: RecordingRig = new RecordingRig({ ...{ ...MODEL, replies, tools }, machineSeed: seed });
  const session = rig.runtime.openSession({ tools: [set.tool] }, { id: 'caller' });
  let speaks = false;
  for (let atMs = 0; atMs < 7000; atMs += 20) {
    await rig.clock.virtual.runFor(20);
    if (random.next() < 0.04) speaks = !speaks;
    pushAudio(session, packet(speaks, 20));
    if (random.next() < 0.003) attempt(() => cancelResponse(session));
    if (random.next() < 0.003) update(session, { tools: [set.tool, { name: 'theirs' }] });
  }
  session.close('hung up');
  await rig.clock.virtual.runFor(3000);
  return { rig, runs: () => look.books.runs.length + set.books.runs.length };
}

function attempt(deed: () => void): void {
  try {
    deed();
  } catch {
    // Refused: nothing was to be done.
  }
}

const outputs = (events: Iterable<{ readonly json: string }>): (string | undefined)[] =>
  [...events].flatMap(({ json }) => {
    const { type, item } = JSON.parse(json);
    return type === 'item.done' && item.content[0].type === 'call' ? [item.content[0].output] : [];
  });

function toolsOf(command: SessionCommand) {
  if (command.type === 'settings.update') return { tools: command.settings.tools! };
  if (command.type === 'response.create') return { tools: command.options!.tools! };
  throw new Error(command.type);
}
