/** Training as it is simulated: schedules, machine, laws, and what has to come out (docs/spec/model.md §7.4–7.6). */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { simTrainingCommand } from '../../cli/commands/sim-training.ts';
import { readScenario } from '../../cli/sim/scenario-file.ts';
import { gridText, memoryTable } from '../../cli/sim/training-page.ts';
import { measuredRuns } from '../../cli/sim/training-runs.ts';
import { smallText } from '../../cli/sim/training-small.ts';
import {
  bestOf,
  memoryTables,
  parallelGrid,
  parseTraining,
  predictSmall,
  predictSteps,
  simulateSmallStep,
  simulateStep,
} from '../../sim/training/index.ts';
import { medianEstimate } from '../../sim/statistics/estimates.ts';
import { drawBeta, TABLE_2 } from '../../sim/training/laws.ts';
import { execute } from '../../sim/training/machine.ts';
import type { Program } from '../../sim/training/program.ts';
import { turnsOf } from '../../sim/training/schedules.ts';
import { smallCosts } from '../../sim/training/small-costs.ts';
import { stepProgram } from '../../sim/training/small-step.ts';
import { holds } from '../../sim/validation/check.ts';

const scenario = parseTraining({ name: 'test' });
const page = readFileSync('docs/training-parallelism.md', 'utf8');

/** The most chunks of activations that a stage holds in this order. */
function mostHeld(name: '1f1b' | 'v-half', stage: number, stages: number, microBatches: number): number {
  const last = name === '1f1b' ? 'B' : 'W';
  let [held, most] = [0, 0];
  for (const { phase } of turnsOf(name, stage, stages, microBatches)) {
    if (phase === 'F') held++;
    most = Math.max(most, held);
    if (phase === last) held--;
  }
  expect(held).toBe(0);
  return most;
}

describe('pipeline schedules', () => {
  it('1F1B holds as many micro-batches on the first stage as there are stages, one fewer on each that follows', () => {
    for (let stage = 0; stage < 14; stage++) expect(mostHeld('1f1b', stage, 14, 40)).toBe(14 - stage);
  });

  it.each([4, 7, 14, 28])('V-half of %i stages holds half of that, and a little, on every stage', stages => {
    for (let stage = 0; stage < stages; stage++)
      expect(mostHeld('v-half', stage, stages, 4 * stages) / 2).toBeLessThanOrEqual(stages / 2 + 1);
  });

  it('do every phase of every micro-batch once, forward first', () => {
    for (const stage of [0, 6, 13]) {
      const turns = turnsOf('v-half', stage, 14, 9).map(
        ({ phase, chunk, microBatch }) => `${phase}${chunk} ${microBatch}`,
      );
      expect(new Set(turns).size).toBe(9 * 6);
      for (let i = 0; i < 9; i++)
        for (const chunk of [0, 1]) {
          const [f, b, w] = ['F', 'B', 'W'].map(phase => turns.indexOf(`${phase}${chunk} ${i}`));
          expect(f < b && b < w).toBe(true);
        }
    }
  });
});

describe('the machine', () => {
  const work = (ms: number): Program => [{ kind: 'work', label: 'any', ms }];

  it('binds ranks to processors in turn, which share themselves out evenly', () => {
    expect(execute([work(10), work(4), work(10), work(8)], { processors: 2 }).ranks).toMatchObject(
      [20, 8, 20, 12].map(busyMs => ({ busyMs: expect.closeTo(busyMs, 9) })),
    );
    expect(execute([work(10), work(4)], { processors: 1 }).ms).toBeCloseTo(14, 9);
    expect(execute([work(10), work(4)]).ms).toBe(10);
  });

  it('lets messages overtake nothing, and counts memory', () => {
    const done = execute([
      [
        { kind: 'work', label: 'forward', ms: 3, takes: 100 },
        { kind: 'send', to: 1, tag: 'F', ms: 2 },
        { kind: 'receive', from: 1, tag: 'B' },
        { kind: 'work', label: 'backward', ms: 4, takes: 20, frees: 120 },
      ],
      [
        { kind: 'receive', from: 0, tag: 'F' },
        { kind: 'work', label: 'both', ms: 5 },
        { kind: 'send', to: 0, tag: 'B', ms: 1 },
      ],
    ]);
    expect(done.ms).toBe(3 + 2 + 5 + 1 + 4);
    expect(done.ranks[0]).toMatchObject({ busyMs: 7, peakBytes: 120 });
  });

  it('says who waits for ever', () => {
    expect(() => execute([[{ kind: 'receive', from: 1, tag: 'F 3' }], []])).toThrow(
      /never comes.*receive F 3 from rank 1/,
    );
  });
});

