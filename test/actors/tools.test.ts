import { describe, expect, it } from 'vitest';
import type { SessionSettings, ToolDeclaration } from '../../actors/index.ts';
import { type Caller, type RigOptions, SessionRig } from '../support/session-rig.ts';
import { type BookedOptions, bookedTool, callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

const MOMENT: ScriptedSegment = { text: 'One moment.', frames: 14 };
const LONG_MOMENT: ScriptedSegment = { text: 'One moment please, I will see.', frames: 40 };
const ANSWER: ScriptedSegment[] = [{ text: 'It is done.', frames: 14 }];
const TIMER: ToolDeclaration = {
  name: 'set_timer',
  parameters: { type: 'object', properties: { minutes: { type: 'integer' } } },
};
const CALL = callSegment(['set_timer', { minutes: 5 }]);
const CALL_TEXT = CALL.text;

/** A runtime whose model says these replies in turn. */
function rigged(replies: readonly (readonly ScriptedSegment[])[], options: RigOptions = {}) {
  return new SessionRig({ replies, toolTemplate: TOOL_TEMPLATE, ...options });
}

/** … and whose one tool runs in the process. */
function withTool(replies: readonly (readonly ScriptedSegment[])[], options: BookedOptions) {
  const { tool, books } = bookedTool('set_timer', () => rig.clock, {
    parameters: TIMER.parameters,
    ...options,
  });
  const rig: SessionRig = rigged(replies, { tools: [tool] });
  return { rig, books };
}

const letters = (text: string) => text.replaceAll(/\s/g, '').length;
const spoken = (caller: Caller) =>
  caller
    .all('response.text')
    .map(({ delta }) => delta)
    .join('');

async function ask(caller: Caller, silenceMs = 1000) {
  await caller.say(600);
  await caller.silence(silenceMs);
}

describe('a tool that the client runs', () => {
  const settings: Partial<SessionSettings> = { tools: [TIMER] };

  it('is told of, called without a word of it being heard or read, and answered', async () => {
    const rig = rigged([[MOMENT, CALL], ANSWER]);
    const caller = rig.open(settings);
    await ask(caller, 3000);
    expect(rig.contextText()).toContain('SYSTEM:TOOLS:["set_timer(minutes)"]</longcat_s>\n');
    const called = caller.all('response.call');
    expect(called).toHaveLength(1);
    expect(called[0].item.content).toMatchObject([
      { type: 'call', name: 'set_timer', argumentsJson: '{"minutes":5}' },
    ]);
    expect(spoken(caller)).not.toContain('<');
    expect(spoken(caller)).toBe('One moment.');
    expect(caller.audioMs).toBe(14 * 60);
    expect(caller.last('response.done')?.status).toEqual({ kind: 'completed' });
    expect(rig.contextText()).toContain(`</pause>${CALL_TEXT}</longcat_s>\n`);
    expect(caller.state).toBe('idle');
    const [{ callId }] = called[0].item.content as unknown as readonly [{ callId: string }];
    const item = { role: 'tool', content: [{ type: 'call.output', callId, output: '{"ok":true}' }] } as const;
    caller.session.send({ type: 'item.add', item });
    caller.session.send({ type: 'response.create' });
    await caller.wait(3000);
    expect(rig.contextText()).toContain(
      `${CALL_TEXT}</longcat_s>\nTOOL:{"ok":true}\nVOICE ASSISTANT:It is done.`,
    );
    expect(spoken(caller)).toBe('One moment.It is done.');
  });

  it('may be called by a reply of nothing else, spoken or written', async () => {
    for (const outputModality of ['audio', 'text'] as const) {
      const rig = rigged([[CALL], ANSWER]);
      const caller = rig.open({ ...settings, outputModality });
      await ask(caller);
      expect(caller.all('response.call')).toHaveLength(1);
      expect(caller.all('item.added').map(({ item }) => item.role)).toEqual(['user']);
      expect([spoken(caller), caller.audioMs]).toEqual(['', 0]);
      expect(caller.state).toBe('idle');
    }
  });

  it('is not called by a reply that was interrupted before it', async () => {
    const rig = rigged([[LONG_MOMENT, CALL], ANSWER]);
    const caller = rig.open({ ...settings, delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 2200);
    await ask(caller, 2500);
    expect(caller.all('response.call')).toEqual([]);
    expect(rig.contextText()).toContain('One moment please, </longcat_s>\n');
    expect(rig.contextText()).not.toContain('set_timer\n');
    expect(spoken(caller)).toContain('It is done.');
  });

  it('has to be called where the client says so, of this name, or not at all', async () => {
    const other: ToolDeclaration = { ...TIMER, name: 'stop_timer' };
    const cases = [
      ['required', [TIMER, other], '<longcat_tool_call>'],
      ['required', [TIMER], '<longcat_tool_call>set_timer\n'],
      [{ name: 'set_timer' }, [TIMER, other], '<longcat_tool_call>set_timer\n'],
    ] as const;
    for (const [toolChoice, tools, begun] of cases) {
      const rig = rigged([[{ text: CALL_TEXT.slice(begun.length), frames: 0, call: true }]]);
      const caller = rig.open({ tools, toolChoice });
      await ask(caller);
      expect(rig.contextText()).toContain(`VOICE ASSISTANT:${begun}`);
      const { argumentsJson, name } = caller.last('response.call')!.item.content[0] as {
        argumentsJson: string;
        name: string;
      };
      expect([name, argumentsJson]).toEqual(['set_timer', '{"minutes":5}']);
    }
    const rig = rigged([ANSWER]);
    await ask(rig.open({ ...settings, toolChoice: 'none' }));
    expect(rig.contextText()).not.toContain('TOOLS');
  });

  it('is called once where calls may not be parallel', async () => {
    const both = callSegment(['set_timer', { minutes: 5 }], ['set_timer', { minutes: 6 }]);
    for (const [parallelToolCalls, count] of [
      [true, 2],
      [false, 1],
    ] as const) {
      const rig = rigged([[both], ANSWER]);
      const caller = rig.open({ ...settings, parallelToolCalls });
      await ask(caller);
      expect(caller.all('response.call')).toHaveLength(count);
    }
  });

  it('is unknown to a model that was taught none', async () => {
    const rig = new SessionRig({ replies: [ANSWER] });
    const caller = rig.open(settings);
    await ask(caller);
    expect(rig.contextText()).not.toContain('TOOLS');
  });
});

describe('a tool that runs in the process', () => {
  it('without effect runs at t3, and its answer is heard in place of “one moment”', async () => {
    const { rig, books } = withTool([[MOMENT, CALL], ANSWER], { effect: 'none', takesMs: 200 });
    const caller = rig.open();
    await ask(caller, 3000);
    const endpoint = caller.all('input.committed').length;
    expect(endpoint).toBe(1);
    const { timeline } = caller.all('turn.trace')[0].trace;
    expect(books.runs).toHaveLength(1);
    expect(books.runs[0].atMs).toBeLessThan(timeline.endpoint!);
    expect(books.runs[0].given).toEqual({ minutes: 5 });
    expect(spoken(caller)).toBe('It is done.');
    expect(caller.audioMs).toBe(14 * 60);
    expect(rig.contextText()).toContain(
      `VOICE ASSISTANT:${CALL_TEXT}</longcat_s>\nTOOL:{"ok":true}\nVOICE ASSISTANT:It is done.`,
    );
    expect(caller.states.at(-1)).toBe('idle');
    const item = caller.session.items.find(({ content: [part] }) => part?.type === 'call');
    expect(item?.content[0]).toMatchObject({ name: 'set_timer', output: '{"ok":true}' });
  });

  it('with an effect runs at t4, not before, once; “one moment” is said while it works', async () => {
    const { rig, books } = withTool([[MOMENT, CALL], ANSWER], { effect: 'world', takesMs: 3000 });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 3000);
    const { timeline } = caller.all('turn.trace')[0].trace;
    expect(books.runs).toHaveLength(1);
    expect(books.runs[0].atMs).toBeGreaterThanOrEqual(timeline.endpoint!);
    expect(books.runs[0].key).toBe(`${caller.session.id}/1/0`);
    expect(caller.state).toBe('working');
    await caller.silence(3000);
    expect(spoken(caller)).toBe('One moment.It is done.');
    expect(caller.state).toBe('idle');
    expect(books.effects).toHaveLength(1);
  });

  it('“one moment” ends with the word that is being said when the answer is there; no more of it counts as heard', async () => {
    const { rig } = withTool([[LONG_MOMENT, CALL], ANSWER], { effect: 'none', takesMs: 1500 });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 8000);
    const [filler, answer] = caller.all('turn.trace').map(({ trace }) => trace);
    expect(LONG_MOMENT.text.startsWith(filler.text)).toBe(true);
    expect(filler.text).toMatch(/\w$/);
    expect(filler.text.length).toBeLessThan(LONG_MOMENT.text.length - 1);
    expect(answer.text).toBe('It is done.');
    const audioOf = (itemId: string) =>
      caller
        .all('response.audio')
        .filter(event => event.itemId === itemId)
        .reduce((sum, { samples }) => sum + samples.length / 24, 0);
    const [first, second] = caller.all('response.done');
    expect(first.status).toEqual({ kind: 'completed' });
    // Its words take their share of its time.
    const share = letters(filler.text) / letters(LONG_MOMENT.text);
    const soundMs = LONG_MOMENT.frames * 60;
    expect(Math.abs(audioOf(first.itemId) - share * soundMs)).toBeLessThan(61);
    expect(audioOf(second.itemId)).toBe(14 * 60);
    const item = caller.session.items.find(({ id }) => id === first.itemId);
    expect(item).toMatchObject({ status: 'incomplete', content: [{ transcript: filler.text }] });
    expect(rig.contextText()).toContain(`ASSISTANT:${filler.text}</pause>${CALL_TEXT}`);
    expect(caller.state).toBe('idle');
  });

  it('a client that plays by itself hears “one moment” to its end', async () => {
    const { rig } = withTool([[LONG_MOMENT, CALL], ANSWER], { effect: 'none', takesMs: 1500 });
    const caller = rig.open();
    await ask(caller, 9000);
    expect(spoken(caller)).toBe(`${LONG_MOMENT.text}It is done.`);
    expect(caller.audioMs).toBe((LONG_MOMENT.frames + 14) * 60);
  });

  it('leaves no trace when the user goes on: nothing happened, no result, no call in the context', async () => {
    for (const effect of ['none', 'world'] as const) {
      const { rig, books } = withTool([[MOMENT, CALL], ANSWER], { effect, takesMs: 1000 });
      const caller = rig.open();
      await ask(caller, 400);
      await caller.say(400);
      expect(rig.contextText()).not.toContain('set_timer\n');
      expect(books.effects).toEqual([]);
      expect(books.aborted).toBe(effect === 'none' ? 1 : 0);
      await caller.silence(4000);
      expect(books.effects).toHaveLength(effect === 'world' ? 1 : 0);
      expect(rig.contextText().split('TOOL:').length - 1).toBe(1);
    }
  });
});

