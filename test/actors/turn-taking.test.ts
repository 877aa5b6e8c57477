import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { VirtualClock } from '../../actors/core/index.ts';
import { type TurnEvent, type TurnPolicy, turnTakingMachine } from '../../actors/turn-taking/index.ts';

type Plain = Exclude<TurnEvent['type'], 'policy.changed'>;

const POLICY: TurnPolicy = { createResponse: true, interruptResponse: true, speculate: true };
const EVENTS: readonly Plain[] = [
  'speech.onset',
  'speech.dismissed',
  'speech.started',
  'speech.paused',
  'speech.resumed',
  'silence.speculate',
  'silence.endpoint',
  'turn.unfinished',
  'input.cleared',
  'input.committed',
  'reply.requested',
  'reply.failed',
  'playout.finished',
  'history.truncated',
  'work.waits',
  'work.done',
  'work.over',
];
/** A way into every state. */
const PATHS: Record<string, readonly Plain[]> = {
  idle: [],
  userSpeaking: ['speech.onset', 'speech.started'],
  maybeDone: ['speech.started', 'speech.paused'],
  speculating: ['speech.started', 'speech.paused', 'silence.speculate'],
  agentSpeaking: ['speech.started', 'speech.paused', 'silence.speculate', 'silence.endpoint'],
  working: ['reply.requested', 'work.waits'],
  ducked: ['reply.requested', 'speech.onset'],
  interrupted: ['reply.requested', 'speech.onset', 'speech.started'],
};

function run(events: readonly Plain[], policy: Partial<TurnPolicy> = {}) {
  const clock = new VirtualClock();
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  const effects = {
    speculate: note('speculate'),
    rollback: note('rollback'),
    endTurn: note('endTurn'),
    reply: note('reply'),
    duck: note('duck'),
    unduck: note('unduck'),
    interrupt: note('interrupt'),
    leaveWork: note('leaveWork'),
  };
  const actor = createActor(turnTakingMachine, {
    clock: clock.xstate,
    input: { effects, policy: { ...POLICY, ...policy } },
  }).start();
  const send = (type: Plain) => actor.send({ type });
  events.forEach(send);
  return { actor, calls, clock, send, state: () => actor.getSnapshot().value as string };
}

