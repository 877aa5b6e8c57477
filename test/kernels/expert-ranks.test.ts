import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { type StepSpan, StepSpans } from '../../kernels/components/language-model/step-spans.ts';
import { textPositions } from '../../kernels/engine/index.ts';
import { blockPlacement } from '../../kernels/expert-ranks/placement.ts';
import { loadAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';
import type { Ops } from '../../kernels/ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { createWeight } from '../../kernels/weights/index.ts';

const DIRECTORY = 'test/fixtures/language-model/speech';
const RANKS = [1, 2, 3, 4, 8, 16];
const addon = loadAddon();
const engines: [string, Ops][] = [['reference', referenceOps]];
if (typeof addon !== 'string') engines.push(['cpu', nativeOps(addon)]);

const PROMPT = textPositions([5, 9, 11, 40, 2, 77, 8, 100]);

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

describe.each(engines)('experts on ranks, %s engine', (_, ops) => {
  const logits = (ranks: number, placement?: (experts: number, ranks: number) => Int32Array) => {
    const model = loadLanguageModel(DIRECTORY, ops, { ranks, placement });
    const sequence = model.open();
    return [model.forward(sequence, PROMPT), model.forward(sequence, textPositions([7]))];
  };

  it('give the bits of experts without ranks, for every number of ranks', () => {
    const alone = logits(0);
    for (const ranks of RANKS) expect(logits(ranks)).toEqual(alone);
  });

  it('give the same bits for every placement', () => {
    const alone = logits(0);
    const placements = fc.tuple(
      fc.constantFrom(...RANKS),
      fc.array(fc.nat(), { minLength: 64, maxLength: 64 }),
    );
    fc.assert(
      fc.property(placements, ([ranks, draws]) => {
        const placed = logits(ranks, (experts, count) =>
          Int32Array.from({ length: experts }, (_, expert) => draws[expert % draws.length] % count),
        );
        expect(placed).toEqual(alone);
      }),
      { numRuns: 20 },
    );
  });

  it('add what the one-thread experts add, in any batch, identity experts and repeated rows included', () => {
    const hidden = 19;
    const inner = 13;
    const number = random(3);
    const tensor = (shape: number[]) =>
      createWeight('w', shape, 'f32', Float32Array.from({ length: shape[0] * shape[1] }, number));
    const weights = Array.from({ length: 5 }, () => ({
      gate: tensor([inner, hidden]),
      up: tensor([inner, hidden]),
      down: tensor([hidden, inner]),
    }));
    const alone = ops.experts(weights, hidden);
    const ranked = ops.expertRanks(3).prepare(weights, hidden, Int32Array.of(2, 0, 2, 1, 0));
    for (const rows of [0, 1, 2, 9, 40]) {
      const routing = {
        topK: 3,
        indices: Int32Array.from({ length: 3 * rows }, (_, slot) => (slot * 7 + rows) % 8),
        weights: Float32Array.from({ length: 3 * rows }, number),
      };
      const x = Float32Array.from({ length: rows * hidden }, number);
      expect(ranked.dispatch(x, rows, routing).combine()).toEqual(alone.apply(x, rows, routing));
    }
  });

  it('dispatch, then compute on every rank beside the dense path, then combine', () => {
    const model = loadLanguageModel(DIRECTORY, ops, { ranks: 2 });
    const spans = new StepSpans();
    model.forward(model.open(), PROMPT, { spans });
    for (const layer of layersOf(spans.list())) {
      const part = (name: StepSpan['part']) => layer.find(span => span.part === name)!;
      expect(part('dense').beganUs).toBeGreaterThanOrEqual(part('dispatch').endedUs);
      expect(part('combine').beganUs).toBeGreaterThanOrEqual(part('dense').endedUs);
      const experts = layer.filter(span => span.part === 'expert');
      expect(experts.length).toBeGreaterThan(0);
      for (const expert of experts) {
        expect(expert.beganUs).toBeGreaterThanOrEqual(part('dispatch').beganUs);
        expect(expert.endedUs).toBeLessThanOrEqual(part('combine').endedUs);
      }
    }
  });

  it('refuse a placement that leaves an expert without a rank, and counts that cannot be', () => {
    expect(() => logits(2, experts => new Int32Array(experts).fill(2))).toThrow(/needs a rank/);
    for (const ranks of [-1, 1.5, 65]) expect(() => ops.expertRanks(ranks)).toThrow(/so many ranks/);
  });
});

const layersOf = (spans: readonly StepSpan[]): StepSpan[][] =>
  [...new Set(spans.map(({ layer }) => layer))].map(of => spans.filter(({ layer }) => layer === of));

describe.skipIf(typeof addon === 'string')('ranks with threads', () => {
  it('compute while the dense path runs: the spans overlap', () => {
    const model = loadLanguageModel(DIRECTORY, nativeOps(addon as Exclude<typeof addon, string>), {
      ranks: 2,
    });
    // A busy machine may hold a thread back, so one layer of many long steps has to show it.
    const prompt = textPositions(Array.from({ length: 200 }, (_, i) => 4 + (i % 90)));
    const overlaps = () => {
      const spans = new StepSpans();
      const sequence = model.open();
      model.forward(sequence, prompt, { spans });
      model.close(sequence);
      return layersOf(spans.list()).some(layer => {
        const dense = layer.find(({ part }) => part === 'dense')!;
        return layer.some(
          ({ part, beganUs, endedUs }) =>
            part === 'expert' && beganUs < dense.endedUs && endedUs > dense.beganUs,
        );
      });
    };
    expect(Array.from({ length: 500 }, () => 0).some(overlaps)).toBe(true);
  });

  it('take one exchange at a time', () => {
    const ops = nativeOps(addon as Exclude<typeof addon, string>);
    const one = createWeight('w', [1, 1], 'f32', Float32Array.of(1));
    const ranked = ops.expertRanks(1).prepare([{ gate: one, up: one, down: one }], 1, Int32Array.of(0));
    const routing = { topK: 1, indices: Int32Array.of(0), weights: Float32Array.of(1) };
    const exchange = ranked.dispatch(Float32Array.of(1), 1, routing);
    expect(() => ranked.dispatch(Float32Array.of(1), 1, routing)).toThrow(/under way/);
    exchange.combine();
    expect(() => exchange.combine()).toThrow(/nothing was dispatched/);
  });
});

describe('the default placement', () => {
  it('spreads consecutive experts evenly', () => {
    expect(blockPlacement(8, 3)).toEqual(Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2));
    expect(blockPlacement(2, 16)).toEqual(Int32Array.of(0, 8));
  });
});
