import { existsSync, readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ADDON_PATHS, loadAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';
import { createWeight } from '../../kernels/weights/index.ts';

const addon = loadAddon();
const MILLION = 1_000_000;
const MEGABYTE = 1 << 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function residentMegabytes(): Promise<number> {
  // Finalizers of handles run after the collection that found them.
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise(resolve => setImmediate(resolve));
  }
  return process.memoryUsage().rss / MEGABYTE;
}

describe.skipIf(typeof addon === 'string')('native memory', () => {
  const ops = typeof addon === 'string' ? null! : nativeOps(addon);
  /** The same weights are in memory once (below), so they differ. */
  let last = 0;
  const weight = (outputs: number, inputs: number, value = ++last / 1000) =>
    createWeight('w', [outputs, inputs], 'f32', new Float32Array(outputs * inputs).fill(value));

  it('does not grow over a million steps', async () => {
    const linear = ops.linear(weight(16, 16), null);
    const gain = new Float32Array(16).fill(1);
    const x = new Float32Array(16).fill(0.5);
    const out = new Float32Array(16);
    const steps = (count: number) => {
      for (let i = 0; i < count; i++) ops.rmsNorm(linear.apply(x, 1), 1, gain, 1e-5, out);
    };
    steps(MILLION / 10);
    const before = await residentMegabytes();
    steps(MILLION);
    expect((await residentMegabytes()) - before).toBeLessThan(24);
  });

  it('is used again when what was prepared is dropped', async () => {
    // The allocator may keep what is freed; a leak would go on growing, by 125 MB a round.
    const round = async () => {
      for (let i = 0; i < 500; i++) ops.linear(weight(256, 256), null);
      return residentMegabytes();
    };
    for (let i = 0; i < 3; i++) await round();
    const before = await round();
    let after = before;
    for (let i = 0; i < 8; i++) after = await round();
    expect(after - before).toBeLessThan(400); // Of 1000.
  });

  it('holds the same weights once, whoever loads them, until nobody does', async () => {
    const counts = Float64Array.of(0, 0);
    const pieces = () => {
      (addon as Exclude<typeof addon, string>).sharedWeights(counts);
      return counts[0];
    };
    await residentMegabytes();
    const before = pieces();
    const held = [7, 7, 8, 7].map(value => ops.linear(weight(64, 64, value), null));
    held.push(ops.linear(weight(64, 96, 7), null));
    expect(pieces() - before).toBe(3);
    expect(held.map(linear => linear.apply(new Float32Array(96).fill(1), 1)[63])).toEqual([
      ...[448, 448, 512, 448],
      672,
    ]);
    held.splice(0, 2);
    await residentMegabytes();
    expect(pieces() - before).toBe(3);
    held.length = 0;
    await residentMegabytes();
    expect(pieces() - before).toBe(0);
  });

  it('does not grow over many exchanges with ranks, whose threads end with them', async () => {
    const expert = { gate: weight(16, 16), up: weight(16, 16), down: weight(16, 16) };
    const routing = { topK: 2, indices: Int32Array.of(0, 1), weights: Float32Array.of(0.5, 0.5) };
    const x = new Float32Array(16).fill(0.5);
    const exchange = (count: number) => {
      const ranked = ops.expertRanks(2).prepare([expert, expert], 16, Int32Array.of(0, 1));
      for (let i = 0; i < count; i++) ranked.dispatch(x, 1, routing).combine();
    };
    const threads = () => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0);
    exchange(2000);
    const before = await residentMegabytes();
    const threadsBefore = threads();
    exchange(20_000);
    for (let i = 0; i < 50; i++) exchange(1);
    expect((await residentMegabytes()) - before).toBeLessThan(24);
    expect(threads()).toBeLessThan(threadsBefore + 10); // Of 100.
  });

  it('serves several threads at once, and their ends', async () => {
    const source = `
      const { parentPort } = require('node:worker_threads');
      const addon = require(${JSON.stringify(ADDON_PATHS.find(path => existsSync(path)))});
      const matrix = addon.packMatrix(new Float32Array(4096).fill(0.5), null, 64, 64);
      const out = new Float32Array(64);
      for (let i = 0; i < 20000; i++) addon.multiply(matrix, new Float32Array(64).fill(1), 1, out);
      parentPort.postMessage(out[63]);
    `;
    const results = Array.from({ length: 3 }, () => {
      const worker = new Worker(source, { eval: true });
      return new Promise((resolve, reject) => {
        let answer: unknown;
        worker.once('message', value => {
          answer = value;
        });
        worker.once('error', reject);
        worker.once('exit', () => resolve(answer));
      });
    });
    expect(await Promise.all(results)).toEqual([32, 32, 32]);
  });
});
