/** The product's own turn-taking policies in a simulated world (docs/turn-taking.md has them on recorded voices). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { judgedActivity, judgementOf } from '../../sim/people/judgement.ts';
import { NOISE, SPEECH } from '../../sim/people/voice.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const simulate = (turnTaking: object) =>
  runScenario(
    parseScenario({
      name: 'presets',
      durationS: 110,
      warmUpS: 10,
      load: { sessions: 5 },
      network: 'lab',
      transport: { kind: 'websocket', packetMs: 20 },
      people: {
        talkS: { median: 4, sigma: 0.6 },
        talkPerPauseS: 2,
        bargeIn: 0,
        backchannelsPerMinute: 0,
        noisesPerMinute: 0,
      },
      engine: { law: 'linear', languageModel: { stepMs: 6 } },
      turnTaking,
    }),
    5,
  );

it('a judgement is heard as it was drawn, to the step of the code, and nothing else carries one', () => {
  fc.assert(
    fc.property(fc.double({ min: -11, max: 11, noNaN: true }), mean => {
      const activity = Math.fround(judgedActivity(createRandom(1), { mean, deviation: 0 }));
      const probability = judgementOf(activity)!;
      expect(Math.log(probability / (1 - probability))).toBeCloseTo(mean, 0);
      expect(activity).toBeGreaterThan(SPEECH);
      expect(activity).toBeLessThan(1);
    }),
  );
  for (const other of [0, NOISE, 0.8, SPEECH]) expect(judgementOf(Math.fround(other))).toBeNull();
});

describe('a policy that follows the words', () => {
  it('answers sooner than silence alone and cuts off fewer turns', async () => {
    const [silence, balanced, patient] = [
      await simulate({ endpointSilenceMs: 650 }),
      await simulate({ preset: 'balanced' }),
      await simulate({ preset: 'patient' }),
    ];
    const cutOff = ({ said }: typeof silence) => said.filter(turn => turn.isCutOff).length / said.length;
    const median = ({ turns }: typeof silence) =>
      turns.map(turn => turn.firstAudioMs).sort((a, b) => a - b)[Math.floor(turns.length / 2)];
    expect(median(balanced)).toBeLessThan(median(silence) - 200);
    expect(cutOff(balanced)).toBeLessThan(cutOff(silence) / 2);
    expect(cutOff(patient)).toBeLessThan(cutOff(silence) / 2);
    expect(median(patient)).toBeGreaterThan(median(balanced));
  });

  it('is as good as its judge: one that cannot tell is no better than a guess', async () => {
    const blind = { done: { mean: 0, deviation: 2 }, goesOn: { mean: 0, deviation: 2 } };
    const meaning = { floorMs: 280, ceilingMs: 2600, doneBelow: 0.03, goesOnAbove: 0.2 };
    const [seeing, guessing] = [await simulate({ meaning }), await simulate({ meaning, judge: blind })];
    const mean = ({ turns }: typeof seeing) =>
      turns.reduce((sum, { firstAudioMs }) => sum + firstAudioMs, 0) / turns.length;
    expect(mean(guessing)).toBeGreaterThan(mean(seeing) + 500);
  });
});
