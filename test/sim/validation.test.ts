/** docs/validation.md: what it says holds, and it says what would be written today. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pooledCoverage, validationPage } from '../../cli/sim/validation-page.ts';
import { PAGE_FILE, readRecord, scenarioHash } from '../../cli/sim/validation-record.ts';
import { holds } from '../../sim/validation/check.ts';
import { VALIDATION_SCENARIOS } from '../../sim/validation/conversations.ts';
import { publishedGroups } from '../../sim/validation/published.ts';

const AGAIN = 'run `longcat-rt sim validate --write` and commit docs/validation.*';

describe('the validation', () => {
  const checks = publishedGroups().flatMap(({ checks }) => checks);

  it.each(checks)('$quantity is as close as it must be', check => {
    expect(holds(check)).toBe(true);
  });

  it('would notice a value that is too far off', () => {
    const check = { quantity: 'any', unit: 'ms', published: 100, limit: 0.05, digits: 0 };
    expect(holds({ ...check, simulated: 105 })).toBe(true);
    expect(holds({ ...check, simulated: 106 })).toBe(false);
    expect(holds({ ...check, simulated: 94 })).toBe(false);
  });

  it('has the queues within 5 percent of theory', () => {
    for (const { expected, simulated, system } of readRecord()!.theory)
      expect(Math.abs(simulated.value! / expected - 1), system).toBeLessThan(0.05);
  });

  it('has no interval of one run that holds the truth too rarely, as far as the seeds can tell', () => {
    const rows = readRecord()!.coverage!.rows.filter(
      ({ intervals, kind }) => kind === 'within a run' && intervals >= 40,
    );
    expect(rows.length).toBeGreaterThan(10);
    for (const { figure, held, intervals, scenario } of rows) {
      const deviation = Math.sqrt((0.95 * 0.05) / intervals);
      // Of so many rows one lies two deviations off by chance.
      expect(held / intervals, `${scenario}: ${figure}`).toBeGreaterThan(0.95 - 3 * deviation);
    }
  });

  it('has intervals that hold in 93 to 97 percent, all together', () => {
    const { rows, seeds } = readRecord()!.coverage!;
    expect(seeds).toBeGreaterThanOrEqual(200);
    for (const kind of ['within a run', 'over 5 runs'] as const) {
      const { held, intervals } = pooledCoverage(rows, kind);
      expect(held / intervals, kind).toBeGreaterThan(0.93);
      expect(held / intervals, kind).toBeLessThan(0.97);
    }
  });

  it('is on the page as it would be written now', () => {
    expect(readFileSync(PAGE_FILE, 'utf8'), AGAIN).toBe(validationPage(publishedGroups(), readRecord()!));
  });

  it('was made with the scenarios as they are', () => {
    const { scenarios } = readRecord()!;
    const now = Object.fromEntries(VALIDATION_SCENARIOS.map(stem => [stem, scenarioHash(stem)]));
    expect(scenarios, AGAIN).toEqual(now);
  });
});
