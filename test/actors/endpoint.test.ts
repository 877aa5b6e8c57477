import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointSilenceMs, meansWait } from '../../actors/turn-taking/endpoint.ts';
import { TURN_PRESETS } from '../../actors/turn-taking/presets.ts';

const MEANING = { floorMs: 300, ceilingMs: 1500, doneBelow: 0.1, goesOnAbove: 0.9, judgeAgainMs: 400 };

describe('the endpoint from meaning', () => {
  it('is the floor for who has finished and the ceiling for who goes on', () => {
    expect(endpointSilenceMs(0, MEANING)).toBe(300);
    expect(endpointSilenceMs(0.1, MEANING)).toBe(300);
    expect(endpointSilenceMs(0.9, MEANING)).toBe(1500);
    expect(endpointSilenceMs(1, MEANING)).toBe(1500);
  });

  it('lies in the middle where the model cannot tell', () => {
    expect(endpointSilenceMs(0.5, MEANING)).toBeCloseTo(900, 6);
  });

  it('never falls as going on becomes likelier, and stays between floor and ceiling', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(p, p, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map(each => endpointSilenceMs(each, MEANING));
        return low <= high && low >= 300 && high <= 1500;
      }),
    );
  });

  it('calls it a wait only above the upper bound', () => {
    expect(meansWait(0.89, MEANING)).toBe(false);
    expect(meansWait(0.9, MEANING)).toBe(true);
  });
});

describe('the presets', () => {
  it.each(Object.entries(TURN_PRESETS))(
    '%s speculates before the floor, and its silence lies within',
    (_, preset) => {
      expect(preset.speculateSilenceMs).toBeLessThan(preset.meaning.floorMs);
      expect(preset.endpointSilenceMs).toBeGreaterThanOrEqual(preset.meaning.floorMs);
      expect(preset.endpointSilenceMs).toBeLessThanOrEqual(preset.meaning.ceilingMs);
      expect(preset.meaning.doneBelow).toBeLessThan(preset.meaning.goesOnAbove);
    },
  );

  it('fast is faster than telephone, telephone than patient', () => {
    const { fast, patient, telephone } = TURN_PRESETS;
    for (const of of [(p: typeof fast) => p.meaning.floorMs, (p: typeof fast) => p.endpointSilenceMs]) {
      expect(of(fast)).toBeLessThan(of(telephone));
      expect(of(telephone)).toBeLessThan(of(patient));
    }
  });
});
