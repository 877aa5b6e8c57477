import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../cli/sim/html-report.ts';
import { jsonReport } from '../../cli/sim/json-report.ts';
import { readScenario } from '../../cli/sim/scenario-file.ts';
import { capacityWords, textReport } from '../../cli/sim/text-report.ts';
import { searchCapacity } from '../../sim/capacity.ts';
import { type Point, runExperiment } from '../../sim/experiments.ts';
import { NETWORK_PROFILES } from '../../sim/networks/profiles.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario, withSetting } from '../../sim/scenarios/schema.ts';

const small = {
  name: 'small',
  durationS: 40,
  warmUpS: 5,
  load: { sessions: 3 },
  engine: {
    law: 'linear',
    languageModel: { stepMs: 8, perPrefillPositionMs: 0.1 },
    ganDecoder: { stepMs: 2 },
  },
  people: { bargeIn: 0.3 },
};
const once = (content: unknown, seed = '7') => runExperiment(content, { seed, replications: 1 });

describe('a simulated run', () => {
  let points: Point[];
  beforeAll(async () => {
    points = await once(small);
  });

  it('takes a step of the audio encoder for each vector, however short the packets are', async () => {
    const jobsAt = async (packetMs: number) => {
      const content = { ...small, durationS: 20, warmUpS: 0, load: { sessions: 1 } };
      const transport = { kind: 'websocket', packetMs };
      const { devices } = await runScenario(parseScenario({ ...content, transport, network: 'lab' }), 7);
      const kinds = devices.flatMap(device => device.kinds);
      return kinds.find(({ label }) => label === 'audio encoding')!.jobs;
    };
    const jobs = await jobsAt(20);
    expect(jobs).toBeGreaterThan(20);
    expect(jobs).toBeLessThan(1.3 * (await jobsAt(80)));
  });

  it('answers turns, and each turn’s account adds up to what the ear waited for', () => {
    const { turns } = points[0].runs[0];
    expect(turns.length).toBeGreaterThan(5);
    for (const { entries, firstAudioMs } of turns) {
      expect(entries.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(firstAudioMs, 6);
    }
  });

  it('does not answer before the endpoint silence and the network have passed', () => {
    for (const { firstAudioMs } of points[0].runs[0].turns)
      expect(firstAudioMs).toBeGreaterThan(650 + 2 * 20);
  });

  it('fails no session and loses no barge-in', () => {
    const { counts, bargeIns } = points[0].runs[0];
    expect(counts.failed).toBe(0);
    for (const { silenceMs } of bargeIns) if (silenceMs !== null) expect(silenceMs).toBeGreaterThan(0);
  });

  it('hears packets of a second as speech that goes on, not as audio that has stopped coming', async () => {
    const long = { kind: 'websocket', packetMs: 1000 };
    const people = { talkPerPauseS: 0, bargeIn: 0, noisesPerMinute: 0, backchannelsPerMinute: 0 };
    const calm = { ...small, durationS: 120, people: { ...people, talkS: { median: 4, sigma: 0 } } };
    const [{ runs }] = await once({ ...calm, transport: long, network: 'wifi-congested' });
    const { counts, turns } = runs[0];
    expect(turns.length).toBeGreaterThan(10);
    expect(counts.falseEndpoints).toBe(0);
    // Nobody learns of a silence before its packet: half a second more on the average.
    const mean = turns.reduce((sum, { firstAudioMs }) => sum + firstAudioMs, 0) / turns.length;
    expect(mean).toBeGreaterThan(650 + 300);
    expect(mean).toBeLessThan(650 + 1000 + 300);
  });

  it('is byte for byte the same for the same seed, and another for another', async () => {
    const first = jsonReport(points, null);
    expect(jsonReport(await once(small), null)).toBe(first);
    expect(jsonReport(await once(small, '8'), null)).not.toBe(first);
  });

  it('prints n and an interval with each figure, as text and as one self-contained page', () => {
    expect(textReport(points, null)).toMatch(/first audio p50 +\d+\.\d ms {2}\[.*\] {2}n \d+/);
    const page = htmlReport(points, null);
    expect(page).toContain('class="waterfall"');
    expect(page).toMatch(/left after it/);
    expect(page).not.toMatch(/(src|href)=/);
  });
});

describe('the world’s causes have their effects', () => {
  it('with speculation the answer leaves at the endpoint, without it later', async () => {
    const slow = {
      ...small,
      engine: { ...small.engine, languageModel: { stepMs: 60 } },
      load: { sessions: 1 },
    };
    const [withIt] = await once({ ...slow, turnTaking: { speculateSilenceMs: 200 } });
    const [without] = await once({ ...slow, turnTaking: { speculateSilenceMs: 650 } });
    expect(withIt.summary.afterEndpointMs.p50.value).toBeLessThan(10);
    // Five steps before the first sound (docs/spec/model.md §1.9).
    expect(without.summary.afterEndpointMs.p50.value).toBeGreaterThan(5 * 60);
  });

  it('a longer endpoint silence cuts into fewer pauses and answers later', async () => {
    const people = { talkPerPauseS: 1, talkS: { median: 4, sigma: 0.5 } };
    const sweep = { path: 'turnTaking.endpointSilenceMs', values: [300, 1000] };
    const [short, long] = await once({ ...small, people, sweep, durationS: 60 });
    expect(short.summary.pausesTakenForTheEnd.value).toBeGreaterThan(long.summary.pausesTakenForTheEnd.value);
    expect(short.summary.firstAudioMs.p50.value).toBeLessThan(long.summary.firstAudioMs.p50.value);
  });

  it('capacity is what the search finds: that many meet the goal, one more does not', async () => {
    const engine = { law: 'linear', languageModel: { stepMs: 5, perDecodeMs: 18 } };
    const turnTaking = { speculateSilenceMs: 650 };
    const capacity = { firstAudioMs: 1150, mostSessions: 8 };
    const content = { ...small, durationS: 30, engine, turnTaking, capacity };
    const result = (await searchCapacity(content, { seed: '1', replications: 1 }))!;
    const met = new Map(
      result.tried.map(({ sessions, firstAudioMs }) => [sessions, firstAudioMs.value <= 1150]),
    );
    if (result.sessions > 0) expect(met.get(result.sessions)).toBe(true);
    if (result.sessions < 8) expect(met.get(result.sessions + 1)).toBe(false);
    // Of some thirty turns a p95 has no bounds, so that the answer has none either.
    expect(result.tried.every(({ firstAudioMs }) => firstAudioMs.interval === null)).toBe(true);
    expect(result.interval).toBeNull();
    expect(capacityWords(result)).toBe(`${result.sessions} [n too small]`);
  });
});

it('a capacity that memory bounds is found, with the reason', async () => {
  const engine = { law: 'linear', cachePositions: 3500, reservedPositions: 1000 };
  const capacity = { firstAudioMs: 5000, mostSessions: 8 };
  const content = { ...small, durationS: 25, engine, capacity };
  const result = (await searchCapacity(content, { seed: '1', replications: 2 }))!;
  expect(result).toMatchObject({ sessions: 3, isCeiling: false, replications: 2 });
  expect(result.reason).toMatch(/refused/);
});

it('a goal that no engine can meet is said to be one, and a ceiling is no answer', async () => {
  const content = { ...small, durationS: 25, load: { sessions: 1 } };
  const options = { seed: '1', replications: 1 };
  const never = await searchCapacity(
    { ...content, capacity: { firstAudioMs: 300, mostSessions: 4 } },
    options,
  );
  expect(never).toMatchObject({ sessions: 0, interval: [0, 0] });
  expect(never!.reason).toMatch(/more than the goal whatever the engine does/);
  const easy = await searchCapacity(
    { ...content, capacity: { firstAudioMs: 9000, mostSessions: 2 } },
    options,
  );
  expect(easy).toMatchObject({ sessions: 2, isCeiling: true });
});

describe('scenarios', () => {
  const directory = new URL('../../sim/scenarios/', import.meta.url);
  const files = readdirSync(directory).filter(file => /^(?!training-).*\.yaml$/.test(file));

  it.each(files)('%s is valid and says what to look for', file => {
    const scenario = parseScenario(readScenario(new URL(file, directory).pathname, []));
    expect(scenario.about).toMatch(/Look for/);
  });

  it('take one setting of a named network and keep the rest of it', () => {
    const given = { ...small, network: 'wifi' };
    const { network } = parseScenario(withSetting(given, 'network.loss', 0.2));
    expect(network).toEqual({ ...NETWORK_PROFILES.wifi, profile: 'wifi', loss: 0.2 });
    const { network: first } = parseScenario(withSetting(small, 'network.baseMs', 7));
    expect(first).toMatchObject({ ...NETWORK_PROFILES.fibre, baseMs: 7 });
  });

  it('are refused with the setting and its value', () => {
    expect(() => parseScenario({ ...small, people: { bargeIn: 7 } })).toThrow(/people\.bargeIn/);
    expect(() => parseScenario({ ...small, colour: 'red' })).toThrow(/colour/);
    expect(() => parseScenario({ ...small, warmUpS: 40 })).toThrow(/warm-up/);
  });

  it('of a SIP call are those of RTP with the lead of the telephone door', async () => {
    const turns = async (transport: object) =>
      (await runScenario(parseScenario({ ...small, durationS: 16, transport }), 1)).turns;
    const sip = await turns({ kind: 'sip' });
    expect(sip.length).toBeGreaterThan(0);
    expect(sip).toEqual(await turns({ kind: 'rtp', leadMs: 60 }));
    expect(await turns({ kind: 'live' })).not.toEqual(sip);
  });

  it('run from the command line with one setting changed', async () => {
    const args = ['cli/longcat-rt.js', 'sim', 'sim/scenarios/nano-laptop.yaml', '--json'];
    const changes = ['--set', 'durationS=25', '--set', 'warmUpS=2', '--set', 'load.sessions=1'];
    const { stdout } = await promisify(execFile)('node', [...args, ...changes]);
    expect(JSON.parse(stdout).points[0].runs[0].toMs).toBe(25_000);
  });
});
