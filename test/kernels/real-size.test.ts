import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { cacheTypeFor } from '../../kernels/components/language-model/latent-cache.ts';
import { createEngine, slicePositions, textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { CachePage } from '../../kernels/latent-attention/index.ts';
import { int8RowElements, readInt8Rows, writeInt8Row } from '../../kernels/latent-attention/int8-rows.ts';
import { loadAddon, type NativeAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';
import type { Ops } from '../../kernels/ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { type CacheType, hostMemory } from '../../kernels/tensor-memory.ts';
import {
  createWeight,
  float32ToBfloat16,
  openWeightFile,
  type Weight,
  writeSafetensors,
} from '../../kernels/weights/index.ts';
import { addonsOfAllLevels } from './native-levels.ts';
import { GuardedMemory } from './parity.ts';
import { weight } from './parity-weight.ts';

const directory = mkdtempSync(join(tmpdir(), 'real-size-'));
afterAll(() => rmSync(directory, { recursive: true }));
const addon = loadAddon();

describe('the cache', () => {
  it('is in bfloat16 where a context is large', () => {
    expect(cacheTypeFor(56, 576, 131_072)).toBe('bf16');
    expect(cacheTypeFor(8, 64, 1536)).toBe('f32');
  });

  it('is what an engine is asked for', async () => {
    const modelDirectory = join(directory, 'asked');
    writeSeededCheckpoint(modelDirectory, { seed: 3, dimensions: tinyDimensions });
    const types: CacheType[] = [];
    const makePage = (type: CacheType, elements: number) => {
      types.push(type);
      return hostMemory.makePage(type, elements);
    };
    const ops = { ...referenceOps, memory: { ...hostMemory, makePage } };
    const inline = {
      kind: 'reference',
      modelDirectory,
      inline: true,
      ops,
      components: ['languageModel'],
    } as const;
    for (const asked of [{}, { cache: 'int8' }] as const) {
      const engine = await createEngine({ ...inline, ...asked });
      await engine.languageModel.step([
        { sequence: engine.languageModel.open(), positions: textPositions([200]) },
      ]);
      await engine.close();
    }
    expect(types).toEqual(['f32', 'int8']);
  });

  const engines: [string, Ops][] = [['reference', referenceOps]];
  if (typeof addon !== 'string') engines.push(['cpu', nativeOps(addon)]);

  // A rounding costs 2^-9 of a cached number in bfloat16, of the largest of its row in int8; logits are of the order of
  // one.
  const narrowed = engines.flatMap(([name, ops]) => [
    [name, 'bf16', ops, 0.05] as const,
    [name, 'int8', ops, 0.1] as const,
  ]);
  it.each(narrowed)(
    'gives %s the same bits in %s however a prompt is cut, close to those in float32',
    (_, type, ops, most) => {
      const model = join(directory, 'tiny');
      writeSeededCheckpoint(model, { seed: 3, dimensions: tinyDimensions });
      const prompt = textPositions(Array.from({ length: 150 }, (_, i) => 200 + ((i * 37) % 100)));
      const load = (cache: CacheType) => loadLanguageModel(model, ops, { cache });
      const narrow = load(type);
      const whole = narrow.forward(narrow.open(), prompt);
      const sequence = narrow.open();
      const pieces = [
        [0, 7],
        [7, 64],
        [64, 65],
        [65, 150],
      ].flatMap(([begin, end]) => [
        ...narrow.forward(sequence, slicePositions(prompt, begin, end, { audioPad: 136, imagePad: 142 })),
      ]);
      expect(pieces).toEqual([...whole]);
      const wide = load('f32');
      const exact = wide.forward(wide.open(), prompt);
      const worst = exact.reduce((most, value, i) => Math.max(most, Math.abs(value - whole[i])), 0);
      expect(worst).toBeGreaterThan(0);
      expect(worst).toBeLessThan(most);
    },
  );

  it.skipIf(typeof addon === 'string')(
    'in bfloat16 or int8 holds the rows of the one in float32, rounded once',
    () => {
      const memory = new GuardedMemory(5);
      const [heads, nope, rope, value, rank, hidden, queryRank] = [2, 8, 4, 8, 19, 23, 11];
      const matrix = (outputs: number, inputs: number) => weight(memory, [outputs, inputs], 'bf16', 0.5);
      const block = nativeOps(addon as NativeAddon).latentBlock(
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
      const x = memory.input(9 * hidden);
      const filled = <T extends CachePage>(page: T): T => {
        block.apply(x, { pageRows: 9, segments: [{ rows: 9, start: 0, pages: [page] }] }, 0);
        return page;
      };
      const floats = filled(new Float32Array(9 * (rank + rope)));
      expect(filled(new Uint16Array(floats.length))).toEqual(float32ToBfloat16(floats));
      const elements = int8RowElements(rank + rope);
      const expected = new Int8Array(9 * elements);
      for (let r = 0; r < 9; r++) {
        const row = floats.subarray(r * (rank + rope), (r + 1) * (rank + rope));
        writeInt8Row(expected, r * elements, row, rank);
        const read = readInt8Rows(expected, r * elements, 1, rank + rope, rank);
        const stepOf = (from: number, to: number) => Math.max(...row.subarray(from, to).map(Math.abs)) / 127;
        const [latent, key] = [stepOf(0, rank), stepOf(rank, row.length)];
        row.forEach((value, i) => {
          expect(Math.abs(read[i] - value)).toBeLessThanOrEqual((i < rank ? latent : key) * 0.5001);
        });
      }
      expect(filled(new Int8Array(expected.length))).toEqual(expected);
      // What is not finite stays so, in its row alone.
      x[4 * hidden] = Number.NaN;
      const broken = readInt8Rows(filled(new Int8Array(expected.length)), 0, 9, rank + rope, rank);
      const rows = Array.from({ length: 9 }, (_, r) =>
        broken.subarray(r * (rank + rope), (r + 1) * (rank + rope)),
      );
      expect(rows.map(row => row.every(Number.isNaN))).toEqual(rows.map((_, r) => r === 4));
      expect(rows.map(row => row.some(Number.isNaN))).toEqual(rows.map((_, r) => r === 4));
    },
  );
});

describe.skipIf(typeof addon === 'string')('on the pool of threads', () => {
  const native = addon as NativeAddon;

  /** One late row of many heads, and many rows: attention; experts large and small. */
  function prepared(): (() => Float32Array)[] {
    const memory = new GuardedMemory(11);
    const ops = nativeOps(native);
    const [heads, nope, rope, value, rank] = [9, 16, 8, 16, 96];
    const expansion = weight(memory, [heads * (nope + value), rank], 'bf16', 0.5);
    const attention = ops.latentAttention(expansion, { heads, nope, rope, value, rank });
    const pages = Array.from({ length: 100 }, () => float32ToBfloat16(memory.input(32 * (rank + rope))));
    const plane = { pages, pageRows: 32, offset: 0 };
    const q = memory.input(200 * heads * (nope + rope));
    const attended = [
      [1, 3190],
      [200, 900],
    ].map(
      ([rows, start]) =>
        () =>
          attention.apply(q, [{ rows, start, plane }]),
    );
    const mixed = [
      [1, 128, 16_384],
      [40, 256, 512],
      [200, 24, 40],
    ].map(([rows, hidden, inner]) => {
      const [gate, up] = [0, 1].map(() => weight(memory, [inner, hidden], 'bf16', 0.1));
      const [down, other] = [0, 1].map(() => weight(memory, [hidden, inner], 'bf16', 0.1));
      const experts = ops.experts(
        [
          { gate, up, down },
          { gate: up, up: gate, down: other },
          { gate: up, up, down },
        ],
        hidden,
      );
      const indices = Int32Array.from({ length: 2 * rows }, (_, n) => (n * 7 + (n >> 3)) % 4);
      const routing = { topK: 2, indices, weights: memory.weights(2 * rows) };
      const x = memory.input(rows * hidden);
      return () => experts.apply(x, rows, routing);
    });
    return [...attended, ...mixed];
  }

  it('long contexts and large experts have the bits of one thread', () => {
    const calls = prepared();
    const results = () => calls.map(call => call());
    const alone = results();
    const counts = new Float64Array(2);
    for (const threads of [2, 3]) {
      native.growPool(threads);
      expect(results()).toEqual(alone);
    }
    native.poolCounts(counts);
    // Two attentions, three products of each of three experts twice, and the rows of the small ones; with two threads
    // and three.
    expect(counts[0]).toBeGreaterThanOrEqual(2 * (2 + 3 * 3 + 1));
  });
});

describe('a weight that lies in its file', () => {
  const path = join(directory, 'weights.safetensors');

  function written(weights: Weight[]): void {
    writeSafetensors(path, weights);
  }

  const rowsOf = (outputs: number, inputs: number, dtype: 'f32' | 'bf16') =>
    weight(new GuardedMemory(outputs + inputs), [outputs, inputs], dtype);

  it('is packed to the bits of one in memory, at every level', () => {
    for (const each of addonsOfAllLevels()) {
      const { linear } = nativeOps(each);
      for (const [outputs, inputs, dtype] of [
        [70, 33, 'f32'],
        [70, 33, 'bf16'],
        [200, 64, 'bf16'],
        [64, 16, 'f32'],
        [1, 1, 'bf16'],
      ] as const) {
        const plain = rowsOf(outputs, inputs, dtype);
        written([plain]);
        const file = openWeightFile(path);
        const stored = file.matrix('case', [outputs, inputs]);
        const x = new GuardedMemory(3).input(3 * inputs);
        expect(linear(stored, null).apply(x, 3)).toEqual(linear(plain, null).apply(x, 3));
        file.close();
      }
    }
  });

  it('may be a piece of a larger one', () => {
    const whole = rowsOf(6, 8, 'bf16');
    written([createWeight('all', [3, 2, 8], 'bf16', whole.data)]);
    const file = openWeightFile(path);
    const piece = file.matrix('all', [3, 2, 8], { begin: 2 * 8, shape: [2, 8] });
    expect(piece.data).toEqual(whole.data.subarray(16, 32));
    file.close();
  });

  it('is dequantised from fp8 by its blocks, by both engines alike', () => {
    const [rows, columns] = [130, 140];
    const codes = Uint8Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 255) & ~0x40);
    const scales = Float32Array.of(0.5, 2, 4, 8);
    const header = {
      w: { dtype: 'F8_E4M3', shape: [rows, columns], data_offsets: [0, codes.length] },
      w_scale_inv: { dtype: 'F32', shape: [2, 2], data_offsets: [codes.length, codes.length + 16] },
    };
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(path, Buffer.concat([length, text, codes, new Uint8Array(scales.buffer)]));
    const file = openWeightFile(path);
    const matrix = file.matrix('w', [rows, columns]);
    const values = matrix.toFloat32();
    // 0x38 is one, 0x01 the smallest subnormal 2^-9; the last block is that of row 128 and column 128.
    const at = (row: number, column: number, code: number) => {
      codes[row * columns + column] = code;
      const sign = code & 128 ? -1 : 1;
      const [exponent, fraction] = [(code >> 3) & 15, code & 7];
      return sign * (exponent ? (1 + fraction / 8) * 2 ** (exponent - 7) : fraction * 2 ** -9);
    };
    for (const [row, column, scale] of [
      [0, 0, 0.5],
      [127, 127, 0.5],
      [5, 128, 2],
      [128, 3, 4],
      [129, 139, 8],
    ]) {
      expect(values[row * columns + column]).toBe(at(row, column, codes[row * columns + column]) * scale);
    }
    if (typeof addon !== 'string') {
      const x = new GuardedMemory(9).input(2 * columns);
      const plain = createWeight('w', [rows, columns], 'bf16', matrix.data);
      const { linear } = nativeOps(addon);
      expect(linear(matrix, null).apply(x, 2)).toEqual(linear(plain, null).apply(x, 2));
    }
    file.close();
  });

  it('that is not finite is refused by name when it is packed', () => {
    const plain = rowsOf(70, 33, 'bf16');
    plain.data[69 * 33 + 5] = 0x7f80;
    written([plain]);
    const file = openWeightFile(path);
    const engines = typeof addon === 'string' ? [referenceOps] : [referenceOps, nativeOps(addon)];
    for (const { linear } of engines) {
      try {
        linear(file.matrix('case', [70, 33]), null).apply(new Float32Array(33), 1);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(RuntimeError);
        expect((error as RuntimeError).code).toBe('weights.not-finite');
        expect((error as RuntimeError).values).toMatchObject({ tensor: 'case', element: 69 * 33 + 5 });
      }
    }
    file.close();
  });
});
