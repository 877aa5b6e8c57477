import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../cli/config/load.ts';
import { sessionDefaults } from '../../cli/config/session-defaults.ts';
import { readRecording } from '../../cli/replay/recording-files.ts';
import { runReplay } from '../../cli/replay/run-replay.ts';
import { latencyMs } from '../../cli/replay/text-report.ts';
import { keptSettings, whatIf } from '../../cli/replay/what-if.ts';
import { readEngineFile } from '../../cli/sim/engine-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'replay-'));
const recording = join(folder, 'call.recording');

function run(...args: string[]) {
  const options = { encoding: 'utf8', timeout: 120_000 } as const;
  return spawnSync(process.execPath, ['cli/longcat-rt.js', ...args], options);
}

/** Turns that silence alone ends, so that another length of it is all that differs. */
const record = () =>
  run('talk', 'test/fixtures/talk/two-turns.wav', '--turn-preset', 'none', '--record', recording);

beforeAll(() => {
  const { status, stderr } = record();
  expect(stderr).toBe('');
  expect(status).toBe(0);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe('a changed setting', () => {
  /** Two values of each setting that a session depends on; every preset beside every other. */
  const VALUES = {
    turnPreset: ['none', 'fast', 'balanced', 'patient', 'telephone'],
    endpointSilenceMs: [650, 410],
    speculateSilenceMs: [200, 120],
    vadThreshold: [0.5, 0.7],
    prefixPaddingMs: [300, 200],
    truncateAt: ['punctuation', 'sample'],
    maxReplySteps: [512, 64],
    babbleGuard: ['on', 'off'],
    maxTokensPerPicture: [128, 32],
  };
  const pairs = Object.entries(VALUES).flatMap(([name, values]) =>
    values.flatMap(from => values.filter(to => to !== from).map(to => [name, from, to] as const)),
  );

  it.each(pairs)('%s from %s to %s makes the session that a real run would open', (name, from, to) => {
    for (const turnPreset of name === 'turnPreset' ? [undefined] : VALUES.turnPreset) {
      const recorded = { turnPreset, [name]: from };
      const before = loadConfig(recorded, {});
      const { changeSettings, config } = whatIf(keptSettings(before), [{ path: name, value: to }]);
      const real = { ...keptSettings(before), [name]: to };
      if (name !== 'turnPreset') real.turnPreset = config.turnPreset;
      expect(changeSettings(sessionDefaults(before))).toEqual(sessionDefaults(loadConfig(real, {})));
    }
  });

  it('keeps which kernels served a component, and no address of another host', () => {
    const place = ['languageModel=nats://me:hush@host:4222', 'ganDecoder=reference'];
    const kept = keptSettings(loadConfig({ place }, {}));
    expect(kept.place).toEqual(['ganDecoder=reference']);
    expect(whatIf(kept, []).config.place).toEqual(['ganDecoder=reference']);
    const changed = whatIf(kept, [{ path: 'place', value: 'languageModel=reference' }]);
    expect(changed.config.place).toEqual(['languageModel=reference']);
  });

  it('keeps when a name is brought before the model again', () => {
    const kept = keptSettings(loadConfig({ remindAfterShare: 0.25 }, {}));
    expect(whatIf(kept, []).config.remindAfterShare).toBe(0.25);
    expect(whatIf(kept, [{ path: 'remindAfterShare', value: '1' }]).config.remindAfterShare).toBe(1);
  });

  it('leaves a client’s own turn-taking alone', () => {
    const { changeSettings } = whatIf({}, [{ path: 'turnPreset', value: 'fast' }]);
    const manual = { turnDetection: { mode: 'manual' } } as const;
    expect(changeSettings(manual)).toEqual(manual);
    expect(changeSettings({ truncateAt: 'word' })).toEqual({ truncateAt: 'word' });
  });
});

describe('longcat-rt replay', () => {
  it('runs a conversation with the shipped model again to the bit', () => {
    const sound = join(folder, 'agent.wav');
    const { status, stdout } = run('replay', recording, '--json', '--out', sound);
    expect(status).toBe(0);
    const { isBitExact, soundBefore, soundAfter, turns } = JSON.parse(stdout);
    expect([isBitExact, soundAfter]).toEqual([true, soundBefore]);
    expect(turns).toHaveLength(2);
    expect(readFileSync(sound).subarray(0, 4).toString()).toBe('RIFF');
  });

  it('says what an earlier endpoint would have changed, and when first', () => {
    const page = join(folder, 'what-if.html');
    const set = ['--set', 'endpointSilenceMs=400', '--html', page];
    const { status, stdout } = run('replay', recording, '--json', ...set);
    expect(status).toBe(0);
    const { isBitExact, firstDifference, turns } = JSON.parse(stdout);
    expect(isBitExact).toBe(false);
    expect(firstDifference.after).toMatchObject({ type: 'speech.stopped' });
    expect(firstDifference.after.atMs).toBeLessThan(firstDifference.before.atMs);
    // Speculation had the answer ready: it comes as much earlier as the endpoint does, a frame of 20 ms apart at most.
    for (const { latencyMsBefore, latencyMsAfter } of turns) {
      expect(latencyMsBefore - latencyMsAfter).toBeGreaterThanOrEqual(230);
      expect(latencyMsBefore - latencyMsAfter).toBeLessThanOrEqual(270);
    }
    expect(readFileSync(page, 'utf8')).toContain('class="waterfall"');
  });

  it('says what meaning would have changed where silence alone ended the turns', () => {
    const { status, stdout } = run('replay', recording, '--json', '--set', 'turnPreset=balanced');
    expect(status).toBe(0);
    const { isBitExact, turns } = JSON.parse(stdout);
    expect(isBitExact).toBe(false);
    for (const { latencyMsBefore, latencyMsAfter } of turns) expect(latencyMsAfter).not.toBe(latencyMsBefore);
  });

  it('answers both turns under another preset', () => {
    const { status, stdout } = run('replay', recording, '--json', '--set', 'turnPreset=fast');
    expect(status).toBe(0);
    const latencies = JSON.parse(stdout).turns.map((turn: { latencyMsAfter: number }) => turn.latencyMsAfter);
    expect(latencies.filter((ms: number | null) => ms !== null && ms > 200)).toHaveLength(2);
  });

  it('lets a slower engine answer later, with the same words', async () => {
    const costs = join(folder, 'slow.yaml');
    writeFileSync(costs, 'law: linear\nlanguageModel: { stepMs: 120 }\n');
    const call = readRecording(recording);
    const change = whatIf(call.header.config, [{ path: 'costs', value: costs }]);
    const options = { isUnchanged: false, allowsOtherModel: false, onProgress: () => {} };
    const { comparison } = await runReplay(call, change, options);
    const [{ before, after }] = comparison.turns;
    expect(after!.text).toBe(before!.text);
    // The first sound needs four code frames, each a step of 120 ms, after the speculation began at 200 ms.
    expect(latencyMs(after)).toBeGreaterThan(200 + 4 * 120);
  });

  it('refuses bad files, settings and costs with a code', () => {
    const bytes = readFileSync(recording);
    const torn = join(folder, 'torn.recording');
    writeFileSync(torn, bytes.subarray(0, bytes.length - 5));
    expect(readRecording(torn).tornBytes).toBeGreaterThan(0);
    bytes[5000] ^= 1;
    writeFileSync(torn, bytes);
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => readRecording(torn)).toThrow(refused('recording.invalid'));
    expect(() => readRecording('test/fixtures/talk/two-turns.wav')).toThrow(refused('recording.invalid'));
    expect(() => readRecording('/no-such-file')).toThrow(refused('recording.unreadable'));
    expect(() => whatIf({}, [{ path: 'port', value: 1 }])).toThrow(refused('replay.setting'));
    expect(() => whatIf({}, [{ path: 'endpointSilenceMs', value: 'never' }])).toThrow(
      refused('config.invalid'),
    );
    expect(() => readEngineFile('package.json')).toThrow(refused('engine-file.invalid'));
    expect(() => readEngineFile('/no-such-file')).toThrow(refused('engine-file.unreadable'));
  });

  it('does not take other weights for the recorded ones', async () => {
    const call = readRecording(recording);
    const other = { ...call, header: { ...call.header, model: { name: 'nano', hash: 'f00d' } } };
    const options = { isUnchanged: true, allowsOtherModel: false, onProgress: () => {} };
    await expect(runReplay(other, whatIf(call.header.config, []), options)).rejects.toMatchObject({
      code: 'replay.other-model',
    });
  });

  it('never writes over a recording', () => {
    const { status, stderr } = record();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error recording\.unwritable/);
  });
});