it.each(Object.entries(TABLE_2))('the law of %s has the four numbers of Table 2', (name, moments) => {
  const random = createRandom(name);
  const n = 20_000;
  const values = Array.from({ length: n }, () => drawBeta(random, moments));
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  expect(Math.abs(mean - moments.mean)).toBeLessThan((4 * moments.std) / Math.sqrt(n));
  expect(std / moments.std).toBeGreaterThan(0.95);
  expect(std / moments.std).toBeLessThan(1.05);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(moments.min);
  expect(Math.max(...values)).toBeLessThanOrEqual(moments.max);
});

describe('the report', () => {
  const tables = memoryTables(scenario);

  it.each([
    ...tables.table3.map(row => ({ ...row, of: 'Table 3' })),
    ...tables.table4.map(row => ({ ...row, of: 'Table 4' })),
  ])('$of, $quantity, within 3 %', row => {
    expect(row.limit).toBe(0.03);
    expect(holds(row)).toBe(true);
  });

  it('is printed with what is no prediction', () => {
    expect(page).toContain(memoryTable(tables.table3));
    expect(page).toContain(memoryTable(tables.table4));
    expect(tables.table4.filter(({ origin }) => origin === 'derived')).toHaveLength(3);
  });

  it('finds EP 32 × CP 2 the best of Figure 10’s grid', () => {
    const grid = parallelGrid(scenario, 1);
    expect(bestOf(grid)).toMatchObject({ ep: 32, cp: 2 });
    expect(grid.filter(({ cp, fits }) => cp === 1 && fits)).toEqual([]);
    expect(page).toContain(gridText(grid));
  });

  it('keeps more than 90 % of the throughput of text alone only where encoders are decoupled', () => {
    const ms = (encoders: 'decoupled' | 'in-stage-0' | 'none') =>
      simulateStep({ ...scenario, encoders }, 3, 2).ms;
    const alone = ms('none');
    expect(alone / ms('decoupled')).toBeGreaterThan(0.9);
    expect(alone / ms('decoupled')).toBeLessThan(0.97);
    expect(alone / ms('in-stage-0')).toBeLessThan(0.6);
    expect(ms('none')).toBe(alone);
  });
});

const runs = measuredRuns();
const [measured] = runs;

describe('the four-process run of train/parallel', () => {
  const predictions = predictSmall(measured);

  it('is predicted for three layouts on which nothing was fitted', () => {
    expect(new Set(predictions.map(({ name }) => name)).size).toBe(3);
    // Every run is on the page, good or bad.
    expect(page).toContain(smallText(runs));
  });

  it.each(predictions)(
    '$name, rank $rank: weights and optimiser to the byte, the peak within 5 %',
    prediction => {
      const { staticBytes, peakBytes } = prediction;
      expect(staticBytes.simulated).toBe(staticBytes.measured);
      expect(Math.abs(peakBytes.simulated / peakBytes.measured - 1)).toBeLessThan(0.05);
    },
  );
});

