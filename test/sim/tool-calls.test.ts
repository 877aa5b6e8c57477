/** Replies that need a tool first: what it costs, what speculation saves of it, and who pays for it in the account. */
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../sim/results.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const TOOL_MS = 500;
const run = (tools?: object, change: object = {}) =>
  runScenario(
    parseScenario({
      ...{ name: 'tools', durationS: 25, warmUpS: 2, load: { sessions: 3 } },
      people: { noisesPerMinute: 0, bargeIn: 0, talkPerPauseS: 0 },
      transport: { kind: 'websocket', packetMs: 100 },
      engine: { law: 'linear', languageModel: { stepMs: 4 } },
      ...(tools && { tools: { takesS: { median: TOOL_MS / 1000, sigma: 0 }, ...tools } }),
      ...change,
    }),
    1,
  );
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const firstAudio = ({ turns }: RunResult) => median(turns.map(({ firstAudioMs }) => firstAudioMs));
const spent = ({ turns }: RunResult, cause: string) =>
  turns.map(({ entries }) => entries.reduce((sum, each) => sum + (each.cause === cause ? each.ms : 0), 0));

describe('a tool', () => {
  it('with an effect runs from the endpoint on, and the time that it takes is its own', async () => {
    const [plain, world] = [await run(), await run({ share: 1, effect: 'world' })];
    expect(plain.tool).toBeUndefined();
    for (const ms of spent(world, 'tool')) expect(ms).toBeCloseTo(TOOL_MS, 3);
    for (const { entries, firstAudioMs } of world.turns)
      expect(entries.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(firstAudioMs, 6);
    const later = firstAudio(world) - firstAudio(plain);
    expect(later).toBeGreaterThan(TOOL_MS);
    expect(later).toBeLessThan(TOOL_MS + 150);
    expect(world.tool!.runs).toBeGreaterThanOrEqual(world.turns.length);
    expect(world.tool!.aborted).toBe(0);
  });

  it('without an effect has begun before, which saves what of it lies in the silence', async () => {
    const [free, world] = [await run({ share: 1 }), await run({ share: 1, effect: 'world' })];
    const saved = firstAudio(world) - firstAudio(free);
    // Speech ends 450 ms before the endpoint as far as speculation goes; writing the call takes a hundred of them.
    expect(saved).toBeGreaterThan(250);
    expect(saved).toBeLessThan(450);
  });

  it('that takes long is not waited for in silence where something is said first', async () => {
    const slow = { share: 1, effect: 'world', takesS: { median: 1.5, sigma: 0 }, saysWords: 6 };
    const [plain, filled] = [await run(), await run(slow)];
    // The runtime keeps it back for 400 ms: a result by then need not be waited for aloud.
    expect(firstAudio(filled) - firstAudio(plain)).toBeGreaterThan(300);
    expect(firstAudio(filled) - firstAudio(plain)).toBeLessThan(450);
  });

  it('is needed as often as it is said', async () => {
    const half = await run({ share: 0.5 }, { durationS: 45, load: { sessions: 8 } });
    const called = spent(half, 'tool').filter(ms => ms > 0).length / half.turns.length;
    expect(called).toBeGreaterThan(0.35);
    expect(called).toBeLessThan(0.65);
  });
});
