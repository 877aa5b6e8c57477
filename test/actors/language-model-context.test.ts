import { describe, expect, it } from 'vitest';
import { textPositions } from '../../kernels/engine/index.ts';
import { Stage } from '../support/language-model-stage.ts';
import { characterTokenizer } from '../support/zero-latency-engine.ts';

describe('the context', () => {
  it('is prefilled again from an item that was removed or inserted', async () => {
    const stage = new Stage({ replies: [[{ text: 'Ok.', frames: 6 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'first ');
    stage.say('a', 'u2', 'second ');
    stage.say('a', 'u3', 'third ');
    await stage.rest();
    stage.command('a', { type: 'remove', itemId: 'u2' });
    stage.say('a', 'u4', 'between ', 'u1');
    stage.say('a', 'u5', 'before ', null);
    await stage.rest();
    expect(stage.contextText('a')).toBe('before first between third ');
    stage.expectCachesTrue();
  });

  it('that changes under a step in flight makes its prediction void', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'one ');
    stage.say('a', 'u2', 'two ');
    stage.generate('a', 'g1');
    await stage.run(7);
    const before = stage.steps('a').length;
    const { length } = stage.batches;
    stage.command('a', { type: 'remove', itemId: 'u1' });
    await stage.run(1.1);
    expect(stage.batches.length).toBe(length + 1);
    expect(stage.steps('a')).toHaveLength(before);
    await stage.rest();
    expect(stage.text('a')).toBe('Yes, I can hear you. Go on.');
    stage.expectCachesTrue();
  });

  it('takes input that arrives during a reply after its end', async () => {
    const stage = new Stage({ replies: [[{ text: 'Ok.', frames: 6 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'one');
    stage.generate('a', 'g1');
    await stage.run(4);
    stage.say('a', 'u2', 'two');
    await stage.rest();
    expect(stage.contextText('a')).toBe('one\nVOICE ASSISTANT:Ok.\ntwo');
    stage.expectCachesTrue();
  });

  it('gives up its oldest whole turns, never the system turn, when it is full', async () => {
    const stage = new Stage({ maxPositions: 300 });
    stage.open('a');
    const system = textPositions(characterTokenizer.encode('SYSTEM'));
    stage.command('a', { type: 'prefill', itemId: 's', role: 'system', positions: system });
    for (let turn = 1; turn <= 5; turn++) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(90, '.'));
      await stage.rest();
    }
    // 6 + 3 × 90 fit; the fourth turn makes room down to 225 with itself, the fifth fits again.
    expect(stage.contextText('a').replaceAll('.', '')).toBe('SYSTEM<3><4><5>');
    const dropped = stage.of('a').flatMap(body => (body.type === 'dropped' ? body.itemIds : []));
    expect(dropped).toEqual(['u1', 'u2']);
    stage.expectCachesTrue();
  });

  it('gives up turns that are to be kept after all others, the more important ones last, within a quarter of it', async () => {
    const stage = new Stage({ maxPositions: 400 });
    stage.open('a');
    for (let turn = 1; turn <= 12; turn++) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(turn <= 4 ? 40 : 80, '.'));
      await stage.rest();
      if (turn <= 4) stage.command('a', { type: 'keep', itemId: `u${turn}`, rank: turn === 1 ? 2 : 1 });
    }
    // There is room for two of the four: the one that matters more, and the newest of the others.
    expect(stage.contextText('a').replaceAll('.', '')).toBe('<1><4><10><11><12>');
    stage.turn = 13;
    stage.say('a', 'u13', '<13>'.padEnd(390, '.'));
    await stage.rest();
    // What could not be said otherwise drives them out too.
    expect(stage.contextText('a').replaceAll('.', '')).toBe('<13>');
    const refused = stage.of('a').filter(({ type }) => type === 'refused' || type === 'failed');
    expect(refused).toEqual([]);
    stage.expectCachesTrue();
  });

  it('brings turns that matter most before it again, as they were said, when others have come between', async () => {
    const stage = new Stage({ maxPositions: 800 }, undefined, { afterShare: 1 / 8, beforeTurns: 2 });
    stage.open('a');
    const ranks = [2, 0, 1, 0, 2] as const;
    const seen: string[] = [];
    for (let turn = 1; turn <= 9; turn++) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(40, '.'));
      const rank = ranks[turn - 1] ?? 0;
      if (rank > 0) stage.command('a', { type: 'keep', itemId: `u${turn}`, rank });
      await stage.rest();
      stage.expectCachesTrue();
      seen.push(stage.contextText('a').replaceAll('.', ''));
    }
    // 100 positions of others may stand behind the first of them: two turns, of which those that matter do not count.
    expect(seen.slice(3)).toEqual([
      '<1><2><3><4>',
      '<2><1><3><4><5>',
      '<2><1><3><4><5><6>',
      '<2><3><4><1><5><6><7>',
      '<2><3><4><1><5><6><7><8>',
      '<2><3><4><6><1><5><7><8><9>',
    ]);
  });

  it('has room for a quarter of such turns, of which the newest are brought', async () => {
    const stage = new Stage({ maxPositions: 400 }, undefined, { afterShare: 0, beforeTurns: 1 });
    stage.open('a');
    for (let turn = 1; turn <= 6; turn++) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(40, '.'));
      if (turn <= 4) stage.command('a', { type: 'keep', itemId: `u${turn}`, rank: 2 });
      await stage.rest();
    }
    expect(stage.contextText('a').replaceAll('.', '')).toBe('<1><2><3><4><5><6>');
    stage.turn = 7;
    stage.say('a', 'u7', '<7>'.padEnd(40, '.'));
    await stage.rest();
    expect(stage.contextText('a').replaceAll('.', '')).toBe('<1><2><5><3><4><6><7>');
    stage.expectCachesTrue();
  });

  it('refuses a turn that alone exceeds it', async () => {
    const stage = new Stage({ maxPositions: 100 });
    stage.open('a');
    stage.say('a', 'u1', 'x'.repeat(60));
    stage.say('a', 'u1', 'x'.repeat(60));
    await stage.rest();
    expect(stage.of('a')).toContainEqual(
      expect.objectContaining({ type: 'refused', itemId: 'u1', code: 'context.full' }),
    );
    // The part that fitted stays, and the conversation goes on.
    stage.turn = 2;
    stage.say('a', 'u2', 'y'.repeat(50));
    await stage.rest();
    expect(stage.contextText('a')).toBe('y'.repeat(50));
    expect(stage.of('a').filter(({ type }) => type === 'failed')).toEqual([]);
    stage.expectCachesTrue();
  });

  it('drops nothing for what would not fit even then', async () => {
    const stage = new Stage({ maxPositions: 100 });
    stage.open('a');
    for (const turn of [1, 2, 3]) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, 'x'.repeat(30));
    }
    stage.turn = 4;
    stage.say('a', 'u4', 'y'.repeat(101));
    await stage.rest();
    expect(stage.contextText('a')).toBe('x'.repeat(90));
    expect(stage.of('a').filter(({ type }) => type === 'dropped')).toEqual([]);
  });

  it.each([
    ['auto', { mode: 'auto' }, 'SYSTEM<3><4><5>'],
    ['disabled', { mode: 'disabled' }, 'SYSTEM<1><2><3>'],
    ['half of what follows the system turn', { mode: 'retain', share: 0.5 }, 'SYSTEM<4><5>'],
    ['all that fits', { mode: 'retain', share: 1 }, 'SYSTEM<3><4><5>'],
    ['at most 60 after the system turn', { mode: 'retain', share: 1, maxPositions: 60 }, 'SYSTEM<4><5>'],
  ] as const)('keeps what the policy says: %s', async (_name, policy, kept) => {
    const stage = new Stage({ maxPositions: 100 });
    stage.open('a');
    stage.command('a', { type: 'truncation', policy });
    const system = textPositions(characterTokenizer.encode('SYSTEM'));
    stage.command('a', { type: 'prefill', itemId: 's', role: 'system', positions: system });
    for (const turn of [1, 2, 3, 4, 5]) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(30, '.'));
      await stage.rest();
    }
    expect(stage.contextText('a').replaceAll('.', '')).toBe(kept);
    stage.expectCachesTrue();
  });

  it('puts what was to follow an item that has gone where that item was', async () => {
    const stage = new Stage({ maxPositions: 100 });
    stage.open('a');
    const system = textPositions(characterTokenizer.encode('SYSTEM'));
    stage.command('a', { type: 'prefill', itemId: 's', role: 'system', positions: system });
    stage.say('a', 'u1', '<1>');
    stage.say('a', 'x', '<x>', 'gone');
    await stage.rest();
    expect(stage.contextText('a')).toBe('SYSTEM<x><1>');
  });
});
