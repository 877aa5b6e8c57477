import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine, StateNode } from 'xstate';
import {
  type BargeInEvent,
  bargeInMachine,
  decideInterruption,
  type ReplyEvent,
  replyMachine,
  type SoundHeard,
  Statechart,
  turnTakingMachine,
} from '../../actors/turn-taking/index.ts';
import { DRAWN, drawStatecharts } from '../support/draw-statecharts.ts';

const QUIET: SoundHeard = {
  ...{ lastedMs: 0, speechMs: 0, voicedMs: null, likeness: null, quietMs: 0, ended: false },
  ...{ relativeDb: -6, recentDb: -6 },
};
const heard = (change: Partial<SoundHeard>): BargeInEvent => ({
  type: 'sound.heard',
  heard: { ...QUIET, ...change },
});

/** All leaves of a machine, by path. */
function leavesOf(node: StateNode): string[] {
  const children = Object.values(node.states) as StateNode[];
  return children.length === 0 ? [node.path.join('.')] : children.flatMap(leavesOf);
}

/** The leaves that a state is in. */
function leavesIn(value: unknown, path: string[] = []): string[] {
  if (typeof value === 'string') return [[...path, value].join('.')];
  if (Object.keys(value as object).length === 0) return [path.join('.')];
  return Object.entries(value as object).flatMap(([key, inner]) => leavesIn(inner, [...path, key]));
}

/** Leaves that are never reached by any of the orders. */
function unreached(machine: AnyStateMachine, orders: readonly (readonly { type: string }[])[]): string[] {
  const missing = new Set(leavesOf(machine.root));
  for (const order of orders) {
    const chart = new Statechart(machine);
    for (const leaf of leavesIn(chart.snapshot.value)) missing.delete(leaf);
    for (const event of order) {
      chart.send(event);
      for (const leaf of leavesIn(chart.snapshot.value)) missing.delete(leaf);
    }
  }
  return [...missing];
}

const REPLY: readonly ReplyEvent['type'][] = ['deliver', 'rollback', 'sent', 'cancel', 'cut', 'heard'];

describe('the machine of a reply', () => {
  it.each([
    ['is sent and heard', ['deliver', 'sent', 'heard'], 'finished', [false, true, false]],
    ['is rolled back', ['rollback'], 'rolledBack', [false]],
    [
      'is cancelled and heard so far',
      ['deliver', 'cancel', 'sent', 'heard'],
      'stopped',
      [false, true, false, false],
    ],
    ['is interrupted while it is made', ['deliver', 'cut'], 'stopped', [false, true]],
    ['is interrupted while it plays', ['deliver', 'sent', 'cut'], 'finished', [false, true, false]],
    ['is interrupted after a cancel', ['deliver', 'cancel', 'cut'], 'stopped', [false, true, false]],
    ['is cut before it was delivered', ['cut'], 'stopped', [false]],
  ] as [string, ReplyEvent['type'][], string, boolean[]][])('that %s', (_, events, state, told) => {
    const chart = new Statechart(replyMachine);
    expect(events.map(type => chart.send({ type }).includes('tell'))).toEqual(told);
    expect(chart.snapshot.value).toBe(state);
  });

  it('reaches all of its states', () => {
    const orders = fc.sample(
      fc.array(
        fc.constantFrom(...REPLY).map(type => ({ type })),
        { maxLength: 6 },
      ),
      { numRuns: 300, seed: 1 },
    );
    expect(unreached(replyMachine, orders)).toEqual([]);
  });

  it('tells at most once how it ended, and nothing of what was never delivered, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...REPLY), { maxLength: 20 }), events => {
        const chart = new Statechart(replyMachine);
        let told = 0;
        let delivered = false;
        for (const type of events) {
          if (type === 'deliver' && chart.snapshot.matches('speculative')) delivered = true;
          told += chart.send({ type }).filter(action => action === 'tell').length;
          expect(told).toBeLessThanOrEqual(delivered ? 1 : 0);
          const isOver = ['finished', 'stopped'].some(state => chart.snapshot.value === state);
          if (isOver && delivered) expect(told).toBe(1);
        }
      }),
    );
  });
});

const sounds = fc.record({
  lastedMs: fc.integer({ min: 0, max: 60 }).map(frames => frames * 20),
  speechMs: fc.integer({ min: 0, max: 40 }).map(frames => frames * 20),
  voicedMs: fc.option(fc.integer({ min: 0, max: 30 }).map(frames => frames * 20)),
  ended: fc.boolean(),
  quietMs: fc.constantFrom(0, 40, 120),
  relativeDb: fc.option(fc.integer({ min: -15, max: 6 })),
});
const words = fc
  .tuple(fc.constantFrom('', 'mhm', 'stop', 'can you tell me'), fc.constantFrom(0.3, 0.99))
  .map(([said, confidence]) => ({ words: said, confidences: said.split(' ').map(() => confidence) }));
const events: fc.Arbitrary<BargeInEvent> = fc.oneof(
  { weight: 6, arbitrary: sounds.map(heard) },
  { weight: 2, arbitrary: words.map(said => ({ type: 'words.came', ...said }) as const) },
  { weight: 3, arbitrary: words.map(said => ({ type: 'words.answered', ...said }) as const) },
  { weight: 2, arbitrary: fc.constant({ type: 'agent.ducked' } as const) },
  { weight: 3, arbitrary: fc.constant({ type: 'sound.began' } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ type: 'sound.over' }, { type: 'agent.unducked' } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ type: 'committed' }, { type: 'discarded' } as const) },
) as fc.Arbitrary<BargeInEvent>;
const orders = fc.array(events, { maxLength: 60 });

