import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Segmenter } from '../../actors/perceive/segmenter.ts';
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

  it('fast is faster than patient, balanced between', () => {
    const { balanced, fast, patient } = TURN_PRESETS;
    expect(fast.endpointSilenceMs).toBeLessThan(balanced.endpointSilenceMs);
    expect(balanced.endpointSilenceMs).toBeLessThan(patient.endpointSilenceMs);
    // Where the model finds the turn probably over.
    for (const waitProbability of [0.001, 0.005, 0.02]) {
      const [quick, usual, slow] = [fast, balanced, patient].map(({ meaning }) =>
        endpointSilenceMs(waitProbability, meaning),
      );
      expect(quick).toBeLessThan(usual);
      expect(usual).toBeLessThan(slow);
    }
  });
});

describe('a silence that is judged by meaning', () => {
  const SETTINGS = {
    threshold: 0.5,
    endpointSilenceMs: 600,
    speculateSilenceMs: 200,
    judgeAgainMs: 200,
    confirmSpeechMs: 80,
    onsetWindowMs: 200,
  };

  /** Edges of a second of speech and a silence, with a word about the silence after `judgedMs` of it. */
  function edges(judgedMs: number, endpointMs: number, then = '.'.repeat(100)): string[] {
    const segmenter = new Segmenter(SETTINGS);
    const seen: string[] = [];
    [...'#'.repeat(50), ...then].forEach((mark, frame) => {
      for (const { type, atFrame } of segmenter.push(mark === '#' ? 1 : 0))
        seen.push(`${type} ${(atFrame - 50) * 20}`);
      if ((frame + 1 - 50) * 20 === judgedMs) segmenter.endpointAt(endpointMs);
    });
    return seen.slice(2);
  }

  it('is looked at again and again until it ends the turn', () => {
    expect(edges(200, 900)).toEqual([
      'speech.paused 0',
      'silence.speculate 200',
      'silence.speculate 400',
      'silence.speculate 600',
      'silence.speculate 800',
      'silence.endpoint 900',
    ]);
  });

  it('ends at once where it has lasted long enough already', () => {
    expect(edges(300, 240)).toEqual(['speech.paused 0', 'silence.speculate 200', 'silence.endpoint 320']);
  });

  it('tells nothing about the next one', () => {
    const then = `${'.'.repeat(15)}${'#'.repeat(10)}${'.'.repeat(60)}`;
    expect(edges(240, 5000, then).at(-1)).toBe(`silence.endpoint ${(15 + 10) * 20 + 600}`);
  });
});