/** From, event, to, what was done. */
const TABLE: readonly (readonly [string, Plain, string, readonly string[]])[] = [
  ['agentSpeaking', 'work.done', 'agentSpeaking', ['reply']],
  ['agentSpeaking', 'work.waits', 'working', []],
  ['working', 'work.done', 'agentSpeaking', ['reply']],
  ['working', 'work.over', 'idle', []],
  ['working', 'speech.onset', 'working', []],
  ['working', 'speech.started', 'userSpeaking', ['leaveWork']],
  ['working', 'reply.requested', 'agentSpeaking', ['reply']],
  ['working', 'input.committed', 'working', ['endTurn']],
  ['working', 'silence.endpoint', 'working', ['endTurn']],
  ['ducked', 'work.done', 'ducked', []],
  ['ducked', 'work.waits', 'working', ['unduck']],
  ['userSpeaking', 'work.done', 'userSpeaking', []],
  ['speculating', 'work.done', 'speculating', []],
  ['idle', 'work.done', 'idle', []],
  ['idle', 'speech.onset', 'idle', []],
  ['idle', 'speech.started', 'userSpeaking', []],
  ['idle', 'reply.requested', 'agentSpeaking', ['reply']],
  ['idle', 'input.committed', 'idle', ['endTurn']],
  ['userSpeaking', 'speech.paused', 'maybeDone', []],
  ['userSpeaking', 'silence.endpoint', 'agentSpeaking', ['endTurn', 'reply']],
  ['userSpeaking', 'input.cleared', 'idle', []],
  ['userSpeaking', 'input.committed', 'idle', ['endTurn']],
  ['userSpeaking', 'reply.requested', 'agentSpeaking', ['endTurn', 'reply']],
  ['maybeDone', 'speech.resumed', 'userSpeaking', []],
  ['maybeDone', 'silence.speculate', 'speculating', ['speculate']],
  ['maybeDone', 'silence.endpoint', 'agentSpeaking', ['endTurn', 'reply']],
  ['maybeDone', 'input.cleared', 'idle', []],
  ['maybeDone', 'input.committed', 'idle', ['endTurn']],
  ['maybeDone', 'reply.requested', 'agentSpeaking', ['endTurn', 'reply']],
  ['speculating', 'speech.resumed', 'userSpeaking', ['rollback']],
  ['speculating', 'silence.endpoint', 'agentSpeaking', ['endTurn', 'reply']],
  ['speculating', 'input.cleared', 'idle', ['rollback']],
  ['speculating', 'input.committed', 'idle', ['rollback', 'endTurn']],
  ['speculating', 'reply.requested', 'agentSpeaking', ['endTurn', 'reply']],
  ['speculating', 'reply.failed', 'maybeDone', ['rollback']],
  ['speculating', 'turn.unfinished', 'maybeDone', ['rollback']],
  ['agentSpeaking', 'speech.onset', 'ducked', ['duck']],
  ['agentSpeaking', 'speech.started', 'interrupted', ['interrupt']],
  ['agentSpeaking', 'reply.requested', 'agentSpeaking', ['reply']],
  ['agentSpeaking', 'input.committed', 'agentSpeaking', ['endTurn']],
  ['agentSpeaking', 'silence.endpoint', 'agentSpeaking', ['endTurn']],
  ['agentSpeaking', 'playout.finished', 'idle', []],
  ['agentSpeaking', 'reply.failed', 'idle', []],
  ['ducked', 'speech.dismissed', 'agentSpeaking', ['unduck']],
  ['ducked', 'speech.started', 'interrupted', ['unduck', 'interrupt']],
  ['ducked', 'playout.finished', 'idle', ['unduck']],
  ['ducked', 'reply.failed', 'idle', ['unduck']],
  ['ducked', 'input.cleared', 'agentSpeaking', ['unduck']],
  ['ducked', 'input.committed', 'agentSpeaking', ['unduck', 'endTurn']],
  ['ducked', 'reply.requested', 'agentSpeaking', ['unduck', 'reply']],
  ['interrupted', 'history.truncated', 'userSpeaking', []],
  ['interrupted', 'silence.endpoint', 'agentSpeaking', ['endTurn', 'reply']],
  ['interrupted', 'input.committed', 'idle', ['endTurn']],
  ['interrupted', 'reply.requested', 'agentSpeaking', ['endTurn', 'reply']],
];

