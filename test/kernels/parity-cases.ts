import type { LatentSegment } from '../../kernels/latent-attention/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { createWeight, float32ToBfloat16, quantiseWeight, type Weight } from '../../kernels/weights/index.ts';
import { chain, FILLINGS, type GuardedMemory, type ParityCase, ROUNDING } from './parity.ts';
import { mediaCases } from './parity-media-cases.ts';
import { signalCases } from './parity-signal-cases.ts';

/** Around the vectors of every level (4, 8, 16 floats), their panels, and nothing at all. */
const WIDTHS = [1, 3, 4, 5, 15, 16, 17, 31, 33, 63, 65, 129];
const COUNTS = [0, 1, 2, 7, 8, 9, 15, 16, 17, 100];

const weight = (memory: GuardedMemory, shape: number[], dtype: 'f32' | 'bf16', magnitude = 1): Weight => {
  const values = memory.weights(
    shape.reduce((product, size) => product * size, 1),
    magnitude,
  );
  return createWeight('case', shape, dtype, dtype === 'f32' ? values : float32ToBfloat16(values));
};

function* linearCases(): Generator<ParityCase> {
  const shapes = WIDTHS.flatMap((outputs, i) =>
    [1, 2, 5, 7, 13].map(rows => [rows, WIDTHS[(i * 5 + rows) % 12], outputs]),
  );
  for (const [rows, inputs, outputs] of [...shapes, [0, 4, 4], [1, 2100, 130], [9, 2100, 70]]) {
    for (const dtype of ['f32', 'bf16'] as const) {
      yield {
        op: 'linear',
        label: `${rows}×${inputs}→${outputs} ${dtype}`,
        absolute: chain(inputs),
        relative: 0,
        run(ops, memory) {
          const bias = rows % 2 ? memory.weights(outputs) : null;
          const linear = ops.linear(weight(memory, [outputs, inputs], dtype), bias);
          return linear.apply(memory.input(rows * inputs), rows, memory.output(rows * outputs));
        },
      };
    }
  }
}

/** Sums of int8 products are exact and everything after them is rounded alike: not a bit may differ. */
function* int8Cases(): Generator<ParityCase> {
  const shapes = WIDTHS.flatMap((outputs, i) =>
    [1, 2, 5, 6, 13].map(rows => [rows, WIDTHS[(i * 5 + rows) % 12], outputs]),
  );
  for (const [rows, inputs, outputs] of [...shapes, [0, 4, 4], [1, 2100, 130], [9, 2100, 70]]) {
    for (const filling of outputs % 4 === 3 ? FILLINGS : (['ordinary'] as const)) {
      yield {
        op: 'linear',
        label: `${rows}×${inputs}→${outputs} int8, ${filling}`,
        absolute: 0,
        relative: 0,
        filling,
        run(ops, memory) {
          const bias = rows % 2 ? memory.weights(outputs) : null;
          const linear = ops.linear(quantiseWeight(weight(memory, [outputs, inputs], 'f32')), bias);
          return linear.apply(memory.input(rows * inputs, 30), rows, memory.output(rows * outputs));
        },
      };
    }
  }
}

/** One value in, one value out. */
function* elementwise(
  op: 'gelu' | 'relu6',
  magnitude: number,
  absolute: number,
  relative: number,
): Generator<ParityCase> {
  for (const count of COUNTS) {
    for (const filling of FILLINGS) {
      const run = (ops: Ops, memory: GuardedMemory) =>
        ops[op](memory.input(count, magnitude), memory.output(count));
      yield { op, label: `${count} values, ${filling}`, absolute, relative, filling, run };
    }
  }
  yield {
    op,
    label: 'in place',
    absolute,
    relative,
    run(ops, memory) {
      const x = memory.inPlace(37, magnitude);
      return ops[op](x, x);
    },
  };
}