describe('a step of the four-process run, simulated', () => {
  const predicted = runs.map(run => predictSteps(run));
  const [{ slack, steps }] = predicted;
  const sizes = (name: string) => measured.layouts.find(layout => layout.name === name)!;
  const three = ['CP 2 × PP 2', 'DP 2 × CP 2', 'EP 4'];

  const checked = predicted.flatMap((each, i) =>
    each.steps.filter(({ fitted }) => !fitted).map(step => ({ ...step, run: i + 1 })),
  );
  const off = (step: (typeof checked)[number]) =>
    Math.abs(step.simulatedMs / medianEstimate(step.measuredMs).value - 1);
  it.each(checked)('of $name takes what run $run measured, within 10 %, the goal', step => {
    expect(off(step)).toBeLessThan(0.1);
  });

  it('is checked for three layouts in five runs, whose ranks were bound as they are here', () => {
    expect(checked).toHaveLength(15);
    for (const { bound, processors } of runs) expect(bound).toEqual([0, 1, 2, 3].map(i => i % processors));
  });

  it('uses no number of a layout that it predicts', () => {
    const others = structuredClone(measured);
    for (const layout of others.layouts.filter(({ fitted }) => !fitted)) {
      layout.stepMs = layout.stepMs.map(ms => 7 * ms);
      for (const rank of layout.ranks) rank.operators = {};
    }
    const again = predictSteps(others).steps;
    expect(again.map(({ simulatedMs }) => simulatedMs)).toEqual(steps.map(({ simulatedMs }) => simulatedMs));
  });

  it.each(three)(
    'of %s takes longer where exchanges among four ranks do; those of two ranks do not',
    name => {
      const dear = {
        ...measured,
        crowd: measured.crowd.map(row => ({ ...row, besideMs: 3 * row.besideMs })),
      };
      const ms = (of: string) => [measured, dear].map(run => simulateSmallStep(run, sizes(of), slack).ms);
      const [[now, then], [alone, same]] = [ms(name), ms('CP 2')];
      expect(then).toBeGreaterThan(1.05 * now);
      expect(same).toBe(alone);
    },
  );

  it.each(three)('of %s is never slower on more processors', name => {
    const ms = [1, 2, 4, 8].map(processors => simulateSmallStep(measured, sizes(name), slack, processors).ms);
    for (const [i, each] of ms.slice(1).entries()) expect(each).toBeLessThanOrEqual(ms[i] + 1e-9);
  });

  it.each(three)(
    'of %s is all its work on one processor, where nobody waits unless messages are under way',
    name => {
      const none = { slowness: 1, delayMs: 0, delayMsPerMb: 0 };
      const own = { ...none, crowded: none };
      const { ms } = simulateSmallStep(measured, sizes(name), own, 1);
      const { ranks } = simulateSmallStep(measured, sizes(name), own, 8);
      const work = ranks.reduce((sum, { busyMs }) => sum + busyMs, 0);
      expect(ms).toBeGreaterThanOrEqual(work - 1e-6);
      expect(ms).toBeLessThan(1.02 * work);
    },
  );

  it.each(three)('of %s: no rank does two things at once, none works while it waits', name => {
    const { ms, ranks, spans } = simulateSmallStep(measured, sizes(name), slack);
    for (const rank of ranks.keys()) {
      const own = spans.filter(span => span.rank === rank);
      for (const [i, span] of own.slice(1).entries())
        expect(span.startMs).toBeGreaterThanOrEqual(own[i].endMs - 1e-9);
      expect(ranks[rank].busyMs).toBeLessThanOrEqual(ms + 1e-9);
    }
  });

  it('takes what its longest rank computes where messages cost nothing and every rank has a processor', () => {
    const layout = sizes('DP 2');
    const free = { ...smallCosts(measured, layout, slack), exchangeMs: () => 0, delayMs: () => 0 };
    const programs = [0, 1].map(rank => stepProgram(measured, layout, free, rank));
    const work = programs.map(program =>
      program.reduce((sum, operation) => sum + (operation.kind === 'work' ? operation.ms : 0), 0),
    );
    const { ms } = execute(programs);
    expect(ms).toBeGreaterThanOrEqual(Math.max(...work) - 1e-6);
    expect(ms).toBeLessThan(1.02 * Math.max(...work));
  });
});

describe('training scenarios', () => {
  const small = [
    '--set',
    'replications=1',
    '--set',
    'layout.expertReplicas=1',
    '--set',
    'batch.microBatches=28',
  ];
  const file = 'sim/scenarios/training-decoupled.yaml';

  it.each(['decoupled', 'in-stage-0', 'own-ranks', '1f1b'])(
    'training-%s.yaml is valid and says what to look for',
    name => {
      expect(parseTraining(readScenario(`sim/scenarios/training-${name}.yaml`, [])).about).toMatch(
        /Look for/,
      );
    },
  );

  it('are run by the command, with a chart and a trace', async () => {
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation(text => void printed.push(text));
    const [html, trace] = ['html', 'json'].map(kind => join(tmpdir(), `training-${process.pid}.${kind}`));
    const files = [file, 'sim/scenarios/training-own-ranks.yaml'];
    await simTrainingCommand().parseAsync([...files, ...small, '--html', html, '--perfetto', trace], {
      from: 'user',
    });
    log.mockRestore();
    expect(printed.join('\n')).toMatch(/throughput of text alone +\d+\.\d %/);
    expect(readFileSync(html, 'utf8').match(/<rect/g)!.length).toBeGreaterThan(14 * 28 * 6);
    const events = JSON.parse(readFileSync(trace, 'utf8'));
    expect(events.filter((event: { name: string }) => event.name === 'bridge').length).toBe(14 * 2);
  });

  it('are refused with the reason', () => {
    expect(() => parseTraining({ name: 'x', colour: 1 })).toThrow(/colour/);
    expect(() => parseTraining({ name: 'x', layout: { pp: 5 } })).toThrow(/does not divide the layers/);
    expect(() => parseTraining({ name: 'x', layout: { ep: 32, cp: 3 } })).toThrow(/CP does not divide EP/);
    expect(() => simulateStep(parseTraining({ name: 'x', layout: { ep: 4, cp: 2 } }), 1, 1)).toThrow(
      /Figure 10/,
    );
  });
});
