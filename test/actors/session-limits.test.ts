/** What is more than the model can hold is refused or waited for; the session lives. */
import { describe, expect, it } from 'vitest';
import type { NewItem, SessionSettings } from '../../actors/index.ts';
import { DEFAULT_TURN_DETECTION } from '../../actors/turn-taking/defaults.ts';
import { codeOf } from '../support/code-of.ts';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import {
  addItem,
  clearInput,
  commitInput,
  createResponse,
  deleteItem,
  pushAudio,
  update,
} from '../support/told.ts';
import { TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { characterTokenizer } from '../support/zero-latency-engine.ts';

const MANUAL: Partial<SessionSettings> = { turnDetection: { mode: 'manual' } };
const text = (value: string, role: NewItem['role'] = 'user', id?: string): NewItem => ({
  id,
  role,
  content: [{ type: 'text', text: value }],
});

async function expectAlive(caller: Caller): Promise<void> {
  addItem(caller.session, text('Still there?'));
  createResponse(caller.session);
  await caller.wait(10_000);
  expect(caller.last('response.done')?.status.kind).toBe('completed');
  expect(caller.last('ended')).toBeUndefined();
}

describe('an item', () => {
  it('that cannot fit is refused before anything is made of it', async () => {
    const rig = new SessionRig({ maxPositions: 1000 });
    const caller = rig.open(MANUAL);
    const many = {
      role: 'user',
      content: Array(64).fill({ type: 'text', text: 'x'.repeat(200_000) }),
    } as const;
    expect(codeOf(() => addItem(caller.session, many))).toBe('item.oversized');
    const samples = new Float32Array(16 * 80 * 1001);
    const sound = { role: 'user', content: [{ type: 'audio', samples, transcript: null }] } as const;
    expect(codeOf(() => addItem(caller.session, sound))).toBe('item.oversized');
    expect(caller.session.items).toEqual([]);
    await expectAlive(caller);
  });

  it('of a call or its result neither, where the model reads them; else it is kept', () => {
    const long = 'x'.repeat(200_000);
    const given = [
      ['assistant', { type: 'call', callId: 'c', name: 'n', argumentsJson: `{"a":"${long}"}` }],
      ['tool', { type: 'call.output', callId: 'c', output: long }],
    ] as const;
    for (const [toolTemplate, came] of [
      [TOOL_TEMPLATE, ['item.oversized', 'item.oversized']],
      [undefined, ['no error', 'no error']],
    ] as const) {
      const { session } = new SessionRig({ maxPositions: 1000, toolTemplate }).open(MANUAL);
      expect(given.map(([role, part]) => codeOf(() => addItem(session, { role, content: [part] })))).toEqual(
        came,
      );
    }
  });

  it('that turns out not to fit is refused as if it had never been', async () => {
    const rig = new SessionRig({ maxPositions: 1000 });
    const caller = rig.open({ ...MANUAL, instructions: 'Be brief.' });
    expect(codeOf(() => addItem(caller.session, text('x'.repeat(990))))).toBe('context.full');
    expect(caller.session.items).toEqual([]);
    expect(caller.events).toEqual([]);
    await expectAlive(caller);
  });

  it('that shows not to fit only after a reply is deleted again, with an error that names it', async () => {
    const rig = new SessionRig({ maxPositions: 1000, costs: { languageModel: () => 20 } });
    const caller = rig.open(MANUAL);
    addItem(caller.session, text('Hi'));
    createResponse(caller.session);
    await caller.wait(100);
    addItem(caller.session, text('x'.repeat(999), 'user', 'long'));
    await caller.wait(10_000);
    expect(caller.last('error')).toMatchObject({
      code: 'context.full',
      fatal: false,
      message: expect.stringContaining('long'),
    });
    expect(caller.last('item.deleted')).toEqual({ type: 'item.deleted', itemId: 'long' });
    expect(caller.session.items.some(({ id }) => id === 'long')).toBe(false);
    await expectAlive(caller);
  });

  it('one too many behind a running reply is refused, and the ones before are kept', async () => {
    const rig = new SessionRig({ costs: { languageModel: () => 20 } });
    const caller = rig.open(MANUAL);
    addItem(caller.session, text('Hi'));
    createResponse(caller.session);
    await caller.wait(100);
    const refusals = Array.from({ length: 300 }, (_, i) =>
      codeOf(() => addItem(caller.session, text(`${i}`))),
    );
    expect(refusals.filter(code => code === 'context.backlog')).toHaveLength(44);
    await caller.wait(10_000);
    expect(caller.session.items.filter(({ role }) => role === 'user')).toHaveLength(257);
    await expectAlive(caller);
  });

  it.each(['assistant', 'system'] as const)(
    'of role %s, one after the other, fill no session to death',
    async role => {
      const rig = new SessionRig({ maxPositions: 1000 });
      const caller = rig.open(MANUAL);
      const refusals = Array.from({ length: 40 }, () =>
        codeOf(() => addItem(caller.session, text('x'.repeat(60), role))),
      );
      expect(refusals.filter(code => code === 'context.full').length).toBeGreaterThan(20);
      expect(caller.last('ended')).toBeUndefined();
      for (const { id } of [...caller.session.items].slice(4)) deleteItem(caller.session, id);
      await expectAlive(caller);
    },
  );

  it('of 35 seconds of sound is heard to its end', async () => {
    const rig = new SessionRig();
    const caller = rig.open(MANUAL);
    const samples = new Float32Array(35 * 16_000).fill(0.1);
    addItem(caller.session, { role: 'user', content: [{ type: 'audio', samples, transcript: null }] });
    createResponse(caller.session);
    await caller.wait(10_000);
    expect(caller.last('response.done')?.status.kind).toBe('completed');
    expect(caller.last('response.done')?.usage.inputAudioTokens).toBe(Math.floor((35 * 1000) / 80));
  });

  it('placed first while the instructions change is in the context', async () => {
    const rig = new SessionRig();
    const caller = rig.open(MANUAL);
    const image = { width: 2, height: 2, data: new Uint8Array(12) };
    // The picture has to be encoded, so the item waits while the instructions come.
    addItem(
      caller.session,
      {
        role: 'user',
        content: [
          { type: 'image', image },
          { type: 'text', text: 'LOOK' },
        ],
      },
      null,
    );
    update(caller.session, { instructions: 'FIRST' });
    addItem(caller.session, text('SECOND'), null);
    await caller.wait(1000);
    const context = rig.contextText();
    expect(context).toMatch(/^SYSTEM:FIRST.*USER:SECOND.*USER:#+\nLOOK/s);
    update(caller.session, { instructions: '' });
    addItem(caller.session, text('THIRD'), null);
    await caller.wait(1000);
    expect(rig.contextText()).toMatch(/^USER:THIRD.*USER:SECOND/s);
    expect(caller.all('error')).toEqual([]);
  });
});

describe('instructions', () => {
  it('that leave no room are refused, of the session and of one reply', async () => {
    const rig = new SessionRig({ maxPositions: 1000 });
    const caller = rig.open({ ...MANUAL, instructions: 'Be brief.' });
    const long = 'x'.repeat(760);
    expect(codeOf(() => update(caller.session, { instructions: long }))).toBe('instructions.oversized');
    expect(codeOf(() => createResponse(caller.session, { instructions: 'x'.repeat(1e6) }))).toBe(
      'instructions.oversized',
    );
    expect(codeOf(() => rig.open({ instructions: long }))).toBe('instructions.oversized');
    expect(caller.session.settings.instructions).toBe('Be brief.');
    update(caller.session, { instructions: 'x'.repeat(740) });
    await expectAlive(caller);
  });
});

describe('a long text', () => {
  it('is turned into tokens slice by slice, with other work between, and is whole in the context', async () => {
    const rig = new SessionRig({ maxPositions: 90_000 });
    const encode = characterTokenizer.encode;
    let longest = 0;
    characterTokenizer.encode = (value: string) => {
      longest = Math.max(longest, value.length);
      return encode(value);
    };
    const words = Array.from({ length: 6000 }, (_, i) => `w${i}`).join(' ');
    const caller = rig.open({ ...MANUAL, instructions: `I ${words}` });
    addItem(caller.session, text(words));
    addItem(caller.session, text('AFTER'));
    const between = rig.contextText();
    await caller.wait(1000);
    characterTokenizer.encode = encode;
    expect(between).toBe('');
    expect(longest).toBeLessThanOrEqual(4096);
    const wanted = `SYSTEM:I ${words}</longcat_s>\nUSER:${words}\nUSER:AFTER\n`;
    expect(rig.contextText() === wanted).toBe(true); // A comparison that prints no such texts.
  });

  it('goes nowhere when its item is deleted meanwhile, or its instructions replaced', async () => {
    const rig = new SessionRig({ maxPositions: 60_000 });
    const caller = rig.open(MANUAL);
    update(caller.session, { instructions: 'a '.repeat(10_000) });
    addItem(caller.session, text('b '.repeat(10_000), 'user', 'b'));
    deleteItem(caller.session, 'b');
    update(caller.session, { instructions: 'NEW' });
    addItem(caller.session, text('AFTER'));
    await caller.wait(1000);
    expect(rig.contextText()).toBe('SYSTEM:NEW</longcat_s>\nUSER:AFTER\n');
  });
});

describe('sound that comes faster than real time', () => {
  it('of five minutes at once, committed by hand, ends nothing', async () => {
    const rig = new SessionRig({ costs: { audioEncoder: () => 50 } });
    const caller = rig.open(MANUAL);
    for (let second = 0; second < 327; second++)
      pushAudio(caller.session, new Float32Array(16_000).fill(0.1));
    expect(caller.session.unheardMs).toBeGreaterThan(100_000);
    expect(caller.all('error').map(({ code }) => code)).toEqual(['input.full']);
    commitInput(caller.session);
    createResponse(caller.session);
    await caller.wait(20_000);
    expect(caller.session.unheardMs).toBe(0);
    expect(caller.last('response.done')).toMatchObject({
      status: { kind: 'completed' },
      usage: { inputAudioTokens: 1500 },
    });
    await expectAlive(caller);
  });

  it('is counted as unheard until the ear has it, whatever becomes of the turn', async () => {
    const rig = new SessionRig({ costs: { audioEncoder: () => 5 } });
    const caller = rig.open();
    for (let turn = 0; turn < 4; turn++) {
      await caller.say(1500);
      expect(caller.session.unheardMs).toBeLessThan(1500);
      await caller.silence(turn % 2 ? 300 : 1500); // Every other one goes on before its endpoint.
    }
    clearInput(caller.session);
    await caller.silence(2000);
    await caller.wait(5000);
    expect(caller.session.unheardMs).toBe(0);
  });
});

describe('silence that may yet be a pause', () => {
  it('is not unheard sound: the ear waits for its end, and so would who sends it', async () => {
    const rig = new SessionRig();
    const caller = rig.open({
      turnDetection: { ...DEFAULT_TURN_DETECTION, endpointSilenceMs: 12_000, speculateSilenceMs: 200 },
    });
    await caller.say(1500);
    await caller.silence(11_500);
    expect(caller.session.unheardMs).toBeLessThan(1500);
    await caller.say(500);
    await caller.wait(100);
    expect(caller.session.unheardMs).toBeLessThan(1500);
  });
});

describe('a spoken turn longer than the context', () => {
  it('loses its rest, says so once, and the next one is answered', async () => {
    const rig = new SessionRig({ maxPositions: 300 });
    const caller = rig.open();
    await caller.say(40_000);
    await caller.silence(3000);
    const errors = caller.all('error');
    expect(errors.map(({ code, fatal }) => [code, fatal])).toEqual([['context.full', false]]);
    expect(caller.last('ended')).toBeUndefined();
    await caller.wait(5000);
    await caller.say(1500);
    await caller.silence(3000);
    expect(caller.last('response.done')?.status.kind).toBe('completed');
  });
});

describe('a reply that cannot begin', () => {
  const tools = Array.from({ length: 60 }, (_, i) => ({ name: `tool_${i}`, parameters: {} }));

  it.each(['audio', 'text'] as const)(
    'because what is told of tools does not fit fails, and the next one is made: %s',
    async outputModality => {
      const rig = new SessionRig({ maxPositions: 250, toolTemplate: TOOL_TEMPLATE });
      const caller = rig.open({ ...MANUAL, outputModality });
      createResponse(caller.session, { tools });
      await caller.wait(1000);
      const status = { kind: 'failed', code: 'context.full' };
      expect(caller.last('response.done')?.status).toMatchObject(status);
      await expectAlive(caller);
    },
  );

  it('fails where the session keeps everything and has no room, spoken to or written to', async () => {
    const rig = new SessionRig({ maxPositions: 250 });
    const caller = rig.open({ truncation: { mode: 'disabled' } });
    addItem(caller.session, text('x'.repeat(235)));
    createResponse(caller.session);
    await caller.wait(1000);
    await caller.say(500);
    await caller.silence(3000);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['failed', 'failed']);
    expect(caller.all('response.created')).toHaveLength(2);
    expect(caller.last('ended')).toBeUndefined();
  });
});

describe('turns that leave the context', () => {
  const fill = (caller: Caller, count: number) => {
    for (let i = 0; i < count; i++) addItem(caller.session, text('x'.repeat(94), 'user', `item_${i}`));
  };

  it('are told of, and stay in the conversation', async () => {
    const rig = new SessionRig({ maxPositions: 1000 });
    const caller = rig.open(MANUAL);
    fill(caller, 12);
    expect(caller.all('context.dropped').map(({ itemIds }) => itemIds)).toEqual([
      ['item_0', 'item_1', 'item_2', 'item_3'],
    ]);
    expect(caller.session.items).toHaveLength(12);
    await expectAlive(caller);
  });

  it('are not those in which the user tells of himself, nor their replies; the items neither', async () => {
    const rig = new SessionRig({ maxPositions: 1000, limits: { maxItems: 40 } });
    const caller = rig.open({ outputModality: 'text' });
    addItem(caller.session, text('My name is Ben.', 'user', 'name'));
    createResponse(caller.session);
    await caller.wait(5000);
    const reply = caller.session.items.at(-1)!.id;
    for (let i = 0; i < 60; i++) {
      await caller.say(400);
      await caller.silence(1200);
    }
    const dropped = caller.all('context.dropped').flatMap(({ itemIds }) => itemIds);
    expect(dropped.length).toBeGreaterThan(20);
    expect(caller.session.items).toHaveLength(40);
    expect(dropped.filter(id => id === 'name' || id === reply)).toEqual([]);
    // It was brought before the model again.
    expect(rig.contextText()).toMatch(
      /\nUSER:My name is Ben\.\nASSISTANT:Yes.*\n(?:USER:<audio>.*\nASSISTANT:Yes.*\n){2,4}$/,
    );
    expect(caller.session.items.slice(0, 2).map(({ id }) => id)).toEqual(['name', reply]);
  });

  it('are no more because a reply follows, where there is a bound of its own for what may stay', async () => {
    const rig = new SessionRig({ maxPositions: 2000 });
    const truncation = { mode: 'retain', share: 0.8, maxPositions: 600 } as const;
    const caller = rig.open({ ...MANUAL, truncation, outputModality: 'text' });
    fill(caller, 5);
    createResponse(caller.session);
    await caller.wait(5000);
    // 480 less room for a reply, which is a quarter of 600; a quarter of the model's 2000 would leave nothing.
    expect(caller.all('context.dropped').flatMap(({ itemIds }) => itemIds)).toEqual(['item_0', 'item_1']);
    expect(caller.last('response.done')?.status.kind).toBe('completed');
  });

  it('are what the embedder says', async () => {
    const rig = new SessionRig({
      maxPositions: 1000,
      memory: { keeps: ({ id }) => (id === 'item_2' ? 1 : 0) },
    });
    const caller = rig.open(MANUAL);
    fill(caller, 12);
    expect(caller.all('context.dropped').flatMap(({ itemIds }) => itemIds)).toEqual([
      ...['item_0', 'item_1', 'item_3', 'item_4'],
    ]);
    expect(caller.last('error')).toBeUndefined();
  });

  it('do not where the session keeps everything: what does not fit is refused', () => {
    const rig = new SessionRig({ maxPositions: 1000 });
    const caller = rig.open({ ...MANUAL, truncation: { mode: 'disabled' } });
    expect(codeOf(() => fill(caller, 12))).toBe('context.full');
    expect(caller.session.items).toHaveLength(10);
    expect(caller.all('context.dropped')).toEqual([]);
    update(caller.session, { truncation: { mode: 'retain', share: 0.2 } });
    addItem(caller.session, text('x'.repeat(94), 'user', 'next'));
    expect(caller.last('context.dropped')?.itemIds).toHaveLength(9);
  });
});
