import { describe, expect, it } from 'vitest';
import { keepsFacts } from '../../actors/index.ts';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import { addItem } from '../support/told.ts';

describe('what is kept of a conversation unless told otherwise', () => {
  const said = (role: 'user' | 'assistant', transcript: string) =>
    keepsFacts({
      ...{ id: 'i', role, status: 'completed', previousItemId: null },
      content: [{ type: 'audio', samples: new Float32Array(0), transcript }],
    });

  it.each([
    ...[
      'my name is ben',
      'Ben is my name.',
      'you can call me Ben',
      'I am Ben.',
      "I'm Ben",
      'please remember seven',
    ],
    'my lucky number is four',
  ])('is %s', text => expect(said('user', text)).toBe(2));

  it.each([
    ...[
      'what is my name',
      'do you remember my name',
      'I am on my way home',
      'what was my number',
      'how are you',
      '',
    ],
  ])('is not %s', text => expect(said('user', text)).toBe(0));

  it('is what the agent calls the user by, and what tools gave', () => {
    expect(said('assistant', 'Hello Ben.')).toBe(2);
    expect(said('assistant', 'Hello.')).toBe(0);
    const call = { type: 'call', callId: 'c', name: 'n', argumentsJson: '{}', output: '{}' } as const;
    const item = { id: 'i', status: 'completed', previousItemId: null } as const;
    expect(keepsFacts({ ...item, role: 'assistant', content: [call] })).toBe(1);
  });
});

describe('what has left the context', () => {
  const fill = (caller: Caller, count: number, from = 0) => {
    for (let i = from; i < count; i++) {
      const content = [{ type: 'text', text: 'x'.repeat(94) }] as const;
      addItem(caller.session, { id: `item_${i}`, role: 'user', content });
    }
  };

  it('is told to the model in the words of the embedder, and so is the outside', async () => {
    const asked: unknown[] = [];
    const later: ((text: string) => void)[] = [];
    const rig = new SessionRig({
      maxPositions: 1000,
      memory: {
        summarise(items, before) {
          asked.push([items.map(({ id }) => id), before]);
          if (asked.length === 1) return 'Three are gone.';
          if (asked.length === 2) return new Promise<string>(done => later.push(done));
          return asked.length === 3 ? 'x'.repeat(1001) : new Promise<string>(() => {});
        },
      },
    });
    const caller = rig.open({ turnDetection: { mode: 'manual' }, instructions: 'Be brief.' });
    fill(caller, 14);
    await caller.wait(10);
    expect(rig.contextText()).toMatch(
      /^SYSTEM:Be brief\.<\/longcat_s>\nSYSTEM:Three are gone\.<\/longcat_s>\nUSER:x/,
    );
    fill(caller, 30, 14);
    await caller.wait(10);
    later[0]('More are gone.');
    await caller.wait(10);
    expect(caller.all('context.summarised').map(({ text }) => text)).toEqual([
      'Three are gone.',
      'More are gone.',
    ]);
    // What left while one was written is told with the next.
    expect(asked).toEqual([
      [['item_0', 'item_1', 'item_2'], ''],
      [['item_3', 'item_4', 'item_5', 'item_6'], 'Three are gone.'],
      [Array.from({ length: 16 }, (_, i) => `item_${i + 7}`), 'More are gone.'],
    ]);
    expect(rig.contextText()).toContain('SYSTEM:More are gone.<');
    fill(caller, 40, 30);
    await caller.wait(31_000);
    expect(caller.all('error').map(({ code }) => code)).toEqual(['summary.oversized', 'summary.late']);
    expect(rig.contextText()).toContain('SYSTEM:More are gone.<');
  });
});
