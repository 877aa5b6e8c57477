import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EmbeddingTables,
  embeddingIds,
  placeFeatures,
} from '../../kernels/components/language-model/embedding.ts';
import {
  advanceGeneration,
  type GeneratedStep,
  loadLanguageModel,
  startGeneration,
} from '../../kernels/components/language-model/index.ts';
import { LanguageModel } from '../../kernels/components/language-model/language-model.ts';
import { readLanguageModelSetup } from '../../kernels/components/language-model/config.ts';
import { loadParts } from '../../kernels/components/language-model/parts.ts';
import { type Embedding, NO_ROW } from '../../kernels/embedding/index.ts';
import {
  concatPositions,
  type Positions,
  type SamplingRequest,
  slicePositions,
  textPositions,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { hostMemory } from '../../kernels/tensor-memory.ts';
import type { Routing } from '../../kernels/router/index.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';
import { handleOps } from '../support/handle-ops.ts';

const FIXTURES = 'test/fixtures/language-model';
const TOKENS = { eos: 2, pause: 137, audioPad: 136, imagePad: 142 };
/** Float32 PyTorch against double sums here: rounding only. */
const TOLERANCE = 2e-5;

function fixture(name: string) {
  const file = openWeightFile(`${FIXTURES}/${name}/case.safetensors`);
  return {
    directory: `${FIXTURES}/${name}`,
    floats: (tensor: string) => file.floats(tensor, file.shapeOf(tensor)),
    integers: (tensor: string) => file.integers(tensor, file.shapeOf(tensor)),
    rows: (tensor: string) => file.shapeOf(tensor)[0],
  };
}

const partsOf = (directory: string) => loadParts(directory, readLanguageModelSetup(directory), referenceOps);
const load = (name: string) => loadLanguageModel(`${FIXTURES}/${name}`, referenceOps);

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  const worst = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
  expect(worst / scale).toBeLessThan(TOLERANCE);
}

const backbones = ['f32', 'bf16-sharded', 'f16', 'bias-factor-6', 'bias-factor-2'];

describe.each(backbones)('the backbone of case %s', name => {
  it('gives the logits and the routing of PyTorch', () => {
    const { floats, integers } = fixture(name);
    const model = load(name);
    const routings: Routing[] = [];
    const positions = textPositions(integers('input.text_ids'));
    const logits = model.forward(model.open(), positions, {
      routing: (_, routing) => routings.push(routing),
    });
    expectClose(logits, floats('output.logits'));
    routings.forEach((routing, layer) => {
      expect(routing.indices).toEqual(integers(`output.router.${layer}.indices`));
      expectClose(routing.weights, floats(`output.router.${layer}.weights`));
    });
  });
});

function speechPrompt(): Positions {
  const { floats, integers } = fixture('speech');
  return {
    textIds: integers('input.text_ids'),
    codes: integers('input.codes'),
    features: floats('input.features'),
  };
}

function request(histories: readonly number[][] = [[], [], [], []], speech = true): SamplingRequest {
  return {
    textHistory: new Int32Array(0),
    codeHistories: histories.map(history => Int32Array.from(history.slice(-30))),
    temperature: 1,
    topK: 1,
    topP: 1,
    repetitionPenalty: 1,
    draw: 0,
    speech,
  };
}

describe('a step nobody waits for any more', () => {
  it('is given up between two layers and leaves its sequence as it was', () => {
    const model = load('speech');
    const [given, untouched] = [model.open(), model.open()];
    const work = (sequence: number) => [{ sequence, positions: speechPrompt(), sample: request() }];
    let asked = 0;
    expect(model.step(work(given), { isCancelled: () => ++asked > 1 })).toEqual([null]);
    expect(asked).toBe(2);
    expect(model.step(work(given))).toEqual(model.step(work(untouched)));
  });
});

function embedded(positions: Positions, tables: EmbeddingTables, embed: Embedding): Float32Array {
  const rows = positions.textIds.length;
  const ids = new Int32Array(5 * rows).fill(9);
  const out = new Float32Array(rows * tables.hidden).fill(9);
  embeddingIds(positions, tables, ids, 0);
  embed.apply(ids, rows, out);
  placeFeatures(positions, tables, hostMemory, out, 0);
  return out;
}