function* activationCases(): Generator<ParityCase> {
  // The error of erfc is relative (3e-7), so small results keep their digits; the reference's table has 1e-13.
  yield* elementwise('gelu', 8, 3e-7, 5e-7);
  yield* elementwise('relu6', 9, 0, 0);
  for (const count of COUNTS) {
    for (const filling of FILLINGS) {
      yield {
        op: 'swiglu',
        label: `${count} values, ${filling}`,
        // One exponential (2e-7) and three roundings, times the other factor.
        absolute: 1e-36,
        relative: 6e-7,
        filling,
        run: (ops, memory) =>
          ops.swiglu(memory.input(count, 30), memory.input(count, 3), memory.output(count)),
      };
    }
  }
  for (const [rows, width, scaled] of [
    [0, 3, false],
    [1, 33, false],
    [5, 17, true],
    [3, 16, true],
    [2, 1, true],
  ] as const) {
    for (const filling of FILLINGS) {
      yield {
        op: 'residual',
        label: `${rows}×${width}${scaled ? ', scaled' : ''}, ${filling}`,
        absolute: 0,
        relative: 0,
        filling,
        run: (ops, memory) => {
          const x = memory.inPlace(rows * width);
          const branch = memory.input(rows * width);
          return scaled ? ops.residual(x, branch, memory.weights(width)) : ops.residual(x, branch);
        },
      };
    }
  }
  for (const [rows, channels] of [
    [0, 3],
    [1, 1],
    [1, 300],
    [40, 6],
    [5, 17],
    [33, 16],
    [19, 48],
  ]) {
    for (const magnitude of [3, 3000]) {
      yield {
        op: 'snake',
        label: `${rows}×${channels} within ±${magnitude}`,
        // sin² is good to 4e-7 and is divided by alpha ≥ 0.25.
        absolute: 2e-6,
        relative: 2 * ROUNDING,
        run: (ops, memory) => {
          const alpha = memory.weights(channels).map(value => 0.25 + 8 * Math.abs(value));
          return ops.snake(
            memory.input(rows * channels, magnitude),
            rows,
            alpha,
            memory.output(rows * channels),
          );
        },
      };
    }
  }
}

function* normCases(): Generator<ParityCase> {
  for (const width of WIDTHS) {
    for (const rows of [0, 1, 3]) {
      for (const filling of FILLINGS) {
        const label = `${rows}×${width}, ${filling}`;
        // The sum of squares is taken in float: its relative error grows with the width.
        const relative = 1e-6 + ROUNDING * width;
        yield {
          op: 'rmsNorm',
          label,
          absolute: 1e-12,
          relative,
          filling,
          run: (ops, memory) => {
            const x = memory.input(rows * width, 4);
            return ops.rmsNorm(x, rows, memory.weights(width), 1e-5, memory.output(rows * width));
          },
        };
        yield {
          op: 'layerNorm',
          label,
          // Where x is close to the mean the difference keeps the mean's error.
          absolute: 4e-6,
          relative,
          filling,
          run: (ops, memory) => {
            const x = memory.input(rows * width, 4);
            const out = memory.output(rows * width);
            return ops.layerNorm(x, rows, memory.weights(width), memory.weights(width), 1e-5, out);
          },
        };
      }
    }
  }
}

