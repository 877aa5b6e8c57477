import { FILLINGS, type GuardedMemory, type ParityCase } from './parity.ts';

const bytes = (memory: GuardedMemory, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => memory.random() * 256);

/** What carries sound and pictures between the world and the networks, and the choice of a token. */
export function* mediaCases(): Generator<ParityCase> {
  yield* layoutCases();
  yield* companderCases();
  yield* drawCases();
}

/** Copies and tables: exact. */
function* layoutCases(): Generator<ParityCase> {
  for (const [first, count, width, left, right, firstVector, vectors] of [
    [0, 1, 1, 0, 0, 0, 1],
    [0, 5, 19, 3, 0, 0, 2],
    [4, 9, 8, 5, 2, 3, 4],
    [0, 3, 80, 8, 4, 0, 0],
  ]) {
    yield {
      op: 'splice',
      label: `${vectors} vectors of ${left}+1+${right} frames of ${width}`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const data = memory.input(count * width);
        const out = memory.output(vectors * (left + 1 + right) * width);
        return ops.splice(
          { data, first, count, width },
          { left, right, stride: 3 },
          firstVector,
          vectors,
          out,
        );
      },
    };
  }
  for (const [frames, height, width, patch] of [
    [1, 1, 1, 1],
    [2, 6, 9, 3],
    [2, 28, 42, 14],
  ]) {
    yield {
      op: 'patchify',
      label: `${frames} of ${height}×${width} in patches of ${patch}`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const pictures = Array.from({ length: frames }, () => bytes(memory, height * width * 3));
        const layout = { height, width, patch, mean: [0.48, 0.46, 0.41], std: [0.27, 0.26, 0.28] };
        return ops.patchify(pictures, layout, memory.output(frames * height * width * 3));
      },
    };
  }
  for (const [width, height] of [
    [0, 0],
    [1, 1],
    [5, 3],
    [257, 4],
    [640, 2],
  ]) {
    yield {
      op: 'yuvToRgb',
      label: `${width}×${height}`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
        const [y, u, v] = [width * height, chroma, chroma].map(length => bytes(memory, length));
        return ops.yuvToRgb({ width, height, y, u, v });
      },
    };
  }
  for (const filling of FILLINGS) {
    for (const [rows, columns, width, outRows, outColumns] of [
      [1, 1, 1, 3, 2],
      [4, 5, 17, 2, 3],
      [3, 2, 8, 7, 9],
      [2, 2, 3, 0, 4],
    ]) {
      yield {
        op: 'resizeBilinear',
        label: `${rows}×${columns} of ${width} → ${outRows}×${outColumns}, ${filling}`,
        // The same products and sums in double, rounded once.
        absolute: 0,
        relative: 0,
        filling,
        run: (ops, memory) => {
          const out = memory.output(outRows * outColumns * width);
          return ops.resizeBilinear(
            memory.input(rows * columns * width),
            rows,
            columns,
            width,
            outRows,
            outColumns,
            out,
          );
        },
      };
    }
  }
}

function* companderCases(): Generator<ParityCase> {
  for (const law of ['mu-law', 'a-law'] as const) {
    for (const filling of FILLINGS) {
      for (const count of [0, 1, 15, 16, 17, 160, 257]) {
        yield {
          op: 'g711',
          label: `${law}, ${count} samples, ${filling}, some beyond full scale`,
          absolute: 0,
          relative: 0,
          filling,
          run: (ops, memory) => {
            const encoded = ops.g711[law].encode(memory.input(count, 1.1));
            return [...encoded, ...ops.g711[law].decode(bytes(memory, count), memory.output(count))];
          },
        };
      }
    }
    yield {
      op: 'g711',
      label: `${law}, every sample, halves between them, infinities`,
      absolute: 0,
      relative: 0,
      run: ops => {
        const halves = Array.from({ length: 131_072 }, (_, i) => (i - 65_536) / 65_536);
        const odd = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0];
        return ops.g711[law].encode(Float32Array.from([...halves, ...odd]));
      },
    };
  }
}

function* drawCases(): Generator<ParityCase> {
  for (const [count, topK, topP, temperature] of [
    [1, 0, 1, 1],
    [7, 3, 1, 0.5],
    [100, 0, 0.9, 1],
    [1000, 50, 0.95, 1.3],
    [1000, 5000, 0, 1],
    [300, 20, 1, 1e-3],
  ]) {
    yield {
      op: 'sampleToken',
      label: `40 draws of ${count}, top ${topK}, p ${topP}, temperature ${temperature}`,
      // Two libraries' exponentials differ in the last bit of a double: a draw falls between them once in 2^50.
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const logits = memory.input(count, 6).map(value => Math.round(value * 8) / 8);
        return Array.from({ length: 40 }, () =>
          ops.sampleToken(logits, { temperature, topK, topP, draw: memory.random() }),
        );
      },
    };
  }
}
