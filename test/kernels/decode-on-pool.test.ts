import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { type LanguageModel, loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { loadAddon, type NativeAddon } from '../../kernels/native/addon.ts';
import { nativeOps } from '../../kernels/native/native-ops.ts';

const addon = loadAddon();
const SESSIONS = [1, 15, 16, 17, 40];
const directory = mkdtempSync(join(tmpdir(), 'longcat-decode-'));
afterAll(() => rmSync(directory, { recursive: true }));

function callsOnPool(of: NativeAddon): number {
  const counts = new Float64Array(2);
  of.poolCounts(counts);
  return counts[0];
}

/**
 * Contexts of different lengths, then one step of all of them: what was sampled, and every layer's routing to the last
 * bit.
 */
function steps(model: LanguageModel, sessions: number): unknown[] {
  const seen: unknown[] = [];
  const batch = Array.from({ length: sessions }, (_, n) => {
    const sequence = model.open();
    const length = 5 + ((n * 37) % 60);
    const prompt = {
      textIds: Int32Array.from({ length }, (_, i) => 200 + ((i * (n + 1)) % 700)),
      codes: new Int32Array(4 * length).fill(3),
      features: new Float32Array(0),
    };
    model.step([{ sequence, positions: prompt }]);
    const codes = Int32Array.of(50 + (n % 60), 40 + (n % 8), 41 + (n % 7), 42 + (n % 5));
    return {
      sequence,
      positions: {
        textIds: Int32Array.of(300 + n),
        codes,
        features: new Float32Array(0),
        rule: 'decode' as const,
      },
      sample: {
        speech: n % 5 !== 4,
        codeHistories: [0, 1, 2, 3].map(head =>
          Int32Array.from({ length: 30 }, (_, i) => 40 + head + (n % 5) + i),
        ),
        textHistory: new Int32Array(0),
        temperature: 1,
        topK: 1,
        topP: 1,
        repetitionPenalty: 1,
        draw: 0,
      },
    };
  });
  const answers = model.step(batch, {
    routing: (layer, { indices, weights }) => seen.push(layer, indices.slice(), weights.slice()),
  });
  for (const { sequence } of batch) model.close(sequence);
  return [...seen, answers];
}

describe.skipIf(typeof addon === 'string')('a decode step on the pool of threads', () => {
  it('gives the bytes of one thread, whatever the number of threads and sessions', () => {
    const native = addon as NativeAddon;
    writeSeededCheckpoint(directory, { seed: 1 });
    const model = loadLanguageModel(directory, nativeOps(native));
    const all = () => SESSIONS.map(sessions => steps(model, sessions));
    const alone = all();
    expect(callsOnPool(native)).toBe(0);
    for (const threads of [2, 3]) {
      native.growPool(threads);
      const before = callsOnPool(native);
      for (let again = 0; again < 3; again++) expect(all()).toEqual(alone);
      // Eight attentions, eight dense networks, four mixtures and the code heads of each step above one group of rows.
      expect(callsOnPool(native) - before).toBeGreaterThanOrEqual(3 * 4 * 21);
    }
  });
});