function* convolutionCases(): Generator<ParityCase> {
  const shapes = [
    { inputs: 1, outputs: 1, kernel: 1 },
    { inputs: 6, outputs: 1, kernel: 7 },
    { inputs: 17, outputs: 33, kernel: 7, dilation: 9 },
    { inputs: 5, outputs: 16, kernel: 8, stride: 4 },
    { inputs: 300, outputs: 70, kernel: 7, dilation: 3 },
  ];
  for (const shape of shapes) {
    for (const inputRows of [0, 1, 8, 61, 90]) {
      const { inputs, outputs, kernel } = shape;
      yield {
        op: 'conv1d',
        label: `${JSON.stringify(shape)} over ${inputRows}`,
        absolute: chain(inputs * kernel),
        relative: 0,
        run: (ops, memory) => {
          const conv = ops.conv1d(memory.weights(inputs * outputs * kernel), memory.weights(outputs), shape);
          const out = memory.output(conv.outputRows(inputRows) * outputs);
          return conv.apply(memory.input(inputRows * inputs), inputRows, out);
        },
      };
    }
  }
  for (const shape of [
    { inputs: 3, outputs: 2, stride: 4 },
    { inputs: 48, outputs: 24, stride: 6 },
  ]) {
    yield {
      op: 'convTranspose1d',
      label: JSON.stringify(shape),
      absolute: chain(shape.inputs),
      relative: 0,
      run: (ops, memory) => {
        const { inputs, outputs, stride } = shape;
        const conv = ops.convTranspose1d(
          memory.weights(inputs * outputs * stride),
          memory.weights(outputs),
          shape,
        );
        return conv.apply(memory.input(11 * inputs), 11, memory.output(11 * outputs * stride));
      },
    };
  }
  for (const [width, left, right, dilation] of [
    [1, 2, 0, 1],
    [17, 10, 1, 2],
    [96, 10, 0, 1],
  ]) {
    yield {
      op: 'fsmn',
      label: `${width} wide, ${left}+1+${right} taps, dilation ${dilation}`,
      absolute: chain(left + right + 2),
      relative: 0,
      run: (ops, memory) => {
        const memoryOp = ops.fsmn(memory.weights(width * (left + 1 + right)), {
          width,
          left,
          right,
          dilation,
        });
        const g = memory.input((7 + (left + right) * dilation) * width);
        return memoryOp.apply(memory.input(7 * width), g, 7, memory.output(7 * width));
      },
    };
  }
  for (const [inputs, hidden] of [
    [3, 5],
    [16, 17],
    [40, 64],
  ]) {
    yield {
      op: 'lstm',
      label: `${inputs}→${hidden}, 30 steps`,
      // Thirty steps of gates, each off by some 1e-6; a gate never amplifies by more than its weights' sum.
      absolute: 1e-5,
      relative: 0,
      run: (ops, memory) => {
        const lstm = ops.lstm({
          inputs,
          hidden,
          inputWeight: memory.weights(4 * hidden * inputs, 0.5),
          recurrentWeight: memory.weights(4 * hidden * hidden, 0.2),
          inputBias: memory.weights(4 * hidden, 0.1),
          recurrentBias: memory.weights(4 * hidden, 0.1),
        });
        const state = { h: memory.inPlace(hidden, 0), c: memory.inPlace(hidden, 0) };
        const out = lstm.apply(memory.input(30 * inputs), 30, state, memory.output(30 * hidden));
        return [...out, ...state.h, ...state.c];
      },
    };
  }
}

function* attentionCases(): Generator<ParityCase> {
  for (const [rows, heads, headDim] of [
    [1, 1, 4],
    [3, 2, 5],
    [17, 2, 16],
    [75, 3, 24],
  ]) {
    yield {
      op: 'attention',
      label: `${rows} rows, ${heads}×${headDim}`,
      // Values below 1 weighted by a softmax whose scores are good to a chain of headDim.
      absolute: 2e-6 + chain(headDim),
      relative: 0,
      run: (ops, memory) => {
        const [q, k, v] = [3, 3, 1].map(magnitude => memory.input(rows * heads * headDim, magnitude));
        return ops.attention(q, k, v, rows, heads, headDim, headDim ** -0.5, memory.output(q.length));
      },
    };
  }
  for (const [rows, columns, heads, headDim] of [
    [1, 1, 1, 4],
    [3, 5, 2, 24],
  ]) {
    yield {
      op: 'rotary2d',
      label: `${rows}×${columns} grid, ${heads}×${headDim}`,
      absolute: 4 * ROUNDING,
      relative: 0,
      run: (ops, memory) => {
        const x = memory.input(rows * columns * heads * headDim);
        return ops.rotary2d(x, { rows, columns }, heads, headDim, 1e4, memory.output(x.length));
      },
    };
  }
  for (const [heads, headStride, offset, width] of [
    [1, 8, 0, 8],
    [3, 24, 16, 8],
    [5, 7, 1, 2],
  ]) {
    yield {
      op: 'rotary',
      label: `${heads} heads of ${width}`,
      absolute: ROUNDING,
      relative: ROUNDING,
      run: (ops, memory) => {
        const stride = heads * headStride + offset;
        const x = memory.inPlace(4 * stride);
        const layout = { rows: 4, stride, offset, heads, headStride };
        ops.rotary(width, 1e7).apply(x, layout, Int32Array.of(0, 1, 4095, 100_003));
        return x;
      },
    };
  }
}

/** Rows and first positions of sequences, over pages of four positions. */
const SEGMENTS = [
  [1, 0],
  [3, 0],
  [2, 9],
  [1, 20],
];

const pagesFor = (positions: number, page: () => Float32Array) =>
  Array.from({ length: Math.ceil(positions / 4) }, page);