describe('a user who takes the turn', () => {
  it('before the result: a tool without effect stops, and the context says so', async () => {
    const { rig, books } = withTool([[MOMENT, CALL], ANSWER], { effect: 'none', takesMs: 5000 });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 2500);
    expect(caller.state).toBe('working');
    await ask(caller, 2500);
    expect(books.aborted).toBe(1);
    expect(rig.contextText()).toContain(`${CALL_TEXT}</longcat_s>\nTOOL:{"cancelled":true}\nUSER:`);
    expect(spoken(caller)).toBe('One moment.It is done.');
  });

  it('before the result: one with an effect runs on, and the context says so, and later what came of it', async () => {
    const { rig, books } = withTool([[MOMENT, CALL], ANSWER], { effect: 'world', takesMs: 5000 });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 2500);
    await ask(caller, 1500);
    expect(rig.contextText()).toContain(`${CALL_TEXT}</longcat_s>\nTOOL:{"status":"running"}\nUSER:`);
    expect(books.effects).toEqual([]);
    await caller.silence(4000);
    expect(books.effects).toHaveLength(1);
    await ask(caller, 1500);
    expect(rig.contextText()).toContain(`${CALL_TEXT}</longcat_s>\nTOOL:{"ok":true}\nUSER:`);
    expect(rig.contextText()).not.toContain('running');
  });

  it('while “one moment” is said: the call stays, the words that nobody heard do not', async () => {
    const { rig, books } = withTool([[LONG_MOMENT, CALL], ANSWER], {
      ...{ effect: 'world', takesMs: 4000 },
    });
    const caller = rig.open({
      delivery: { mode: 'paced', leadMs: 100 },
      toolPolicy: { fillerAfterMs: 0, stopOnBargeIn: true, maxRounds: 8 },
    });
    await ask(caller, 900);
    await ask(caller, 6000);
    expect(books.effects).toHaveLength(1);
    const text = rig.contextText();
    expect(text).not.toContain('I will see');
    expect(text).toContain(`${CALL_TEXT}</longcat_s>\nTOOL:{"ok":true}\nUSER:`);
  });

  it('after the result: it is a turn like any other', async () => {
    const { rig } = withTool([[CALL], ANSWER], { effect: 'none', takesMs: 100 });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 100 } });
    await ask(caller, 900);
    await ask(caller, 2500);
    expect(rig.contextText()).toContain(`${CALL_TEXT}</longcat_s>\nTOOL:{"ok":true}\n`);
    expect(caller.state).toBe('idle');
  });
});