describe('the omni step', () => {
  it('embeds every kind of position as PyTorch does', () => {
    const { directory, floats } = fixture('speech');
    const { embedding, embed } = partsOf(directory);
    expectClose(embedded(speechPrompt(), embedding, embed), floats('output.embeddings'));
  });

  it('adds every row that is not absent under the decode rule', () => {
    const { embedding, embed } = partsOf(`${FIXTURES}/speech`);
    const row = (table: number, id: number) => {
      const sum = new Float32Array(24);
      embed.apply(
        Int32Array.from({ length: 5 }, (_, t) => (t === table ? id : NO_ROW)),
        1,
        sum,
      );
      return sum;
    };
    const decoded: Positions = {
      textIds: Int32Array.of(3, -1),
      codes: Int32Array.of(-1, 3, -1, -1, -1, -1, -1, -1),
      features: new Float32Array(0),
      rule: 'decode',
    };
    const out = embedded(decoded, embedding, embed);
    const second = row(2, 3);
    const expected = row(0, 3).map((value, i) => value + second[i]);
    expect([...out.subarray(0, 24)]).toEqual([...expected]);
    expect([...out.subarray(24)]).toEqual(Array(24).fill(0));
  });

  it('gives the hidden states, text logits and unpenalised cascade of PyTorch', () => {
    const { directory, floats, integers, rows } = fixture('speech');
    const model = load('speech');
    expectClose(model.forward(model.open(), speechPrompt()), floats('output.logits'));

    const { codeHeads } = partsOf(directory);
    const count = rows('output.hidden');
    const none = Array.from({ length: count }, () => Array.from({ length: 4 }, () => new Int32Array(0)));
    const logits = new Float32Array(floats('output.code_logits').length);
    const codes = codeHeads?.apply(floats('output.hidden'), count, none, logits);
    expect(codes).toEqual(integers('output.greedy_codes'));
    expectClose(logits, floats('output.code_logits'));
  });

  it('speaks the reply of PyTorch step by step, penalties and state machine included', () => {
    const { integers, rows } = fixture('speech');
    const expected = {
      candidates: integers('output.decode.text_candidate'),
      codeCandidates: integers('output.decode.code_candidates'),
      text: integers('output.decode.text'),
      codes: integers('output.decode.codes'),
    };
    const model = load('speech');
    const sequence = model.open();
    const histories: number[][] = [[], [], [], []];
    let state = startGeneration('speech');
    let positions: Positions | null = speechPrompt();
    for (let step = 0; step < rows('output.decode.text'); step++) {
      const [answer] = model.step([
        { sequence, positions: positions as Positions, sample: request(histories) },
      ]);
      const candidate = answer?.sampled as GeneratedStep;
      expect(candidate.text).toBe(expected.candidates[step]);
      expect([...candidate.codes]).toEqual([...expected.codeCandidates.subarray(step * 4, step * 4 + 4)]);
      const { record, feedback, ...rest } = advanceGeneration(state, candidate, TOKENS);
      expect(record.text).toBe(expected.text[step]);
      expect([...record.codes]).toEqual([...expected.codes.subarray(step * 4, step * 4 + 4)]);
      for (const [i, code] of record.codes.entries()) histories[i].push(code);
      state = rest.state;
      positions = feedback;
    }
    expect(state.phase).toBe('ended');
  });
});

/** Splits `positions` at the given places. */
function chunks(positions: Positions, cuts: readonly number[]): Positions[] {
  const edges = [0, ...new Set(cuts), positions.textIds.length].sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => slicePositions(positions, edges[i], end, TOKENS));
}

