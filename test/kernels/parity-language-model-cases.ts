import type { CachePage, LatentSegment } from '../../kernels/latent-attention/index.ts';
import { int8RowElements, readInt8Rows, writeInt8Row } from '../../kernels/latent-attention/int8-rows.ts';
import type { CacheType } from '../../kernels/tensor-memory.ts';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../kernels/weights/index.ts';
import { chain, FILLINGS, type GuardedMemory, type ParityCase, ROUNDING } from './parity.ts';
import { weight } from './parity-weight.ts';

/** Rows and first positions of sequences, over pages of four positions; the last go on behind blocks of 64. */
const SEGMENTS = [
  [1, 0],
  [3, 0],
  [2, 9],
  [1, 20],
  [5, 126],
];
const ROWS = SEGMENTS.reduce((sum, [rows]) => sum + rows, 0);

/** Held as floats, or rounded. */
const CACHES = ['f32', 'bf16', 'int8'] as const;

interface RowShape {
  readonly rank: number;
  readonly rope: number;
}

const elementsOf = (cache: CacheType, { rank, rope }: RowShape) =>
  cache === 'int8' ? int8RowElements(rank + rope) : rank + rope;

function held(page: Float32Array, cache: CacheType, shape: RowShape): CachePage {
  if (cache !== 'int8') return cache === 'f32' ? page : float32ToBfloat16(page);
  const [width, elements] = [shape.rank + shape.rope, elementsOf(cache, shape)];
  const rows = page.length / width;
  const narrow = new Int8Array(rows * elements);
  for (let r = 0; r < rows; r++)
    writeInt8Row(narrow, r * elements, page.subarray(r * width, (r + 1) * width), shape.rank);
  return narrow;
}

function inFloats(page: CachePage, { rank, rope }: RowShape): Float32Array {
  if (page instanceof Int8Array)
    return readInt8Rows(page, 0, page.length / int8RowElements(rank + rope), rank + rope, rank);
  return page instanceof Uint16Array ? bfloat16ToFloat32(page) : page;
}

/** A row of int8 is off by half a step of its largest number, and a tie by a whole one; see the case of bfloat16. */
const ROUNDED = {
  f32: { absolute: 1e-5, relative: 1e-5 },
  bf16: { absolute: 2 ** -8, relative: 2 ** -7 },
  int8: { absolute: 2 ** -5, relative: 2 ** -6 },
} as const;

const pagesFor = (positions: number, page: () => CachePage) =>
  Array.from({ length: Math.ceil(positions / 4) }, page);

const segmentsOf = (memory: GuardedMemory, shape: RowShape, cache: CacheType): LatentSegment[] =>
  SEGMENTS.map(([rows, start], plane) => ({
    rows,
    start,
    plane: {
      pages: pagesFor(rows + start, () =>
        held(memory.input(SEGMENTS.length * 4 * (shape.rank + shape.rope)), cache, shape),
      ),
      pageRows: 4,
      offset: plane * 4 * elementsOf(cache, shape),
    },
  }));

export function* languageModelCases(): Generator<ParityCase> {
  for (const [heads, nope, rope, value, rank] of [
    [1, 1, 2, 1, 1],
    [3, 5, 2, 7, 9],
    [4, 16, 8, 16, 32],
    [5, 16, 4, 8, 33],
    [9, 8, 4, 8, 100],
  ]) {
    for (const cache of CACHES) {
      yield {
        op: 'latentAttention',
        label: `${heads} heads, ${nope}+${rope}, value ${value}, rank ${rank}, cache in ${cache}`,
        absolute: 4e-6 * rank ** 0.5,
        relative: 0,
        run: (ops, memory) => {
          const expansion = weight(memory, [heads * (nope + value), rank], 'bf16', 0.5);
          const attention = ops.latentAttention(expansion, { heads, nope, rope, value, rank });
          const segments = segmentsOf(memory, { rank, rope }, cache);
          const q = memory.input(ROWS * heads * (nope + rope));
          return attention.apply(q, segments, memory.output(ROWS * heads * value));
        },
      };
    }
  }
  for (const [heads, nope, rope, value, rank] of [
    [1, 1, 2, 1, 1],
    [3, 5, 2, 7, 9],
    [4, 32, 16, 32, 32],
  ]) {
    const [hidden, queryRank] = [19, 11];
    for (const cache of CACHES)
      yield {
        op: 'latentBlock',
        label: `${heads} heads, ${nope}+${rope}, value ${value}, rank ${rank}, cache in ${cache}: rows and cache`,
        // Three products and two norms one behind the other, each off by a chain of its inputs, then the attention's
        // own. A number that lies halfway between two of bfloat16 may go to the one or to the other.
        absolute: ROUNDED[cache].absolute * rank ** 0.5,
        relative: ROUNDED[cache].relative,
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
            pages: pagesFor(rows + start, () =>
              held(memory.inPlace(2 * 4 * (rank + rope)), cache, { rank, rope }),
            ),
          }));
          const rows = { pageRows: 4, segments };
          const x = memory.input(ROWS * hidden);
          const first = block.apply(x, rows, 0, memory.output(ROWS * hidden));
          const second = block.apply(
            x,
            rows,
            4 * elementsOf(cache, { rank, rope }),
            memory.output(ROWS * hidden),
          );
          const cached = segments.flatMap(({ pages }) =>
            pages.flatMap(page => [...inFloats(page, { rank, rope })]),
          );
          return [...first, ...second, ...cached];
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
      label: `${rows} rows of ${width} out of three tables, one of them in bf16`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const tables = [9, 5, 7].map(entries =>
          weight(memory, [entries, width], entries === 5 ? 'bf16' : 'f32'),
        );
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