describe('the turn-taking machine', () => {
  it.each(TABLE)('in %s on %s is in %s', (from, event, to, done) => {
    const { calls, send, state } = run(PATHS[from]);
    expect(state()).toBe(from);
    calls.length = 0;
    send(event);
    expect([state(), calls]).toEqual([to, done]);
  });

  it('has a row of the table for every transition that changes the state or does something', () => {
    const missing: string[] = [];
    for (const [from, path] of Object.entries(PATHS)) {
      for (const event of EVENTS) {
        const { calls, send, state } = run(path);
        calls.length = 0;
        send(event);
        const acts = state() !== from || calls.length > 0;
        if (acts && !TABLE.some(row => row[0] === from && row[1] === event)) missing.push(`${from} ${event}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('does not stay interrupted when the word that history was truncated never comes', async () => {
    const { clock, state } = run(PATHS.interrupted);
    await clock.runFor(1000);
    expect(state()).toBe('userSpeaking');
  });

  it('remembers across an interruption that the user has paused', () => {
    const { send, state } = run([...PATHS.interrupted, 'speech.paused']);
    send('history.truncated');
    expect(state()).toBe('maybeDone');
  });

  it('does not speculate where no reply is wanted, and commits at the endpoint', () => {
    const { calls, state } = run(
      ['speech.started', 'speech.paused', 'silence.speculate', 'silence.endpoint'],
      {
        createResponse: false,
      },
    );
    expect([state(), calls]).toEqual(['idle', ['endTurn']]);
  });

  it('lets the user speak beneath the agent without barge-in, and answers when the agent has finished', () => {
    const { calls, send, state } = run(['reply.requested'], { interruptResponse: false });
    calls.length = 0;
    for (const event of ['speech.onset', 'speech.started', 'speech.paused', 'silence.endpoint'] as const)
      send(event);
    expect([state(), calls]).toEqual(['agentSpeaking', ['endTurn']]);
    send('playout.finished');
    expect([state(), calls]).toEqual(['agentSpeaking', ['endTurn', 'reply']]);
    send('playout.finished');
    expect(state()).toBe('idle');
  });

  it('hands the floor to a user who still speaks when the agent has finished', () => {
    const { send, state } = run(['reply.requested', 'speech.started'], { interruptResponse: false });
    send('playout.finished');
    expect(state()).toBe('userSpeaking');
  });

  it('owes one reply, not two, to a user who ended one turn and began another beneath the agent', () => {
    const beneath: Plain[] = ['reply.requested', 'speech.started', 'silence.endpoint', 'speech.started'];
    const { calls, send, state } = run(beneath, { interruptResponse: false });
    send('playout.finished');
    expect(state()).toBe('userSpeaking');
    send('speech.paused');
    send('silence.endpoint');
    send('playout.finished');
    expect(state()).toBe('idle');
    expect(calls.filter(call => call === 'reply')).toHaveLength(2);
  });

  it('takes a changed policy into account at the next edge', () => {
    const { actor, send, state } = run(['reply.requested']);
    actor.send({ type: 'policy.changed', policy: { ...POLICY, interruptResponse: false } });
    send('speech.onset');
    expect(state()).toBe('agentSpeaking');
  });
});

describe('whoever takes the floor from tools at work', () => {
  const at: Plain[] = ['reply.requested', 'speech.started', 'speech.paused', 'work.waits'];
  const interrupts = { type: 'policy.changed', policy: POLICY } as const;

  it('is no longer thought to pause beneath the agent when the next reply ends', () => {
    const { actor, send, state } = run(at, { interruptResponse: false });
    actor.send(interrupts);
    for (const event of ['speech.started', 'speech.paused', 'silence.endpoint'] as const) send(event);
    expect(state()).toBe('agentSpeaking');
    send('playout.finished');
    expect(state()).toBe('idle');
  });

  it('is answered once, also for the turn that ended beneath the agent', () => {
    const { actor, calls, send, state } = run([...at, 'silence.endpoint'], { interruptResponse: false });
    actor.send(interrupts);
    for (const event of ['speech.started', 'speech.paused', 'silence.endpoint', 'playout.finished'] as const)
      send(event);
    expect(state()).toBe('idle');
    expect(calls.filter(call => call === 'reply')).toHaveLength(2);
  });
});

describe('whatever happens in whatever order', () => {
  const orders = fc.array(fc.constantFrom(...EVENTS), { maxLength: 60 });
  const policies = fc.record({
    createResponse: fc.boolean(),
    interruptResponse: fc.boolean(),
    speculate: fc.boolean(),
  });

  it('every turn can end: silence, an endpoint and the end of play-out lead back to idle', () => {
    fc.assert(
      fc.property(orders, policies, (order, policy) => {
        const { send, state } = run(order, policy);
        const wayOut: Plain[] = [
          'history.truncated',
          'speech.dismissed',
          'speech.paused',
          'silence.endpoint',
        ];
        const ends = ['work.over', 'playout.finished', 'work.over', 'playout.finished'];
        for (const event of [...wayOut, ...ends] as Plain[]) send(event);
        expect(state()).toBe('idle');
      }),
      { numRuns: 500 },
    );
  });

  it('the agent never speaks after a barge-in without a new reply, and never stays ducked without the floor', () => {
    fc.assert(
      fc.property(orders, policies, (order, policy) => {
        const { calls, send, state } = run([], policy);
        let live = false;
        let ducked = false;
        for (const event of order) {
          const before = calls.length;
          send(event);
          for (const call of calls.slice(before)) {
            if (call === 'reply') live = true;
            if (call === 'interrupt') live = false;
            if (call === 'duck') ducked = true;
            if (call === 'unduck') ducked = false;
          }
          if (state() === 'agentSpeaking' || state() === 'ducked') expect(live).toBe(true);
          expect(ducked).toBe(state() === 'ducked');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('each speculation is adopted or rolled back before the next', () => {
    fc.assert(
      fc.property(orders, policies, (order, policy) => {
        const { calls } = run(order, policy);
        let open = false;
        for (const call of calls) {
          if (call === 'speculate') expect(open).toBe(false);
          if (call === 'speculate') open = true;
          if (call === 'rollback') expect(open).toBe(true);
          if (call === 'rollback' || call === 'reply') open = false;
        }
      }),
      { numRuns: 500 },
    );
  });
});