describe('bits do not depend on how work is grouped', () => {
  const model = load('speech');
  const prompt = speechPrompt();
  const whole = model.forward(model.open(), prompt);
  const vocabSize = model.config.vocabSize;

  it('however a prompt is cut', () => {
    const cut = fc.integer({ min: 1, max: prompt.textIds.length - 1 });
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 8 }), cuts => {
        const sequence = model.open();
        const parts = chunks(prompt, cuts).map(part => model.forward(sequence, part));
        model.close(sequence);
        expect(parts.flatMap(part => [...part])).toEqual([...whole]);
      }),
      { numRuns: 30 },
    );
  });

  it('whatever else is in the batch', () => {
    const alone = (ids: number[]) => {
      const sequence = model.open();
      const [answer] = model.step([{ sequence, positions: textPositions(ids), sample: request() }]);
      const next = model.forward(sequence, textPositions([9]));
      model.close(sequence);
      return { answer, next };
    };
    const ids = fc.array(fc.integer({ min: 4, max: 130 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 5 }), prompts => {
        const sequences = prompts.map(() => model.open());
        const answers = model.step(
          prompts.map((text, i) => ({
            sequence: sequences[i],
            positions: textPositions(text),
            sample: request(undefined, i % 2 === 0),
          })),
        );
        prompts.forEach((text, i) => {
          const single = alone(text);
          expect(answers[i]?.sampled?.text).toBe(single.answer?.sampled?.text);
          if (i % 2 === 0) expect(answers[i]).toEqual(single.answer);
          expect(model.forward(sequences[i], textPositions([9]))).toEqual(single.next);
          model.close(sequences[i]);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('when a rolled-back future is replaced', () => {
    const sequence = model.open();
    model.forward(sequence, slicePositions(prompt, 0, 12, TOKENS));
    model.step([{ sequence, positions: textPositions(Array(40).fill(77)) }]);
    model.truncate(sequence, 12);
    const rest = model.forward(sequence, slicePositions(prompt, 12, prompt.textIds.length, TOKENS));
    expect(rest).toEqual(whole.subarray(12 * vocabSize));
  });
});

describe('where the tensors lie is the engine’s', () => {
  it.each([{}, { ranks: 2 }, { cache: 'bf16' }, { cache: 'int8' }] as const)(
    'the same bits where nobody can look inside: the host writes features and reads logits (%o)',
    options => {
      const prompt = speechPrompt();
      const works = (sequence: number) => [
        [{ sequence, positions: prompt }],
        [{ sequence, positions: textPositions([9, 7]), sample: request() }],
        [{ sequence, positions: textPositions([5]), sample: request(undefined, false) }],
      ];
      const answersOf = (model: Pick<ReturnType<typeof load>, 'open' | 'step'>) =>
        works(model.open()).map(work => model.step(work));
      const access = { reads: 0, writes: 0 };
      const directory = `${FIXTURES}/speech`;
      const away = LanguageModel.of(directory, readLanguageModelSetup(directory), handleOps(access), options);
      const here = loadLanguageModel(directory, referenceOps, options);
      expect(answersOf(away)).toEqual(answersOf(here));
      expect(access).toEqual({ reads: 2, writes: prompt.features.length / away.config.hidden });
      expect(away.forward(away.open(), prompt)).toEqual(here.forward(here.open(), prompt));
    },
  );
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RuntimeError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('what the language model refuses', () => {
  const model = loadLanguageModel(`${FIXTURES}/speech`, referenceOps, { maxCachedPositions: 64 });
  const step = (sequence: number, positions: Positions) =>
    codeOf(() => model.step([{ sequence, positions }]));

  it('ids, codes and features that do not fit, without changing the sequence', () => {
    const sequence = model.open();
    expect(step(sequence, textPositions([5, 152]))).toBe('language-model.ids');
    expect(step(sequence, textPositions([-2]))).toBe('language-model.ids');
    expect(step(sequence, { ...textPositions([5]), codes: Int32Array.of(48, 3, 3, 3) })).toBe(
      'language-model.ids',
    );
    expect(step(sequence, { ...textPositions([5]), codes: Int32Array.of(3) })).toBe('language-model.ids');
    expect(step(sequence, textPositions([136]))).toBe('language-model.features');
    expect(step(sequence, { ...textPositions([5]), features: new Float32Array(24) })).toBe(
      'language-model.features',
    );
    expect(step(sequence, textPositions([]))).toBe('language-model.context-full');
    expect(step(sequence, textPositions(Array(257).fill(5)))).toBe('language-model.context-full');
    expect(model.step([{ sequence, positions: textPositions([5]) }])[0]?.length).toBe(1);
    model.close(sequence);
  });

  it('more positions than the cache holds, until another sequence gives its room back', () => {
    const [first, second] = [model.open(), model.open()];
    expect(step(first, textPositions(Array(40).fill(5)))).toBe('accepted');
    expect(step(second, textPositions([5]))).toBe('language-model.cache-full');
    model.truncate(first, 32);
    expect(step(second, textPositions([5]))).toBe('accepted');
    model.close(first);
    model.close(second);
  });

  it('two items of one sequence, a cut beyond the end, speech without heads', () => {
    const sequence = model.open();
    const positions = textPositions([5]);
    expect(
      codeOf(() =>
        model.step([
          { sequence, positions },
          { sequence, positions },
        ]),
      ),
    ).toBe('language-model.batch');
    expect(codeOf(() => model.truncate(sequence, 1))).toBe('language-model.truncate');
    const textOnly = load('f32');
    const work = { sequence: textOnly.open(), positions, sample: request() };
    expect(codeOf(() => textOnly.step([work]))).toBe('language-model.no-speech');
    expect(textOnly.step([{ ...work, sample: request(undefined, false) }])[0]?.sampled?.codes).toEqual([
      3, 3, 3, 3,
    ]);
  });

  it('answers closed sequences with null and never reuses their ids', () => {
    const closed = model.open();
    model.close(closed);
    const open = model.open();
    const positions = textPositions([5]);
    expect(open).not.toBe(closed);
    expect(
      model.step([
        { sequence: closed, positions },
        { sequence: open, positions },
      ]),
    ).toEqual([null, { length: 1 }]);
  });
});

describe('positions', () => {
  it('are cut with their features and join to what they were', () => {
    const prompt = speechPrompt();
    const parts = chunks(prompt, [4, 7]);
    expect(parts.map(part => part.features.length)).toEqual([24, 48, 0]);
    expect(concatPositions(parts)).toEqual(prompt);
  });

  it('of a prompt and of decoding do not mix', () => {
    expect(
      codeOf(() => concatPositions([textPositions([1]), { ...textPositions([1]), rule: 'decode' }])),
    ).toBe('positions.rule');
  });
});
