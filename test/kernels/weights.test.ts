import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  bfloat16ToFloat32,
  createWeight,
  float16ToFloat32,
  float32ToBfloat16,
  openWeightDirectory,
  openWeightFile,
  writeSafetensors,
} from '../../kernels/weights/index.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'weights-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A file laid out by hand, so that the reader is not tested against the writer. */
function fileOf(header: string | object, data: Uint8Array | number, headerLength?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(text.length));
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

function written(name: string, content: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
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

describe('the safetensors reader', () => {
  it('reads f32, bf16, f16 and integer tensors', () => {
    const data = Buffer.alloc(4 * 2 + 2 * 2 + 2 * 2 + 8);
    data.writeFloatLE(1.5, 0);
    data.writeFloatLE(-2, 4);
    data.writeUInt16LE(0x3fc0, 8); // bf16 1.5
    data.writeUInt16LE(0xc000, 10); // bf16 −2
    data.writeUInt16LE(0x3e00, 12); // f16 1.5
    data.writeUInt16LE(0x0001, 14); // f16 2^−24
    data.writeBigInt64LE(-7n, 16);
    const header = {
      a: entry([2], [0, 8]),
      b: entry([1, 2], [8, 12], 'BF16'),
      c: entry([2, 1], [12, 16], 'F16'),
      d: entry([], [16, 24], 'I64'),
    };
    const weights = openWeightFile(written('types.safetensors', fileOf(header, data)));
    expect([...weights.floats('a', [2])]).toEqual([1.5, -2]);
    expect([...weights.floats('b', [1, 2])]).toEqual([1.5, -2]);
    expect([...weights.floats('c', [2, 1])]).toEqual([1.5, 2 ** -24]);
    expect([...weights.integers('d', [])]).toEqual([-7]);
    weights.close();
    expect(codeOf(() => weights.floats('a', [2]))).toBe('weights.closed');
  });

  it('names file and tensor when a tensor is missing, of another shape or of another type', () => {
    const path = written('named.safetensors', fileOf({ a: entry([2, 3], [0, 6], 'F8_E4M3') }, 6));
    const weights = openWeightFile(path);
    expect(() => weights.tensor('b', [1])).toThrow(/named\.safetensors.*tensor: b/);
    expect(() => weights.tensor('a', [3, 2])).toThrow(
      /named\.safetensors.*tensor: a.*found: 2×3, expected: 3×2/,
    );
    expect(() => weights.tensor('a', [2, 3])).toThrow(/tensor: a, dtype: F8_E4M3/);
    expect(codeOf(() => weights.integers('a', [2, 3]))).toBe('weights.dtype');
    weights.close();
  });

  it.each([
    ['F32', 4, 0x7fc00000],
    ['F32', 4, 0xff800000],
    ['BF16', 2, 0x7f80],
    ['BF16', 2, 0xffc1],
    ['F16', 2, 0x7c00],
    ['F16', 2, 0xfe00],
  ] as const)(
    'refuses a %s tensor with an infinity or no number, naming it and the element',
    (type, size, bits) => {
      const data = Buffer.alloc(3 * size);
      if (size === 4) data.writeUInt32LE(bits, 2 * size);
      else data.writeUInt16LE(bits, 2 * size);
      const path = written('diverged.safetensors', fileOf({ a: entry([3], [0, 3 * size], type) }, data));
      const weights = openWeightFile(path);
      expect(() => weights.tensor('a', [3])).toThrow(/diverged\.safetensors.*tensor: a, element: 2/);
      expect(codeOf(() => weights.floats('a', [3]))).toBe('weights.not-finite');
      weights.close();
    },
  );

  const good = entry([1], [0, 4]);
  it.each<[string, Buffer, string]>([
    ['an empty file', Buffer.alloc(0), 'weights.header'],
    ['a header longer than the file', fileOf({ a: good }, 4, 1_000n), 'weights.header'],
    ['a header length beyond 2^53', fileOf({ a: good }, 4, 2n ** 63n), 'weights.header'],
    ['a header length of zero', fileOf({ a: good }, 4, 0n), 'weights.header'],
    ['a header that is not JSON', fileOf('{"a":', 4), 'weights.header'],
    ['a header that is a list', fileOf('[1,2]', 4), 'weights.header'],
    ['a name given twice', fileOf('{"a":{"x":[{}]},"\\u0061":{}}', 4), 'weights.header'],
    ['an entry that is a number', fileOf({ a: 3 }, 4), 'weights.tensor'],
    ['an unknown type', fileOf({ a: entry([1], [0, 4], 'toString') }, 4), 'weights.tensor'],
    ['a negative size', fileOf({ a: entry([-1], [0, 4]) }, 4), 'weights.tensor'],
    ['a huge size', fileOf({ a: entry([2 ** 53, 2 ** 53], [0, 4]) }, 4), 'weights.tensor'],
    ['a fractional size', fileOf({ a: entry([0.5, 2], [0, 4]) }, 4), 'weights.tensor'],
    ['thirty axes', fileOf({ a: entry(Array(30).fill(1), [0, 4]) }, 4), 'weights.tensor'],
    ['descending offsets', fileOf({ a: entry([1], [4, 0]) }, 4), 'weights.tensor'],
    ['bytes ≠ product of the shape', fileOf({ a: entry([2], [0, 4]) }, 4), 'weights.tensor'],
    ['a tensor beyond the end', fileOf({ a: entry([2], [0, 8]) }, 4), 'weights.layout'],
    ['overlapping tensors', fileOf({ a: good, b: entry([1], [2, 6]) }, 6), 'weights.layout'],
    ['a hole', fileOf({ a: good, b: entry([1], [8, 12]) }, 12), 'weights.layout'],
    ['bytes after the last tensor', fileOf({ a: good }, 5), 'weights.layout'],
  ])('refuses %s', (what, content, code) => {
    expect(codeOf(() => openWeightFile(written(`${what.length}.bad`, content)))).toBe(code);
  });

  it('refuses what is no regular file, without waiting for a pipe', () => {
    const pipe = join(directory, 'pipe.safetensors');
    const makePipe = 'mkfifo';
    execFileSync(makePipe, [pipe]);
    expect(codeOf(() => openWeightFile(pipe))).toBe('weights.open');
    expect(codeOf(() => openWeightFile(directory))).toBe('weights.open');
    expect(codeOf(() => openWeightFile(join(directory, 'absent')))).toBe('weights.open');
  });

  it('fails only with a RuntimeError, whichever bytes are damaged or cut', () => {
    const intact = fileOf(
      { __metadata__: { format: 'pt' }, a: entry([2, 2], [0, 16]), b: entry([3], [16, 22], 'BF16') },
      22,
    );
    const damage = fc.array(fc.tuple(fc.nat(intact.length - 1), fc.integer({ min: 1, max: 255 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, fc.nat(intact.length), (flips, cut) => {
        const bytes = Buffer.from(intact.subarray(0, cut > intact.length / 2 ? intact.length : cut));
        for (const [at, mask] of flips) if (at < bytes.length) bytes[at] ^= mask;
        const path = written('fuzz.safetensors', bytes);
        codeOf(() => {
          const weights = openWeightFile(path);
          try {
            for (const name of weights.names()) weights.tensor(name, weights.shapeOf(name));
          } finally {
            weights.close();
          }
        });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a directory of shards', () => {
  function shards(name: string, index: unknown): string {
    const path = join(directory, name);
    mkdirSync(path);
    writeFileSync(join(path, 'one.safetensors'), fileOf({ a: entry([1], [0, 4]) }, 4));
    writeFileSync(join(path, 'two.safetensors'), fileOf({ b: entry([1], [0, 4]) }, 4));
    writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify(index));
    return path;
  }

  it('is read through its index', () => {
    const path = shards('good', { weight_map: { a: 'one.safetensors', b: 'two.safetensors' } });
    const weights = openWeightDirectory(path);
    expect(weights.names()).toEqual(['a', 'b']);
    expect(weights.floats('b', [1])[0]).toBe(0);
    weights.close();
  });

  it.each<[string, unknown, string]>([
    ['leads out of the directory', { a: '../good/one.safetensors' }, 'weights.index'],
    ['is absolute', { a: '/etc/passwd' }, 'weights.index'],
    ['is no text', { a: 7 }, 'weights.index'],
    ['does not exist', { a: 'three.safetensors' }, 'weights.open'],
    ['lacks the tensor', { a: 'two.safetensors' }, 'weights.index'],
  ])('is refused when a named file %s', (what, map, code) => {
    expect(codeOf(() => openWeightDirectory(shards(`bad ${what}`, { weight_map: map })))).toBe(code);
  });

  it('is refused when the index has no map', () => {
    expect(codeOf(() => openWeightDirectory(shards('no map', [])))).toBe('weights.index');
  });
});

describe('the safetensors writer', () => {
  it('writes what the reader gives back', () => {
    const path = join(directory, 'written.safetensors');
    const values = Float32Array.of(1, -0.5, 3.25, 1e-3, 65504, -7);
    writeSafetensors(path, [
      createWeight('odd', [3], 'bf16', float32ToBfloat16(values.subarray(0, 3))),
      createWeight('x.weight', [2, 3], 'f32', values),
    ]);
    const weights = openWeightFile(path);
    expect(weights.floats('x.weight', [2, 3])).toEqual(values);
    expect([...weights.floats('odd', [3])]).toEqual([1, -0.5, 3.25]);
    weights.close();
  });

  it('rounds to bfloat16 as IEEE asks: nearest, ties to even, NaN stays NaN', () => {
    const bits = float32ToBfloat16(
      Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, Number.NaN),
    );
    const values = bfloat16ToFloat32(bits);
    expect([...values.subarray(0, 3)]).toEqual([1, 1 + 2 ** -6, 1 + 2 ** -7]);
    expect(values[3]).toBeNaN();
  });

  it('expands every kind of float16', () => {
    const values = float16ToFloat32(Uint16Array.of(0x7bff, 0xfc00, 0x7e00, 0x8000, 0x03ff));
    expect([...values]).toEqual([65504, Number.NEGATIVE_INFINITY, Number.NaN, -0, 1023 * 2 ** -24]);
  });
});
