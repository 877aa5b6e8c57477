/** What a turn's account says: closed, never negative, each cause its own (docs/spec/latency-data.md §6). */
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../sim/results.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const ENGINE = { law: 'linear', languageModel: { stepMs: 8 }, ganDecoder: { stepMs: 2 } };
const BASE = { name: 'accounts', durationS: 100, warmUpS: 10, load: { sessions: 4 }, engine: ENGINE };

const simulate = (content: object) => runScenario(parseScenario({ ...BASE, ...content }), 3);
const meanOf = ({ turns }: RunResult, cause: string) =>
  turns.reduce((sum, { entries }) => sum + (entries.find(entry => entry.cause === cause)?.ms ?? 0), 0) /
  turns.length;

describe.each([
  ['rtp', 0],
  ['rtp', 0.1],
  ['websocket', 0.1],
  ['carrier', 0.02],
])('over %s with %d lost', (kind, loss) => {
  const people = { noisesPerMinute: 4, backchannelsPerMinute: 6, bargeIn: 0.4 };
  let run: RunResult;
  beforeAll(async () => {
    run = await simulate({ transport: { kind }, network: { baseMs: 15, jitterMs: 8, loss }, people });
  });

  it('accounts are closed, no cause is negative, and no way through the network is longer than it can be', () => {
    expect(run.turns.length).toBeGreaterThan(20);
    for (const { entries, firstAudioMs } of run.turns) {
      expect(entries.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(firstAudioMs, 6);
      for (const { cause, ms } of entries) {
        expect(ms, cause).toBeGreaterThan(0);
        // Capture or render 35, base 15, jitter and retransmissions or a buffer of some packets.
        if (cause === 'uplink' || cause === 'downlink') expect(ms, cause).toBeLessThan(700);
      }
    }
  });

  it('counts are of the window alone', () => {
    const { counts, said, turns } = run;
    expect(counts.userTurns).toBe(said.length);
    for (const { atMs } of [...said, ...turns]) expect(atMs).toBeGreaterThanOrEqual(run.fromMs);
    expect(counts.falseEndpoints).toBeLessThanOrEqual(counts.endpoints);
  });
});

it('noise after the last word is noise, not the network', async () => {
  const network = { baseMs: 10 };
  const calm = { noisesPerMinute: 0, backchannelsPerMinute: 0, bargeIn: 0 };
  const [quiet, noisy] = [
    await simulate({ network, people: calm }),
    await simulate({ network, people: { ...calm, noisesPerMinute: 6 } }),
  ];
  expect(meanOf(quiet, 'noise')).toBe(0);
  expect(meanOf(noisy, 'noise')).toBeGreaterThan(20);
  expect(Math.abs(meanOf(noisy, 'uplink') - meanOf(quiet, 'uplink'))).toBeLessThan(12);
});

describe('from a barge-in to silence', () => {
  const storm = { people: { bargeIn: 0.9, backchannelsPerMinute: 0, noisesPerMinute: 0 } };
  const silence = async (kind: string, ends: { captureMs?: number; renderMs?: number; baseMs?: number }) => {
    const network = { baseMs: 10, captureMs: 20, renderMs: 0, ...ends };
    const run = await simulate({ ...storm, network, transport: { kind } });
    const silences = run.bargeIns.flatMap(({ silenceMs }) => (silenceMs === null ? [] : [silenceMs]));
    expect(silences.length).toBeGreaterThan(10);
    silences.sort((a, b) => a - b);
    expect(silences[0], 'whoever begins after the agent has ended interrupts nobody').toBeGreaterThanOrEqual(
      0,
    );
    return silences[Math.floor(silences.length / 2)];
  };

  it.each(['rtp', 'live', 'websocket', 'carrier'])('every delay on the way counts, over %s', async kind => {
    const least = await silence(kind, {});
    expect(Math.abs((await silence(kind, { renderMs: 100 })) - least - 100)).toBeLessThan(8);
    expect(Math.abs((await silence(kind, { captureMs: 80 })) - least - 60)).toBeLessThan(12);
    expect(await silence(kind, { baseMs: 50 })).toBeGreaterThan(least + 55);
  });
});

describe('what is lost', () => {
  const lossy = (kind: string, loss: number) =>
    simulate({
      durationS: 160,
      transport: { kind },
      network: { baseMs: 20, jitterMs: 3, loss, meanBurst: 2 },
      people: { talkS: { median: 3, sigma: 0.5 }, noisesPerMinute: 0, backchannelsPerMinute: 0, bargeIn: 0 },
    });
  const median = ({ turns }: RunResult) =>
    turns.map(turn => turn.firstAudioMs).sort((a, b) => a - b)[Math.floor(turns.length / 2)];

  it('makes no answer come sooner, and people say it again', async () => {
    const [clean, bad] = [await lossy('rtp', 0), await lossy('rtp', 0.15)];
    expect(median(bad)).toBeGreaterThan(median(clean) - 3);
    expect(clean.counts.notUnderstood).toBe(0);
    expect(bad.counts.notUnderstood).toBeGreaterThan(3);
    const opinionOf = ({ listening }: RunResult) =>
      listening.reduce((sum, { opinion }) => sum + opinion, 0) / listening.length;
    expect(opinionOf(bad)).toBeLessThan(opinionOf(clean) - 1);
    expect(bad.counts.stutters).toBeGreaterThan(clean.counts.stutters);
  });

  it('costs time where it is sent again', async () => {
    expect(median(await lossy('websocket', 0.15))).toBeGreaterThan(median(await lossy('websocket', 0)) + 10);
  });
});
