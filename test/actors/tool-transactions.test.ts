import { describe, expect, it } from 'vitest';
import { conversation, nothingSeen } from './tool-transactions.ts';

/** The promise of docs/tools.md; `npx tsx test/actors/tool-transactions.ts 1000000` goes on for longer. */
const CONVERSATIONS = 12;

describe('tools under second thoughts, interruptions, cancels and crashes', () => {
  it('have no effect before the turn has ended, none twice, always an outcome, and no word in the sound', async () => {
    const seen = nothingSeen();
    const broken: string[] = [];
    for (let seed = 1; seed <= CONVERSATIONS; seed++) broken.push(...(await conversation(seed, seen)));
    expect(broken).toEqual([]);
    // Otherwise there was nothing to see.
    expect(seen.rollbacks).toBeGreaterThan(100);
    expect(seen.interruptions).toBeGreaterThan(20);
    expect(seen.crashes).toBeGreaterThan(20);
    expect(seen.effects).toBeGreaterThan(50);
  });
});
