import { expect, it } from 'vitest';
import { interruption, nothingSeen } from './heard-interruptions.ts';

/** docs/telephony.md; `npx tsx test/protocols/heard-interruptions.ts 100000` goes on for longer. */
const INTERRUPTIONS = 240;

it('what counts as heard of an interrupted answer was played, on every kind of telephone line', () => {
  const seen = nothingSeen();
  const broken: string[] = [];
  for (let seed = 1; seed <= INTERRUPTIONS; seed++) broken.push(...interruption(seed, seen));
  expect(broken).toEqual([]);
  for (const [kind, { interruptions, unheardWords, worstOverMs, worstUnderMs }] of Object.entries(seen)) {
    expect([kind, interruptions, unheardWords]).toEqual([kind, 30, 0]);
    const isTold = !['vonage', 'genesys', 'audiosocket'].includes(kind);
    // A mark is every 40 ms; where nothing is told the way is taken for a longer one than it may be.
    expect([kind, worstOverMs <= 20]).toEqual([kind, true]);
    expect([kind, worstUnderMs <= (isTold ? 40 : 220)]).toEqual([kind, true]);
  }
});
