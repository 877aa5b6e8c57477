/**
 * `npm run bench -- long-context [--lengths 1024,…] [--heads 64]`: one step of one session through an attention of the
 * real model's shape (docs/spec/model.md §1.3) behind contexts of up to its 131,072 positions, by how the cache is
 * held, beside what the same core reads of memory (cache and kv_b) and multiplies and adds. The cache is filled with
 * noise: what stands in it costs nothing else. One thread, its own CPU time.
 */
import { Command } from 'commander';
import { cacheTypeFor, LatentCache } from '../kernels/components/language-model/latent-cache.ts';
import { int8RowElements } from '../kernels/latent-attention/int8-rows.ts';
import type { CachePage } from '../kernels/latent-attention/index.ts';
import { loadAddon } from '../kernels/native/addon.ts';
import { nativeOps } from '../kernels/native/native-ops.ts';
import { type CacheType, hostMemory } from '../kernels/tensor-memory.ts';
import { createWeight, float32ToBfloat16 } from '../kernels/weights/index.ts';
import { measure, showTime } from './kernels/measure.ts';
import { printTable } from './kernels/table.ts';

const [NOPE, ROPE, VALUE, RANK] = [128, 64, 128, 512];
const WIDTH = RANK + ROPE;
const TYPES = ['f32', 'bf16', 'int8'] as const;
const SPIN_ROUNDS = 200_000;
const BUFFER_FLOATS = 48 << 20;
const ROUNDS = 7;
/** Positions of a speculation that is given up, and how often. */
const [ROLLED_BACK, ROLLBACKS] = [100, 50];

const { lengths, heads } = new Command('long-context')
  .option(
    '--lengths <n,…>',
    'positions of the context',
    (list: string) => list.split(',').map(Number),
    [1024, 4096, 16_384, 65_536, 131_072],
  )
  .option('--heads <n>', "of the attention; the real model's are 64", Number, 64)
  .parse()
  .opts<{ lengths: number[]; heads: number }>();
const addon = loadAddon();
if (typeof addon === 'string') {
  console.error(`No native kernels: ${addon}.`);
  process.exit(1);
}
const { latentAttention } = nativeOps(addon);

let state = 1;
const noise = (length: number): Float32Array =>
  Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });

/** A page's bytes as a model would leave them: numbers of the order of one. */
const PAGE = noise(32 * WIDTH);
function fill(page: CachePage): CachePage {
  if (page instanceof Float32Array) page.set(PAGE.subarray(0, page.length));
  else if (page instanceof Uint16Array) page.set(float32ToBfloat16(PAGE));
  else {
    const scales = new DataView(page.buffer);
    for (let at = 0; at < page.length; at += int8RowElements(WIDTH)) {
      for (let i = 0; i < WIDTH; i++) page[at + i] = (i * 37) % 255;
      for (const behind of [0, 4]) scales.setFloat32(at + WIDTH + behind, 1 / 127, true);
    }
  }
  return page;
}

interface Case {
  readonly type: CacheType;
  readonly bytes: number;
  readonly step: () => void;
  readonly rollBackUs: number;
}

const attention = latentAttention(
  createWeight(
    'expansion',
    [heads * (NOPE + VALUE), RANK],
    'bf16',
    float32ToBfloat16(noise(heads * (NOPE + VALUE) * RANK).map(value => value / 10)),
  ),
  { heads, nope: NOPE, rope: ROPE, value: VALUE, rank: RANK },
);
/** Keys and values of all heads, in float32; read once a step whatever the context. */
const EXPANSION_BYTES = 4 * heads * (NOPE + VALUE) * RANK;
const q = noise(heads * (NOPE + ROPE));
const out = new Float32Array(heads * VALUE);

function caseOf(type: CacheType, length: number): Case {
  const memory = { makePage: (of: CacheType, elements: number) => fill(hostMemory.makePage(of, elements)) };
  const cache = new LatentCache(1, WIDTH, length, type, memory);
  const sequence = cache.openSequence();
  sequence.reserve(length);
  sequence.setLength(length - 1);
  sequence.reserve(1);
  const { pages, start } = sequence.nextRows(1);
  const plane = { pages, pageRows: 32, offset: 0 };
  const rolledBack = () => {
    const before = performance.now();
    for (let i = 0; i < ROLLBACKS; i++) {
      sequence.setLength(length - ROLLED_BACK);
      sequence.reserve(ROLLED_BACK);
      sequence.setLength(length - 1);
    }
    return (1000 * (performance.now() - before)) / ROLLBACKS;
  };
  const rollBackUs = Math.min(...Array.from({ length: 20 }, rolledBack));
  sequence.reserve(1);
  return {
    type,
    bytes: length * cache.rowElements * { f32: 4, bf16: 2, int8: 1 }[type] + EXPANSION_BYTES,
    step: () => void attention.apply(q, [{ rows: 1, start, plane }], out),
    rollBackUs,
  };
}

const buffer = new Float32Array(BUFFER_FLOATS).fill(1);
console.log(
  `level ${addon.level}, ${heads} heads; the real model's cache is in ${cacheTypeFor(56, WIDTH, 131_072)} unless told otherwise\n`,
);
const table: string[][] = [];
for (const length of lengths) {
  const cases = TYPES.map(type => caseOf(type, length));
  let operations = 0;
  const limits = [
    () => void (operations = addon.spinMultiplyAdds(SPIN_ROUNDS)),
    () => void addon.readMemory(buffer),
  ];
  const [spin, read, ...times] = measure([...limits, ...cases.map(({ step }) => step)], ROUNDS);
  // Queries into the latent space and out of it, scores, and sums.
  const work = 2 * heads * (length * (WIDTH + RANK) + RANK * (NOPE + VALUE));
  cases.forEach(({ type, bytes, rollBackUs }, c) => {
    const { median } = times[c];
    const [reading, computing] = [
      (bytes / buffer.byteLength) * read.median,
      (work / operations) * spin.median,
    ];
    table.push([
      `${length}`,
      type,
      `${(bytes / 2 ** 20).toFixed(1)} MiB`,
      showTime(times[c]),
      `${reading.toFixed(3)} ms`,
      `${computing.toFixed(3)} ms`,
      `${(median / Math.max(reading, computing)).toFixed(2)} ×`,
      `${rollBackUs.toFixed(2)} µs`,
    ]);
  });
}
printTable(
  [
    'positions',
    'cache',
    'cache and kv_b',
    'step',
    'to read it',
    'multiply-adds',
    'of the larger',
    'rollback',
  ],
  table,
);
