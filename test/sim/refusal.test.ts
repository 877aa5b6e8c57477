import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scenarioDocument } from '../../cli/sim/scenario-document.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { parseScenario, withSetting } from '../../sim/scenarios/schema.ts';

const GOOD = { name: 'x', durationS: 30, load: { sessions: 2 }, engine: { law: 'cluster' } };

function refusalOf(given: unknown): { readonly message: string; readonly setting: unknown } {
  try {
    parseScenario(given);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    expect(error.code).toBe('scenario.invalid');
    return { message: error.message, setting: error.values.setting };
  }
  throw new Error('It was taken.');
}

describe('a scenario that is refused', () => {
  it.each([
    ['durationS', -3, 'durationS', /expected number to be >0/],
    ['load.sessions', 'abc', 'load.sessions', /expected number/],
    ['load.callsPerMinute', 3, 'load.callsPerMinute', /Unknown setting/],
    ['network', 'fibber', 'network', /"fibre"/],
    ['network.baseMs', -1, 'network.baseMs', />=0/],
    ['engine.law', 'clutser', 'engine.law', /'cluster'/],
    ['peeple', {}, 'peeple', /Unknown setting/],
  ])('says what is wrong with %s = %j', (path, value, setting, message) => {
    const found = refusalOf(withSetting(GOOD, path, value));
    expect(found.setting).toBe(setting);
    expect(found.message).toMatch(message);
  });

  it('names what was misspelt rather than what is missing because of it', () => {
    const { load, ...rest } = GOOD;
    expect(refusalOf({ ...rest, lood: load }).setting).toBe('lood');
    expect(refusalOf(rest)).toMatchObject({ setting: 'load', message: expect.stringMatching(/missing/) });
  });

  it.each([[null], ['text'], [[1]]])('is not %j', given => {
    expect(refusalOf(given).message).toMatch(/no settings/);
  });
});

it('what a scenario may say is documented: docs/scenarios.md is what the schema says', () => {
  expect(readFileSync('docs/scenarios.md', 'utf8')).toBe(scenarioDocument());
});
