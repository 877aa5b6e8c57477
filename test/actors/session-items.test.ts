import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.ts';
import { SessionRig } from '../support/session-rig.ts';
import { addItem, createResponse, deleteItem, update } from '../support/told.ts';

const REPLIES = [[{ text: 'Yes, I can hear you.', frames: 10 }]];
const REPLY_TEXT = 'Yes, I can hear you.';
const IMAGE = { width: 2, height: 2, data: new Uint8Array(12) };

describe('items', () => {
  it('of text are answered in text', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ outputModality: 'text', turnDetection: { mode: 'manual' } });
    const item = addItem(caller.session, { role: 'user', content: [{ type: 'text', text: 'Hello?' }] });
    expect(caller.session.items).toEqual([item]);
    createResponse(caller.session);
    await caller.wait(1000);
    expect(
      caller
        .all('response.text')
        .map(({ delta }) => delta)
        .join(''),
    ).toBe(REPLY_TEXT);
    expect(caller.audioMs).toBe(0);
    expect(caller.last('response.done')).toMatchObject({
      status: { kind: 'completed' },
      usage: { inputTextTokens: 'USER:Hello?\nASSISTANT:'.length, outputAudioTokens: 0 },
    });
    expect(rig.contextText()).toBe(`USER:Hello?\nASSISTANT:${REPLY_TEXT}</longcat_s>\n`);
  });

  it('with pictures and recordings hold the reply back until they are encoded, in the order they were added', async () => {
    const rig = new SessionRig({
      replies: REPLIES,
      costs: { visionEncoder: () => 50, audioEncoder: () => 20 },
    });
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    addItem(caller.session, { role: 'user', content: [{ type: 'image', image: IMAGE }] });
    addItem(caller.session, {
      role: 'user',
      content: [
        { type: 'text', text: 'Listen: ' },
        { type: 'audio', samples: new Float32Array(16_000), transcript: null },
      ],
    });
    createResponse(caller.session);
    await caller.wait(5000);
    expect(rig.contextText()).toMatch(
      /^USER:########\n\nUSER:Listen: <audio>~{12}<\/audio>\nVOICE ASSISTANT:Yes, /,
    );
  });

  it('can be inserted, deleted and refused', async () => {
    const rig = new SessionRig();
    const { session, ...caller } = rig.open({ turnDetection: { mode: 'manual' } });
    const say = (id: string, previous?: string | null) =>
      addItem(session, { id, role: 'user', content: [{ type: 'text', text: id }] }, previous);
    say('b');
    say('c');
    say('a', null);
    say('bc', 'b');
    expect(session.items.map(({ id, previousItemId }) => [id, previousItemId])).toEqual([
      ['a', null],
      ['b', 'a'],
      ['bc', 'b'],
      ['c', 'bc'],
    ]);
    deleteItem(session, 'b');
    await rig.clock.runFor(10);
    expect(rig.contextText()).toBe('USER:a\nUSER:bc\nUSER:c\n');
    expect(codeOf(() => say('a'))).toBe('item.duplicate');
    expect(codeOf(() => say('x', 'b'))).toBe('item.unknown');
    expect(codeOf(() => deleteItem(session, 'b'))).toBe('item.unknown');
    expect(
      codeOf(() => addItem(session, { role: 'system', content: [{ type: 'image', image: IMAGE }] })),
    ).toBe('item.unsupported');
    expect(caller).toBeDefined();
  });

  it('keep the system turn first when the instructions change', async () => {
    const rig = new SessionRig();
    const { session } = rig.open({ instructions: 'Old.', turnDetection: { mode: 'manual' } });
    addItem(session, { id: 'a', role: 'user', content: [{ type: 'text', text: 'a' }] });
    update(session, { instructions: 'New.' });
    addItem(session, { id: 'first', role: 'user', content: [{ type: 'text', text: 'first' }] }, null);
    await rig.clock.runFor(10);
    expect(rig.contextText()).toBe('SYSTEM:New.</longcat_s>\nUSER:first\nUSER:a\n');
  });

  it('are bounded', () => {
    const rig = new SessionRig({ limits: { maxItems: 2 } });
    const { session } = rig.open();
    for (const id of ['a', 'b'])
      addItem(session, { id, role: 'user', content: [{ type: 'text', text: id }] });
    expect(codeOf(() => addItem(session, { role: 'user', content: [] }))).toBe('items.full');
  });

  it('give way to spoken turns, oldest first', async () => {
    const rig = new SessionRig({ replies: REPLIES, limits: { maxItems: 3 } });
    const caller = rig.open();
    for (let turn = 0; turn < 3; turn++) {
      await caller.say(600);
      await caller.silence(3500);
    }
    expect(caller.session.items.map(({ role }) => role)).toEqual(['assistant', 'user', 'assistant']);
    expect(caller.all('item.deleted')).toHaveLength(3);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(1);
  });

  it('keep so much sound; the oldest is forgotten, its transcript is not', async () => {
    const rig = new SessionRig({ replies: REPLIES, captions: true, limits: { maxSoundSamples: 80_000 } });
    const caller = rig.open();
    const heldSamples = () =>
      caller.session.items.map(({ content: [part] }) => (part.type === 'audio' ? part.samples.length : -1));
    await caller.say(600);
    await caller.silence(3500);
    const [asked, replied] = heldSamples();
    expect(asked).toBeGreaterThan(9600);
    expect(replied).toBe(caller.audioMs * 24);
    expect(asked + replied).toBeLessThan(80_000);
    addItem(caller.session, {
      role: 'user',
      content: [{ type: 'audio', samples: new Float32Array(80_000 - replied), transcript: null }],
    });
    expect(heldSamples()).toEqual([0, replied, 80_000 - replied]);
    expect(caller.session.items[0].content[0]).toMatchObject({ transcript: expect.stringMatching(/\S/) });
    // One item may be longer than all may be together: it is only just said.
    addItem(caller.session, {
      role: 'user',
      content: [{ type: 'audio', samples: new Float32Array(90_000), transcript: null }],
    });
    expect(heldSamples()).toEqual([0, 0, 0, 90_000]);
    deleteItem(caller.session, caller.session.items[3].id);
    addItem(caller.session, {
      role: 'user',
      content: [{ type: 'audio', samples: new Float32Array(100), transcript: null }],
    });
    expect(heldSamples()).toEqual([0, 0, 0, 100]);
  });

  it('keep 16 MiB of pictures; those of the oldest items are forgotten, their text is not', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const { session } = rig.open({ turnDetection: { mode: 'manual' } });
    const MIB = 1024 * 1024;
    // 3 MiB each.
    const image = { width: 1024, height: 1024, data: new Uint8Array(3 * MIB) };
    const look = (id: string, pictures: number) =>
      addItem(session, {
        id,
        role: 'user',
        content: [
          { type: 'text', text: id },
          ...Array.from({ length: pictures }, () => ({ type: 'image', image }) as const),
        ],
      });
    const kept = () =>
      session.items.map(({ content }) =>
        content.reduce((sum, part) => sum + Number(part.type === 'image'), 0),
      );
    look('a', 2);
    look('b', 3);
    expect(kept()).toEqual([2, 3]);
    look('c', 1);
    expect(kept()).toEqual([0, 3, 1]);
    expect(session.items[0].content).toEqual([{ type: 'text', text: 'a' }]);
    // One item may hold more than all may together: it has only just come.
    look('d', 6);
    expect(kept()).toEqual([0, 0, 0, 6]);
    deleteItem(session, 'd');
    look('e', 5);
    expect(kept()).toEqual([0, 0, 0, 5]);
    await rig.clock.runFor(1000);
    const bytes = session.items.flatMap(({ content }) =>
      content.map(part => (part.type === 'image' ? part.image.data.length : 0)),
    );
    expect(bytes.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(16 * MIB);
  });
});