describe('the machine of barge-in', () => {
  const alert = () => {
    const chart = new Statechart(bargeInMachine);
    chart.send({ type: 'agent.ducked' });
    return chart;
  };
  const weighing = () => {
    const chart = alert();
    expect(chart.send({ type: 'sound.began' })).toEqual(['listen']);
    return chart;
  };

  it('weighs a sound only while the agent is ducked', () => {
    const chart = new Statechart(bargeInMachine);
    expect(chart.send({ type: 'sound.began' })).toEqual([]);
    const woken = alert();
    woken.send({ type: 'agent.unducked' });
    expect(woken.send({ type: 'sound.began' })).toEqual([]);
  });

  it('pauses the agent once for a voice as loud as a turn, and not for one that is not', () => {
    const chart = weighing();
    expect(chart.send(heard({ lastedMs: 20 }))).toEqual([]);
    const loud = heard({ lastedMs: 40, relativeDb: 0, voicedMs: 20 });
    expect(chart.send(loud)).toEqual(['pause']);
    expect(chart.send(loud)).toEqual([]);
  });

  it('asks for words after 200 ms, again 80 ms later when they have come, and once more at the end', () => {
    const chart = weighing();
    const sound = (lastedMs: number, ended = false) =>
      chart.send(heard({ lastedMs, voicedMs: 100, speechMs: 200, ended }));
    expect(sound(180)).toEqual([]);
    expect(sound(200)).toEqual(['askForWords']);
    expect(sound(280)).toEqual([]);
    chart.send({ type: 'words.answered', words: '', confidences: [] });
    expect(sound(280)).toEqual(['askForWords']);
    expect(sound(300, true)).toEqual(['askForWords']);
    expect(sound(320, true)).toEqual([]);
  });

  it('takes the turn for a command, and dismisses what was only a backchannel', () => {
    for (const [said, action] of [
      ['stop', 'take'],
      ['mhm', 'dismiss'],
    ] as const) {
      const chart = weighing();
      chart.send(
        heard({ lastedMs: 260, speechMs: 260, voicedMs: 200, relativeDb: 0, ended: true, quietMs: 120 }),
      );
      expect(chart.send({ type: 'words.answered', words: said, confidences: [1] })).toContain(action);
      expect(chart.snapshot.value).toBe('quiet');
    }
  });

  it('is decided at the latest when nothing more will come', () => {
    expect(weighing().send({ type: 'sound.over' })).toContainEqual(expect.stringMatching(/take|dismiss/));
  });

  it('reaches all of its states', () => {
    // A syllable is over, its words are known, and then it goes on.
    const voice = { voicedMs: 60, relativeDb: 0 };
    const again: BargeInEvent[] = [
      ...([{ type: 'agent.ducked' }, { type: 'sound.began' }] as const),
      heard({ ...voice, lastedMs: 60, speechMs: 60, ended: true }),
      { type: 'words.answered', words: '', confidences: [] },
      heard({ ...voice, lastedMs: 240, speechMs: 200 }),
    ];
    expect(unreached(bargeInMachine, [again, ...fc.sample(orders, { numRuns: 1000, seed: 1 })])).toEqual([]);
  });

  it('decides once what it weighs, as the pure decision says, in whatever order', () => {
    fc.assert(
      fc.property(orders, order => {
        const chart = new Statechart(bargeInMachine);
        let [isOpen, paused] = [false, 0];
        for (const event of order) {
          const actions = chart.send(event);
          for (const action of actions) {
            if (action === 'listen') [isOpen, paused] = [true, 0];
            else expect(isOpen).toBe(true);
            if (action === 'pause') expect(++paused).toBe(1);
            if (action === 'take' || action === 'dismiss' || action === 'forget') isOpen = false;
          }
          expect(isOpen).toBe(chart.snapshot.matches('weighing'));
          const { heard: sound, ...said } = chart.snapshot.context;
          if (isOpen && sound) expect(decideInterruption({ ...sound, ...said })).toBe('undecided');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never asks for words while it waits for them, but for the last', () => {
    fc.assert(
      fc.property(orders, order => {
        const chart = new Statechart(bargeInMachine);
        let awaited = false;
        for (const event of order) {
          const wasAwaited = awaited;
          const actions = chart.send(event);
          if (actions.includes('listen')) awaited = false;
          if (event.type === 'words.answered') awaited = false;
          if (!actions.includes('askForWords')) continue;
          const isLast = event.type === 'sound.heard' && event.heard.ended;
          if (!isLast) expect(wasAwaited).toBe(false);
          awaited = true;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the drawings of the machines', () => {
  it('are those of the machines that run', () => {
    expect(readFileSync(DRAWN, 'utf8')).toBe(drawStatecharts());
  });

  it('show every state and every event', () => {
    const drawn = drawStatecharts();
    for (const machine of [turnTakingMachine, bargeInMachine, replyMachine] as AnyStateMachine[]) {
      for (const event of machine.events) if (!event.startsWith('xstate.')) expect(drawn).toContain(event);
      for (const leaf of leavesOf(machine.root)) expect(drawn).toContain(leaf.split('.').at(-1));
    }
  });
});