describe('what goes wrong with a tool', () => {
  const outputs = (caller: Caller) =>
    caller.session.items.flatMap(({ content: [part] }) => (part?.type === 'call' ? [part.output] : []));

  it.each([
    ['fails', { effect: 'world', fails: 'No such room.' }, '{"error":"No such room."}', 1],
    ['takes too long', { effect: 'none', takesMs: 9000, timeoutMs: 500 }, /No answer within 500 ms/, 1],
    ['says too much', { effect: 'none', result: 'x'.repeat(20_000) }, /20000 characters/, 1],
    [
      'breaks down without effect, once',
      { effect: 'none', crashes: run => (run === 0 ? 'before' : null) },
      '{"ok":true}',
      2,
    ],
    ['breaks down without effect, for good', { effect: 'none', crashes: () => 'before' }, /nobody knows/, 2],
    [
      'breaks down before its effect, and nobody can say',
      { effect: 'world', crashes: () => 'before' },
      /nobody knows/,
      1,
    ],
    [
      'breaks down after its effect, and can say so',
      { effect: 'world', crashes: () => 'after', knowsKeys: true },
      '{"ok":true}',
      1,
    ],
    [
      'breaks down before its effect, and can say so',
      { effect: 'world', crashes: run => (run === 0 ? 'before' : null), knowsKeys: true },
      '{"ok":true}',
      2,
    ],
  ] as readonly (readonly [string, BookedOptions, string | RegExp, number])[])(
    '%s',
    async (_, options, output, runs) => {
      const { rig, books } = withTool([[MOMENT, CALL], ANSWER], options);
      const caller = rig.open();
      await ask(caller, 4000);
      expect(outputs(caller)).toEqual([typeof output === 'string' ? output : expect.stringMatching(output)]);
      expect(books.runs).toHaveLength(runs);
      expect(books.effects.length).toBeLessThanOrEqual(1);
      expect(spoken(caller)).toContain('It is done.');
      expect(caller.state).toBe('idle');
    },
  );

  it('arguments that it does not take never reach it', async () => {
    const { rig, books } = withTool([[callSegment(['set_timer', { minutes: 'soon' }])], ANSWER], {
      effect: 'world',
    });
    const caller = rig.open();
    await ask(caller, 3000);
    expect(books.runs).toEqual([]);
    expect(outputs(caller)).toEqual([expect.stringContaining('minutes')]);
  });

  it('of two calls one fails: both have an outcome, and the reply goes on', async () => {
    const both = callSegment(['set_timer', { minutes: 5 }], ['no_such_tool']);
    const { rig } = withTool([[both], ANSWER], { effect: 'world' });
    const caller = rig.open();
    await ask(caller, 3000);
    expect(outputs(caller)).toEqual(['{"ok":true}', '{"error":"There is no tool no_such_tool."}']);
    expect(rig.contextText()).toMatch(
      /TOOL:\{"ok":true\}\nTOOL:\{"error"|TOOL:\{"error".*\nTOOL:\{"ok":true\}/,
    );
    expect(spoken(caller)).toBe(spoken(caller).replace('<', ''));
  });

  it('the session has ended before the result: nothing comes of it', async () => {
    const { rig, books } = withTool([[CALL], ANSWER], { effect: 'world', takesMs: 2000 });
    const caller = rig.open();
    await ask(caller, 900);
    caller.session.close('gone');
    await caller.wait(3000);
    expect(books.effects).toHaveLength(1);
    expect(caller.last('ended')).toBeDefined();
  });

  it('calls for ever are ended', async () => {
    const { rig, books } = withTool([[CALL]], { effect: 'world', takesMs: 10 });
    const caller = rig.open();
    await ask(caller, 8000);
    expect(books.effects).toHaveLength(8);
  });

  it('a tool that is none is refused by name', () => {
    const { tool } = bookedTool('a', () => rig.clock, { effect: 'none' });
    const rig: SessionRig = rigged([]);
    const open =
      (...tools: unknown[]) =>
      () =>
        rig.runtime.openSession({}, { tools: tools as never });
    expect(open({ ...tool, name: 'no name' })).toThrow('1–64 letters');
    expect(open({ ...tool, effect: undefined })).toThrow('effect');
    expect(open(tool, tool)).toThrow('one name');
    expect(() => rig.runtime.openSession({ tools: [TIMER, TIMER] })).toThrow('of this name already');
    expect(() => rig.runtime.openSession({ toolChoice: { name: 'x' } })).toThrow('no tool of this name');
  });
});