const segmentsOf = (memory: GuardedMemory, width: number): LatentSegment[] =>
  SEGMENTS.map(([rows, start], plane) => ({
    rows,
    start,
    plane: {
      pages: pagesFor(rows + start, () => memory.input(4 * 4 * width)),
      pageRows: 4,
      offset: plane * 4 * width,
    },
  }));

function* languageModelCases(): Generator<ParityCase> {
  for (const [heads, nope, rope, value, rank] of [
    [1, 1, 2, 1, 1],
    [3, 5, 2, 7, 9],
    [4, 16, 8, 16, 32],
    [5, 16, 4, 8, 33],
  ]) {
    yield {
      op: 'latentAttention',
      label: `${heads} heads, ${nope}+${rope}, value ${value}, rank ${rank}`,
      absolute: 4e-6 * rank ** 0.5,
      relative: 0,
      run: (ops, memory) => {
        const expansion = weight(memory, [heads * (nope + value), rank], 'bf16', 0.5);
        const attention = ops.latentAttention(expansion, { heads, nope, rope, value, rank });
        const segments = segmentsOf(memory, rank + rope);
        const q = memory.input(7 * heads * (nope + rope));
        return attention.apply(q, segments, memory.output(7 * heads * value));
      },
    };
  }
  for (const [heads, nope, rope, value, rank] of [
    [1, 1, 2, 1, 1],
    [3, 5, 2, 7, 9],
    [4, 32, 16, 32, 32],
  ]) {
    const [hidden, queryRank] = [19, 11];
    yield {
      op: 'latentBlock',
      label: `${heads} heads, ${nope}+${rope}, value ${value}, rank ${rank}: rows and cache`,
      // Three products and two norms one behind the other, each off by a chain of its inputs, then the attention's own.
      absolute: 1e-5 * rank ** 0.5,
      relative: 1e-5,
      run: (ops, memory) => {
        const matrix = (outputs: number, inputs: number) => weight(memory, [outputs, inputs], 'bf16', 0.5);
        const block = ops.latentBlock(
          {
            queryDown: matrix(queryRank, hidden),
            queryUp: matrix(heads * (nope + rope), queryRank),
            latentDown: matrix(rank + rope, hidden),
            expansion: matrix(heads * (nope + value), rank),
            output: matrix(hidden, heads * value),
            queryNorm: memory.weights(queryRank),
            latentNorm: memory.weights(rank),
          },
          { heads, nope, rope, value, rank, ropeBase: 1e4, normEpsilon: 1e-6 },
        );
        const segments = SEGMENTS.map(([rows, start]) => ({
          rows,
          start,
          pages: pagesFor(rows + start, () => memory.inPlace(2 * 4 * (rank + rope))),
        }));
        const rows = { pageRows: 4, segments };
        const x = memory.input(7 * hidden);
        const first = block.apply(x, rows, 0, memory.output(7 * hidden));
        const second = block.apply(x, rows, 4 * (rank + rope), memory.output(7 * hidden));
        return [...first, ...second, ...segments.flatMap(({ pages }) => pages.flatMap(page => [...page]))];
      },
    };
  }
  for (const [rows, hidden, inner] of [
    [0, 4, 4],
    [1, 17, 33],
    [7, 33, 65],
  ]) {
    for (const dtype of ['f32', 'bf16'] as const) {
      yield {
        op: 'feedForward',
        label: `${rows}×${hidden}→${inner}→${hidden} ${dtype}`,
        // Two chains, then a third over their product, whose terms are below `hidden`.
        absolute: hidden * chain(hidden + inner),
        relative: 0,
        run: (ops, memory) => {
          const network = ops.feedForward({
            gate: weight(memory, [inner, hidden], dtype, 0.5),
            up: weight(memory, [inner, hidden], dtype, 0.5),
            down: weight(memory, [hidden, inner], dtype, 0.5),
          });
          return network.apply(memory.input(rows * hidden), rows, memory.output(rows * hidden));
        },
      };
    }
  }
  for (const [rows, width] of [
    [0, 4],
    [1, 17],
    [6, 33],
  ]) {
    yield {
      op: 'embedding',
      label: `${rows} rows of ${width} out of three tables`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const tables = [9, 5, 7].map(entries => memory.weights(entries * width));
        const ids = Int32Array.from({ length: 3 * rows }, () => Math.floor(memory.random() * 6) - 1);
        const out = memory.output(rows * width);
        ops.embedding(tables, width).apply(ids, rows, out);
        return out;
      },
    };
  }
  for (const [rows, hidden, experts, topK] of [
    [0, 8, 4, 2],
    [1, 16, 4, 4],
    [9, 33, 24, 4],
    [3, 64, 768, 12],
  ]) {
    yield {
      op: 'router',
      label: `${rows} rows, ${topK} of ${experts}`,
      // Indices must agree; weights follow logits that are good to a chain of `hidden`.
      absolute: 1e-7,
      relative: 6 * chain(hidden),
      run: (ops, memory) => {
        const bias = memory.weights(experts, 0.01);
        const router = ops.router(weight(memory, [experts, hidden], 'f32'), bias, topK, 6);
        const { indices, weights } = router.apply(memory.input(rows * hidden), rows);
        return [...indices, ...weights];
      },
    };
    for (const op of ['experts', 'expertRanks'] as const) {
      yield {
        op,
        label: `${rows} rows, ${topK} of ${experts}, a third of them identity`,
        absolute: 8 * chain(hidden),
        relative: 1e-5,
        run: (ops, memory) => {
          const real = Math.ceil((experts * 2) / 3);
          const shared = ['gate', 'up'].map(() => weight(memory, [13, hidden], 'f32', 0.5));
          const down = weight(memory, [hidden, 13], 'bf16', 0.5);
          const all = Array.from({ length: real }, () => ({ gate: shared[0], up: shared[1], down }));
          const indices = Int32Array.from({ length: rows * topK }, (_, slot) => {
            const step = Math.floor(experts / topK);
            return (slot % topK) * step + Math.floor(memory.random() * step);
          });
          const routing = { topK, indices, weights: memory.input(rows * topK) };
          const x = memory.input(rows * hidden);
          if (op === 'experts') return ops.experts(all, hidden).apply(x, rows, routing);
          const rankOf = Int32Array.from(all, (_, expert) => expert % 3);
          return ops.expertRanks(3).prepare(all, hidden, rankOf).dispatch(x, rows, routing).combine();
        },
      };
    }
  }
  yield {
    op: 'codebookHeads',
    label: 'four heads of 40 codes',
    absolute: 1e-5,
    relative: 0,
    run: (ops, memory) => {
      const tables = (count: number) => Array.from({ length: count }, () => weight(memory, [40, 33], 'bf16'));
      const heads = ops.codebookHeads(tables(4), tables(3));
      const logits = memory.output(3 * 4 * 40);
      const histories = [0, 1, 2].map(r => [0, 1, 2, 3].map(i => Int32Array.of(r, i, 7, 7, -1, 39)));
      return [...heads.apply(memory.input(3 * 33), 3, histories, logits), ...logits];
    },
  };
  yield {
    op: 'penalise',
    label: 'repeated, absent and outside ids; forty entries of which thirty count',
    absolute: 0,
    relative: 2 * ROUNDING,
    run: (ops, memory) => {
      const logits = memory.inPlace(50, 5);
      const history = Int32Array.from({ length: 40 }, (_, n) =>
        n < 10 ? 49 : [3, 3, -1, 60, 7, n % 11][n % 6],
      );
      ops.penalise(logits, history, 1.1);
      return logits;
    },
  };
  for (const filling of FILLINGS) {
    for (const count of [1, 2, 15, 16, 17, 1000]) {
      yield {
        op: 'sampleToken',
        label: `arg-max of ${count}, ${filling}`,
        absolute: 0,
        relative: 0,
        filling,
        run: (ops, memory) => {
          const logits = memory.input(count).map(value => Math.round(value * 20) / 20);
          return [ops.sampleToken(logits, { temperature: 1, topK: 1, topP: 1, draw: 0 })];
        },
      };
    }
  }
}

export const parityCases: readonly ParityCase[] = [
  ...linearCases(),
  ...int8Cases(),
  ...activationCases(),
  ...normCases(),
  ...convolutionCases(),
  ...attentionCases(),
  ...languageModelCases(),
  ...signalCases(),
  ...mediaCases(),
];
