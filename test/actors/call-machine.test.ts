import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ToolCallEvent, callMachine, Statechart } from '../../actors/turn-taking/index.ts';

type Type = ToolCallEvent['type'];

function lived(...events: Type[]) {
  const chart = new Statechart(callMachine);
  const actions = events.flatMap(type => chart.send({ type }));
  return { state: chart.snapshot.value, actions };
}

describe('the life of a call', () => {
  it.each([
    [
      'without effect: ahead, and its result waits',
      ['propose.free', 'result', 'commit'],
      'settled',
      ['run', 'settle'],
    ],
    [
      'without effect: the turn ends first',
      ['propose.free', 'commit', 'result'],
      'settled',
      ['run', 'settle'],
    ],
    ['with an effect: recorded until the turn has ended', ['propose.bound'], 'recorded', []],
    [
      'with an effect: at the end of the turn',
      ['propose.bound', 'commit', 'result'],
      'settled',
      ['run', 'settle'],
    ],
    ['race: the user goes on before the result', ['propose.free', 'rollback'], 'forgotten', ['run', 'abort']],
    [
      'race: the result after the rollback',
      ['propose.free', 'rollback', 'result', 'commit'],
      'forgotten',
      ['run', 'abort'],
    ],
    [
      'race: the user goes on after the result',
      ['propose.free', 'result', 'rollback', 'commit'],
      'forgotten',
      ['run'],
    ],
    ['race: rollback of what was only recorded', ['propose.bound', 'rollback', 'commit'], 'forgotten', []],
    [
      'race: barge-in before the result',
      ['propose.free', 'commit', 'barge-in.stop'],
      'cancelled',
      ['run', 'abort', 'cancel'],
    ],
    [
      'race: barge-in in the tick of the result',
      ['propose.free', 'commit', 'barge-in.stop', 'result'],
      ...(['cancelled', ['run', 'abort', 'cancel']] as const),
    ],
    [
      'race: barge-in after the result',
      ['propose.free', 'commit', 'result', 'barge-in.stop'],
      'settled',
      ['run', 'settle'],
    ],
    [
      'race: barge-in while an effect is under way',
      ['propose.bound', 'commit', 'barge-in.stop', 'result'],
      ...(['settled', ['run', 'provisional', 'settle']] as const),
    ],
    [
      'race: the session ends before the result',
      ['propose.bound', 'commit', 'session.ended', 'result'],
      'forgotten',
      ['run'],
    ],
    [
      'race: the session ends before the end of the turn',
      ['propose.bound', 'session.ended', 'commit'],
      'forgotten',
      [],
    ],
  ] as readonly (readonly [string, readonly Type[], string, readonly string[]])[])(
    '%s',
    (_, events, state, actions) => {
      expect(lived(...events)).toEqual({ state, actions });
    },
  );

  it('in whatever order things come: runs once at most, never with an effect before the turn has ended, has one outcome at most', () => {
    const types: Type[] = ['commit', 'rollback', 'result', 'barge-in', 'barge-in.stop', 'session.ended'];
    fc.assert(
      fc.property(
        fc.constantFrom<Type>('propose.free', 'propose.bound'),
        fc.array(fc.constantFrom(...types)),
        (first, rest) => {
          const { actions } = lived(first, ...rest);
          expect(actions.filter(action => action === 'run').length).toBeLessThanOrEqual(1);
          expect(
            actions.filter(action => action === 'settle' || action === 'cancel').length,
          ).toBeLessThanOrEqual(1);
          const before = lived(first, ...rest.slice(0, Math.max(0, rest.indexOf('commit'))));
          if (first === 'propose.bound' && !rest.includes('commit')) expect(actions).toEqual([]);
          if (first === 'propose.bound') expect(before.actions).toEqual([]);
          if (first === 'propose.bound') expect(actions).not.toContain('abort');
        },
      ),
    );
  });
});
