import type { Ops } from '../../kernels/ops.ts';
import { quantiseWeight } from '../../kernels/weights/index.ts';
import { chain, FILLINGS, type GuardedMemory, type ParityCase, ROUNDING } from './parity.ts';
import { languageModelCases } from './parity-language-model-cases.ts';
import { mediaCases } from './parity-media-cases.ts';
import { signalCases } from './parity-signal-cases.ts';
import { weight } from './parity-weight.ts';

/** Around the vectors of every level (4, 8, 16 floats), their panels, and nothing at all. */
const WIDTHS = [1, 3, 4, 5, 15, 16, 17, 31, 33, 63, 65, 129];
const COUNTS = [0, 1, 2, 7, 8, 9, 15, 16, 17, 100];

function* linearCases(): Generator<ParityCase> {
  const shapes = WIDTHS.flatMap((outputs, i) =>
    [1, 2, 5, 7, 13].map(rows => [rows, WIDTHS[(i * 5 + rows) % 12], outputs]),
  );
  const several = [
    [27, 70, 130],
    [50, 33, 17],
    [26, 1030, 97],
  ];
  for (const [rows, inputs, outputs] of [...shapes, ...several, [0, 4, 4], [1, 2100, 130], [9, 2100, 70]]) {
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
    { inputs: 16, outputs: 1, kernel: 7 },
    { inputs: 17, outputs: 33, kernel: 7, dilation: 9 },
    { inputs: 5, outputs: 16, kernel: 8, stride: 4 },
    { inputs: 300, outputs: 70, kernel: 7, dilation: 3 },
  ];
  for (const shape of shapes) {
    for (const inputRows of [0, 1, 8, 61, 90, 300]) {
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
