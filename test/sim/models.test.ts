/** Models as data: what follows from the files is what was published (docs/spec/latency-data.md §2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costLawOf } from '../../sim/engines/build-engine.ts';
import { decodeTable } from '../../sim/engines/decode-table.ts';
import { cachePositions, KvMemory } from '../../sim/engines/memory.ts';
import { activeParameters, cacheBytesPerToken, totalParameters } from '../../sim/engines/model-arithmetic.ts';
import { modelNames, readModel } from '../../sim/models/read-model.ts';
import { runScenario } from '../../sim/run.ts';
import { engineSchema } from '../../sim/scenarios/engine-schema.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const decodeMs = (engine: object, decodes: number, context = 1000) =>
  costLawOf(engineSchema.parse({ law: 'cluster', ...engine })).languageModel({
    decodes,
    decodeContext: decodes * context,
    prefillPositions: 0,
    prefillContext: 0,
  }).decodeMs;

describe('the models', () => {
  it.each([
    ['longcat-flash-omni', 560.5, 27],
    ['deepseek-v3', 671, 37],
    ['qwen3-omni-30b', 30.5, 3],
    ['moshi', 6.9, 6.8],
    ['cascade', 8, 7.5],
  ])('%s has %d B parameters, %d of them at work on a token', (name, total, active) => {
    const model = readModel(name);
    expect(Math.abs(totalParameters(model) / 1e9 / total - 1)).toBeLessThan(0.02);
    expect(Math.abs(activeParameters(model) / 1e9 / active - 1)).toBeLessThan(0.03);
  });

  it.each(modelNames())('%s holds conversations', async name => {
    const engine = {
      law: 'cluster',
      model: name,
      accelerator: 'H200',
      decodeDevices: 16,
      blockOverheadMs: 0.1,
    };
    const scenario = parseScenario({ name, durationS: 40, warmUpS: 5, load: { sessions: 2 }, engine });
    const { counts, memory, turns } = await runScenario(scenario, 1);
    expect(counts.failed).toBe(0);
    expect(turns.length).toBeGreaterThan(3);
    expect(memory!.mostPositions).toBeGreaterThanOrEqual(2 * 4096);
  });

  it('are refused by name with what there is', () => {
    expect(() => readModel('gpt-9')).toThrow(/no such model/);
  });
});

describe('a step', () => {
  it('that verifies drafted tokens yields them: four steps to the first sound take what was published', () => {
    // docs/spec/latency-data.md §2.2: 114, 58 and 40 ms at 35, 69 and 100 tokens a second for one user.
    const engine = { decodeDevices: 128 };
    for (const [batch, publishedMs] of [
      [108, 114],
      [32, 58],
      [8, 40],
    ])
      expect(Math.abs((4 * decodeMs(engine, batch * 128, 5000)) / publishedMs - 1)).toBeLessThan(0.03);
  });

  it('is shared by as many tokens as are set', () => {
    const ofDraft = (tokens: number, acceptance: number) =>
      decodeMs(
        { decode: 'table', decodeTable: [{ batch: 1, context: 0, ms: 30 }], draft: { tokens, acceptance } },
        4,
      );
    expect(ofDraft(0, 0)).toBeCloseTo(30, 9);
    expect(ofDraft(1, 0.5)).toBeCloseTo(20, 9);
    expect(ofDraft(3, 0.5)).toBeCloseTo(12, 9);
  });

  it('reads more experts on fewer devices, also where it was measured on many', () => {
    for (const decode of ['measured', 'roofline']) {
      const of = (decodeDevices: number) => decodeMs({ decode, decodeDevices }, 8 * decodeDevices);
      // 33.8 GB of experts each on 16 devices, 4.2 GB on 128: 8.8 ms of reading, of which the dense path hides a part.
      expect(1.9 * (of(16) - of(128)), decode).toBeGreaterThan(3);
      expect(1.9 * (of(16) - of(128)), decode).toBeLessThan(9);
    }
  });

  it('from a table is what the table says, and between its rows what lies between', () => {
    const rows = [1, 8, 64].flatMap(batch =>
      [100, 4000].map(context => ({ batch, context, ms: 5 + batch * 0.2 + (batch * context) / 1000 })),
    );
    const ms = decodeTable(rows);
    for (const row of rows) expect(ms(row.batch, row.context)).toBeCloseTo(row.ms, 9);
    expect(ms(8, 2050)).toBeCloseTo((ms(8, 100) + ms(8, 4000)) / 2, 9);
    expect(ms(36, 100)).toBeCloseTo((ms(8, 100) + ms(64, 100)) / 2, 9);
    expect(ms(1000, 9000)).toBeCloseTo(ms(64, 4000), 9);
  });
});

describe('memory', () => {
  const longcat = readModel('longcat-flash-omni');

  it('does not hold 560 billion parameters on a card, and says how many would', () => {
    expect(() => cachePositions(longcat, 'H800', 1)).toThrow(/fit/);
    const remedy = /(\d+) or more/.exec(
      (() => {
        try {
          cachePositions(longcat, 'H800', 1);
          return '';
        } catch (error) {
          return String((error as { remedy?: string }).remedy ?? (error as Error).message);
        }
      })(),
    );
    const enough = Number(remedy?.[1]);
    expect(cachePositions(longcat, 'H800', enough)).toBeGreaterThan(0);
    expect(() => cachePositions(longcat, 'H800', enough - 1)).toThrow();
  });

  it('is never given away twice, whatever the order in which sessions open, grow and close', () => {
    const step = fc.record({
      sequence: fc.nat({ max: 20 }),
      length: fc.nat({ max: 5000 }),
      closes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const memory = new KvMemory(50_000, 1000);
        const lengths = new Map<number, number>();
        for (const { closes, length, sequence } of steps) {
          if (closes) {
            memory.closes(sequence);
            lengths.delete(sequence);
          } else {
            memory.holds(sequence, length);
            lengths.set(sequence, Math.max(1000, length));
          }
          const taken = [...lengths.values()].reduce((sum, each) => sum + each, 0);
          expect(memory.hasRoomBeside(lengths.size)).toBe(taken + 1000 <= 50_000);
          expect(memory.hasRoomBeside(lengths.size + 3)).toBe(taken + 4000 <= 50_000);
          expect(memory.use.mostPositions).toBeGreaterThanOrEqual(taken);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it.each([0, 10])(
    'refuses the calls for which there is no room, and says so after a warm-up of %d s',
    async warmUpS => {
      const engine = { law: 'linear', cachePositions: 3000, reservedPositions: 1000 };
      const content = { name: 'full', durationS: 20, warmUpS, load: { sessions: 5 }, engine };
      const { counts } = await runScenario(parseScenario(content), 1);
      expect(counts).toMatchObject({ calls: 3, refused: 2, refusedForMemory: 2, failed: 0 });
    },
  );

  it('of a context is what is cached of its tokens', () => {
    // Keys and values of 4 heads of 128 numbers in 48 layers, two bytes each.
    expect(cacheBytesPerToken(readModel('qwen3-omni-30b'))).toBe(2 * 4 * 128 * 2 * 48);
    expect(cacheBytesPerToken(longcat)).toBe(64_512);
  });
});
