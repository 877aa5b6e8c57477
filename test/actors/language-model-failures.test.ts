import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LanguageModelWork } from '../../kernels/engine/index.ts';
import { Stage } from '../support/language-model-stage.ts';
import { characterTokenizer } from '../support/zero-latency-engine.ts';

describe('when the engine fails', () => {
  const undisturbed = async () => {
    const stage = new Stage();
    stage.open('a', 'b');
    for (const session of ['a', 'b']) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.rest();
    return stage.stepsSaid('a');
  };

  it.each([0, 1, 2, 7, 30])(
    'at step %i, both sessions go on from the context and say the same',
    async nth => {
      const stage = new Stage({ fails: (_, step) => step === nth });
      stage.open('a', 'b');
      for (const session of ['a', 'b']) {
        stage.say(session, 'u1', 'x');
        stage.generate(session, 'g1');
      }
      await stage.rest();
      expect(stage.stepsSaid('a')).toEqual(await undisturbed());
      expect(stage.stepsSaid('b')).toEqual(await undisturbed());
      stage.expectCachesTrue();
    },
  );

  it('a repeated step repeats its draw, so that a sampled reply is the same', async () => {
    const draws = async (nth: number) => {
      const stage = new Stage({ fails: (_, step) => step === nth });
      stage.open('a');
      stage.say('a', 'u1', 'x');
      stage.generate('a', 'g1', { topK: 5 });
      await stage.rest();
      return stage.batches.flatMap(batch => batch.flatMap(({ sample }) => (sample ? [sample.draw] : [])));
    };
    const [smooth, failing] = [await draws(-1), await draws(9)];
    expect(new Set(smooth).size).toBe(smooth.length);
    expect(failing.filter((draw, i) => draw !== failing[i - 1])).toEqual(smooth);
    expect(failing).toHaveLength(smooth.length + 1);
  });

  it('for ever, each session ends once with a readable error', async () => {
    const stage = new Stage({ fails: (_, step) => step > 5 });
    stage.open('a', 'b');
    for (const session of ['a', 'b']) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.rest();
    for (const session of ['a', 'b']) {
      expect(stage.ends(session)).toMatchObject([{ reason: 'failed', error: { code: 'engine.failed' } }]);
      const failed = stage.of(session).filter(body => body.type === 'failed');
      expect(failed).toMatchObject([{ code: 'engine.failed', fatal: true }]);
    }
  });

  it('at the input of one session, only that session ends', async () => {
    const poison = characterTokenizer.encode('!')[0];
    const batches: LanguageModelWork[][] = [];
    const stage = new Stage({
      onStep: (_, batch) => batches.push(batch as LanguageModelWork[]),
      fails: () => batches.at(-1)!.some(({ positions }) => positions.textIds.includes(poison)),
    });
    stage.open('a', 'b');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(5);
    stage.say('b', 'u1', `${'y'.repeat(200)}!`);
    await stage.rest();
    expect(stage.ends('a')).toMatchObject([{ reason: 'ended' }]);
    expect(stage.of('b')).toMatchObject([{ type: 'failed', code: 'engine.failed', fatal: true }]);
  });

  it('and the actor is restarted, running replies end and sessions go on from their contexts', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(6);
    let throws = true;
    const { context } = stage.records.get('a')!;
    const slice = context.slice.bind(context);
    context.slice = (from, to) => {
      if (!throws) return slice(from, to);
      throws = false;
      throw new Error('A defect.');
    };
    await stage.run(50);
    expect(stage.ends('a')).toMatchObject([{ reason: 'failed', error: { code: 'actor.restarted' } }]);
    stage.say('a', 'u2', 'go on');
    await stage.rest();
    expect(stage.contextText('a')).toMatch(/go on$/);
    stage.expectCachesTrue();
  });
});

type Move = { readonly session: 'a' | 'b' | 'c'; readonly move: string; readonly n: number };

const moves = fc.array(
  fc.record<Move>({
    session: fc.constantFrom('a', 'b', 'c'),
    move: fc.constantFrom(
      'say',
      'say',
      'insert',
      'generate',
      'generate',
      'commit',
      'rollback',
      'cancel',
      'truncate',
      'remove',
      'raise',
      'reopen',
      'run',
      'run',
      'run',
    ),
    n: fc.nat({ max: 40 }),
  }),
  { minLength: 5, maxLength: 60 },
);

describe('in any order of events', () => {
  it('every generation ends exactly once, no step is of an old epoch, and caches hold what the contexts say', async () => {
    await fc.assert(
      fc.asyncProperty(moves, fc.nat({ max: 30 }), async (script, nth) => {
        const stage = new Stage({
          maxPositions: 400,
          replies: [[{ text: 'Yes.', frames: 6 }], [{ text: 'No, no.', frames: 12 }]],
          fails: (_, step) => step % 31 === nth,
        });
        const over = new Set<string>();
        stage.actor.output$.subscribe(({ session, epoch, body }) => {
          if (body.type === 'ended') over.add(`${session}/${body.generationId}`);
          if (body.type !== 'step') return;
          expect(stage.system.epochs.isStale(session, epoch)).toBe(false);
          expect(over.has(`${session}/${body.generationId}`)).toBe(false);
        });
        stage.open('a', 'b', 'c');
        const generations = new Map<string, number>();
        for (const [turn, move] of script.entries()) await play(stage, move, turn, generations);
        await stage.rest();
        for (const [key, expected] of generations) {
          const [session, generationId] = key.split('/');
          const ends = stage.ends(session).filter(end => end.generationId === generationId);
          expect(ends, key).toHaveLength(expected);
          const indices = stage.steps(session, generationId).map(({ index }) => index);
          expect(indices).toEqual(indices.map((_, i) => i));
        }
        stage.expectCachesTrue();
      }),
      { numRuns: 150 },
    );
  });
});

async function play(
  stage: Stage,
  { session, move, n }: Move,
  turn: number,
  generations: Map<string, number>,
) {
  stage.turn = turn;
  const latest = [...generations.keys()].filter(key => key.startsWith(session)).at(-1);
  const generationId = latest?.split('/')[1] ?? 'none';
  switch (move) {
    case 'say':
      return stage.say(session, `u${n % 5}`, 'w'.repeat(n + 1));
    case 'insert':
      return stage.say(session, `i${turn}`, 'i'.repeat(n + 1), null);
    case 'generate':
      generations.set(`${session}/g${turn}`, 1);
      return stage.generate(session, `g${turn}`, { speech: n % 4 > 0, maxSteps: 1 + n });
    case 'commit':
      return stage.command(session, { type: 'commit', generationId });
    case 'rollback':
      stage.system.epochs.raise(session);
      return stage.command(session, { type: 'rollback', generationId });
    case 'cancel':
      return stage.send(session, 'control', { type: 'cancel', generationId });
    case 'truncate':
      return stage.command(session, { type: 'truncate', itemId: `reply-${generationId}`, steps: n % 8 });
    case 'remove':
      return stage.command(session, {
        type: 'remove',
        itemId: n % 2 ? `u${n % 5}` : `reply-${generationId}`,
      });
    case 'raise':
      return void stage.system.epochs.raise(session);
    case 'reopen':
      stage.send(session, 'control', { type: 'close' });
      return stage.send(session, 'control', { type: 'open' });
    default:
      return void (await stage.run(n / 2));
  }
}
