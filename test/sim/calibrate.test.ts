import { describe, expect, it } from 'vitest';
import { createRandom, normal, VirtualClock } from '../../actors/core/index.ts';
import type { LanguageModelWork } from '../../kernels/engine/index.ts';
import { textPositions } from '../../kernels/engine/index.ts';
import { fitCosts, type MeasuredStep } from '../../sim/calibrate/fit.ts';
import { linearLaw } from '../../sim/engines/cost-law.ts';
import { lateTimers } from '../../sim/live/late-timers.ts';
import { costMs, LoadMeter, type StepLoad } from '../../sim/live/load-meter.ts';
import { stepTimes } from '../../sim/live/step-times.ts';
import { engineSchema } from '../../sim/scenarios/engine-schema.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const COSTS = {
  languageModel: { stepMs: 2, perDecodeMs: 0.5, perPrefillPositionMs: 0.1, perContextPositionMs: 0.003 },
  audioEncoder: { stepMs: 1, perSecondMs: 12 },
  visionEncoder: { stepMs: 3, perTokenMs: 0.02 },
  speechTokenizer: { stepMs: 0, perSecondMs: 15 },
  ganDecoder: { stepMs: 1.5, perFrameMs: 2.5 },
};

/** Loads of every kind, the same ones each time. */
function loads(): StepLoad[] {
  const decodes = [1, 2, 4, 8, 16].flatMap(count =>
    [50, 300, 900].map(context => ({
      component: 'languageModel' as const,
      load: { decodes: count, decodeContext: count * context, prefillPositions: 0, prefillContext: 0 },
    })),
  );
  const prefills = [5, 40, 200].flatMap(prefillPositions =>
    [0, 400].map(prefillContext => ({
      component: 'languageModel' as const,
      load: { decodes: 0, decodeContext: 0, prefillPositions, prefillContext },
    })),
  );
  return [
    ...decodes,
    ...prefills,
    ...[20, 100, 400].map(audioMs => ({ component: 'audioEncoder' as const, streams: 1, audioMs })),
    ...[500, 2000].map(audioMs => ({ component: 'speechTokenizer' as const, streams: 1, audioMs })),
    ...[32, 128].map(tokens => ({ component: 'visionEncoder' as const, units: 1, tokens })),
    ...[1, 4, 16].map(frames => ({ component: 'ganDecoder' as const, streams: 1, frames })),
  ];
}

/** Each load measured many times on a machine that now and then does something else. */
function measured(noiseMs: number): MeasuredStep[] {
  const law = linearLaw(COSTS);
  const random = createRandom(7);
  return loads().flatMap(load =>
    Array.from({ length: 60 }, () => {
      const interrupted = random.next() < 0.1 ? 30 : 0;
      return { load, ms: costMs(law, load) * (1 + normal(random, 0, noiseMs)) + interrupted };
    }),
  );
}

describe('the fit of a calibration', () => {
  it('finds the law behind steps that were measured on a restless machine', () => {
    const { costs, quality } = fitCosts(measured(0.02));
    const law = linearLaw(costs);
    for (const load of loads()) {
      const truth = costMs(linearLaw(COSTS), load);
      expect(Math.abs(costMs(law, load) - truth)).toBeLessThan(0.03 * truth + 0.05);
    }
    expect(quality.map(({ component }) => component)).toEqual(Object.keys(COSTS));
  });

  it('is exact where the steps are', () => {
    const law = linearLaw(COSTS);
    const { costs } = fitCosts(loads().map(load => ({ load, ms: costMs(law, load) })));
    for (const [component, terms] of Object.entries(COSTS))
      for (const [term, value] of Object.entries(terms))
        expect((costs as unknown as Record<string, Record<string, number>>)[component][term]).toBeCloseTo(
          value,
          4,
        );
  });

  it('knows no negative costs, and none of what was not measured', () => {
    const falling = [1, 4, 16].map(frames => ({
      load: { component: 'ganDecoder' as const, streams: 1, frames },
      ms: 20 - frames,
    }));
    const { costs, quality } = fitCosts(falling);
    expect(costs.ganDecoder.perFrameMs).toBe(0);
    expect(costs.ganDecoder.stepMs).toBeGreaterThan(0);
    expect(costs.languageModel).toEqual({
      stepMs: 0,
      perDecodeMs: 0,
      perPrefillPositionMs: 0,
      perContextPositionMs: 0,
    });
    expect(quality).toHaveLength(1);
  });
});

describe('the load meter', () => {
  it('tells decoding from prefill and knows how long each cache is', async () => {
    const meter = new LoadMeter(zeroLatencyEngine());
    const { languageModel } = meter.engine;
    const [a, b] = [languageModel.open(), languageModel.open()];
    const given = [{ sequence: a, positions: textPositions([1, 2, 3]) }];
    await languageModel.step(given);
    const decode = { ...textPositions([5]), rule: 'decode' as const };
    const sample = {} as LanguageModelWork['sample'];
    const mixed = [
      { sequence: a, positions: decode, sample },
      { sequence: b, positions: textPositions([1, 2]) },
    ];
    await languageModel.step(mixed);
    languageModel.truncate(a, 2);
    const after = [{ sequence: a, positions: textPositions([9]) }];
    await languageModel.step(after);
    const load = (batch: readonly unknown[]) => (meter.loadOf(batch) as { load: unknown }).load;
    const none = { decodes: 0, decodeContext: 0 };
    expect(load(given)).toEqual({ ...none, prefillPositions: 3, prefillContext: 0 });
    expect(load(mixed)).toEqual({ decodes: 1, decodeContext: 3, prefillPositions: 2, prefillContext: 0 });
    expect(load(after)).toEqual({ ...none, prefillPositions: 1, prefillContext: 2 });
  });
});

describe('a live engine in the time of a profile', () => {
  const steps = async (servers: number) => {
    const clock = new VirtualClock();
    const meter = new LoadMeter(zeroLatencyEngine());
    const profile = engineSchema.parse({ law: 'linear', servers, ganDecoder: { stepMs: 10 } });
    const timeOf = stepTimes(profile, meter, clock);
    return Promise.all(
      [0, 1, 2].map(async () => {
        const batch = [{ stream: meter.engine.ganDecoder.open(), codes: new Int32Array(4), finish: false }];
        await meter.engine.ganDecoder.step(batch);
        return timeOf('ganDecoder', batch);
      }),
    );
  };

  it('shares what it has: steps wait for one another on one server', async () => {
    expect(await steps(1)).toEqual([10, 20, 30]);
  });

  it('does two steps at once on two servers', async () => {
    expect(await steps(2)).toEqual([10, 10, 20]);
  });

  it('has timers as late as were measured, and no later', async () => {
    const virtual = new VirtualClock();
    const clock = lateTimers(virtual, createRandom(1), [1, 2, 3]);
    const firedMs: number[] = [];
    for (let i = 0; i < 300; i++) clock.setTimer(20, () => firedMs.push(clock.nowMs()));
    clock.setTimer(0, () => firedMs.push(clock.nowMs()));
    await virtual.runToCompletion();
    expect(firedMs.shift()).toBe(0);
    expect(new Set(firedMs)).toEqual(new Set([21, 22, 23]));
  });
});
