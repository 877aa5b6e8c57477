/** Two scenarios with the same random numbers: what differs is what was changed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { figuresCsv, turnsCsv } from '../../cli/sim/csv-report.ts';
import { compareScenarios } from '../../sim/compare.ts';
import { runExperiment } from '../../sim/experiments.ts';
import { withSetting } from '../../sim/scenarios/schema.ts';

const content = {
  name: 'small',
  durationS: 40,
  warmUpS: 5,
  load: { sessions: 3 },
  network: { profile: 'wifi-congested' },
  transport: { kind: 'websocket', packetMs: 40 },
  engine: { law: 'linear', languageModel: { stepMs: 8 }, ganDecoder: { stepMs: 2 } },
};
const OPTIONS = { seed: '3', replications: 5 };
const figure = (of: Awaited<ReturnType<typeof compareScenarios>>, name: string) =>
  of.figures.find(row => row.figure === name)!;

describe('a paired comparison', () => {
  it('of a scenario with itself finds no difference at all', async () => {
    const same = await compareScenarios(content, content, OPTIONS);
    expect(same.figures.length).toBeGreaterThan(5);
    for (const { difference } of same.figures) expect(difference.value).toBe(0);
  });

  it('finds what was changed, between closer bounds than unpaired runs would have', async () => {
    const slower = withSetting(content, 'engine.ganDecoder.stepMs', 12);
    const late = withSetting(slower, 'turnTaking.speculateSilenceMs', 650);
    const early = withSetting(content, 'turnTaking.speculateSilenceMs', 650);
    const compared = figure(await compareScenarios(early, late, OPTIONS), 'first audio p50');
    const [low, high] = compared.difference.interval!;
    expect(low).toBeGreaterThan(3);
    expect(high).toBeLessThan(120);
    expect(compared.pairingGain!).toBeGreaterThan(1);
  });
});

it('options behind a command of sim are its own, though sim has some of the same name', async () => {
  const run = (...args: string[]) => promisify(execFile)('node', ['cli/longcat-rt.js', 'sim', ...args]);
  const file = 'sim/scenarios/nano-laptop.yaml';
  const small = ['--set', 'durationS=15', '--set', 'warmUpS=2', '--set', 'load.sessions=1'];
  const change = ['--set-b', 'engine.ganDecoder.stepMs=9', '--replications', '2', '--seed', '7', '--json'];
  const { stdout } = await run('compare', file, ...small, ...change);
  const { figures, replications, seed } = JSON.parse(stdout);
  expect([replications, seed]).toEqual([2, '7']);
  expect(figures.length).toBeGreaterThan(3);
  expect(JSON.parse((await run('validate', '--json')).stdout).length).toBeGreaterThan(3);
});

it('tables are what was simulated, a line each', async () => {
  const points = await runExperiment(content, { seed: '1', replications: 1 });
  const [head, ...lines] = turnsCsv(points).trimEnd().split('\r\n');
  expect(lines).toHaveLength(points[0].runs[0].turns.length);
  const columns = head.split(',');
  for (const line of lines) {
    const cells = line.split(',');
    expect(cells).toHaveLength(columns.length);
    const first = Number(cells[columns.indexOf('first_audio_ms')]);
    const causes = cells.slice(columns.indexOf('interrupted') + 1).map(Number);
    expect(causes.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(first, 2);
  }
  const rows = figuresCsv(points).trimEnd().split('\r\n');
  expect(rows.find(row => row.includes('firstAudioMs p50'))).toMatch(/^,firstAudioMs p50,\d+,\d/);
});
