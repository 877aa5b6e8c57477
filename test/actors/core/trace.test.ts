import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIRST_HEARD, SPEECH_END, type TraceMark, waterfall } from '../../../actors/core/trace.ts';

const marksOf = (hops: readonly (readonly [string, number])[]): TraceMark[] =>
  hops.map(([cause, atMs]) => ({ session: 's', turn: 3, cause, atMs }));

test('each millisecond from the last speech sample to the first heard one has one cause', () => {
  const marks = marksOf([
    ['listen', 90],
    [SPEECH_END, 100],
    ['silence', 300],
    [SPEECH_END, 1000],
    ['decode', 1500],
    ['silence', 1400],
    ['speech', 1560],
    ['decode', 1600],
    [FIRST_HEARD, 1640],
    ['decode', 1700],
    [FIRST_HEARD, 1720],
  ]);
  expect(waterfall(marks)).toEqual({
    turn: 3,
    totalMs: 640,
    entries: [
      { cause: 'silence', ms: 400 },
      { cause: 'decode', ms: 140 },
      { cause: 'speech', ms: 60 },
      { cause: FIRST_HEARD, ms: 40 },
    ],
  });
});

test('whatever the marks, the account is closed', () => {
  const mark = fc.tuple(
    fc.constantFrom(SPEECH_END, 'silence', 'prefill', 'decode', FIRST_HEARD),
    fc.double({ min: 0, max: 1e7, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 60 }), hops => {
      const account = waterfall(marksOf(hops));
      if (account === null) return;
      expect(account.entries.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(account.totalMs, 6);
      expect(account.entries.every(({ ms }) => ms >= 0)).toBe(true);
      expect(new Set(account.entries.map(({ cause }) => cause)).size).toBe(account.entries.length);
    }),
  );
});

test('without speech before it, or nothing heard, there is no account', () => {
  expect(waterfall([])).toBeNull();
  expect(waterfall(marksOf([[SPEECH_END, 1]]))).toBeNull();
  expect(waterfall(marksOf([[FIRST_HEARD, 1]]))).toBeNull();
  expect(
    waterfall(
      marksOf([
        [FIRST_HEARD, 1],
        [SPEECH_END, 2],
      ]),
    ),
  ).toBeNull();
});

test('a mark without a time is an error, not a wrong account', () => {
  const marks = marksOf([
    [SPEECH_END, 1],
    ['decode', Number.NaN],
    [FIRST_HEARD, 3],
  ]);
  expect(() => waterfall(marks)).toThrowError(expect.objectContaining({ code: 'trace.not-closed' }));
});
