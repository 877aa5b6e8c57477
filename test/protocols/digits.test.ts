import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { DEFAULT_DIGITS, DigitCollector, type DigitSettings } from '../../protocols/telephone/index.ts';

function collector(settings: Partial<DigitSettings> = {}) {
  const clock = new VirtualClock();
  const entries: string[] = [];
  const digits = new DigitCollector({ ...DEFAULT_DIGITS, ...settings }, clock, entry => entries.push(entry));
  const press = (keys: string) => [...keys].map(key => digits.press(key));
  return { clock, entries, digits, press };
}

describe('keys of a telephone', () => {
  it('are one entry at a terminator, which is no part of it', () => {
    const { entries, press } = collector();
    press('12*4#5');
    expect(entries).toEqual(['12*4']);
  });

  it('are one entry after a silence, counted from the last of them', () => {
    const { clock, entries, press } = collector({ timeoutMs: 1000 });
    press('1');
    clock.runForSync(900);
    press('2');
    clock.runForSync(999);
    expect(entries).toEqual([]);
    clock.runForSync(1);
    expect(entries).toEqual(['12']);
  });

  it('are one entry when there are enough, and the terminator alone is one', () => {
    const { clock, entries, press } = collector({ maxDigits: 4 });
    press('12345#');
    press('#');
    clock.runForSync(10_000);
    expect(entries).toEqual(['1234', '5', '#']);
  });

  it('are those there are; other signs are none', () => {
    const { clock, entries, press } = collector({ terminators: '' });
    expect(press('a?#é ')).toEqual([true, false, true, false, false]);
    clock.runForSync(2000);
    expect(entries).toEqual(['A#']);
  });

  it('are not shown where they are secret', () => {
    expect(collector({ secret: true }).digits.shown('1234')).toBe('••••');
    expect(collector({ secret: false }).digits.shown('1234')).toBe('1234');
  });

  it('are forgotten with the call', () => {
    const { clock, digits, entries, press } = collector();
    press('12');
    digits.stop();
    clock.runForSync(10_000);
    expect(entries).toEqual([]);
  });
});
