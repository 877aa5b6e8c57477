import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Runs the command as a person would; a hang is a failure. */
function run(args: string[], environment: Record<string, string> = {}) {
  const options = { encoding: 'utf8', timeout: 120_000, env: { ...process.env, ...environment } } as const;
  return spawnSync(process.execPath, ['cli/longcat-rt.js', ...args], options);
}

describe('the command line', () => {
  it('tells its version, and suggests after the error with no help to scroll past', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(run(['--version']).stdout).toBe(`${version}\n`);
    const { status, stderr } = run(['srve']);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      "error: unknown command 'srve'",
      '(Did you mean serve?)',
      'longcat-rt --help shows what there is.',
    ]);
  });

  it('never takes an input for its output', () => {
    for (const args of [
      ['replay', 'README.md', '--out', './README.md'],
      ['sim', 'README.md', '--html', 'README.md'],
    ]) {
      const { status, stderr } = run(args);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^error media\.same-file/)]);
    }
  });

  it('refuses to serve beyond loopback without keys, and exits', () => {
    const { status, stderr } = run(['serve', '--host', '0.0.0.0', '--port', '0']);
    expect(status).toBe(1);
    expect(stderr).toContain('server.keys-required');
  });

  it('never prints a key', () => {
    const { status, stderr } = run(['serve'], { LONGCAT_RT_KEYS: 'hush', LONGCAT_RT_PORT: 'none' });
    expect(status).toBe(1);
    expect(stderr).toContain('config.invalid');
    expect(stderr).not.toContain('hush');
  });

  it('says before the conversation that its recording cannot be written', () => {
    const { status, stderr } = run([
      'talk',
      'test/fixtures/talk/two-turns.wav',
      '--out',
      '/no-such-place/x.wav',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error media\.unwritable/);
  });

  it('leaves no report behind when the simulation fails', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sim-'));
    const [scenario, page] = [join(folder, 'h200.yaml'), join(folder, 'report.html')];
    const engine = '{ law: cluster, accelerator: H200, decode: measured }';
    writeFileSync(scenario, `name: x\ndurationS: 60\nload: { sessions: 1 }\nengine: ${engine}\n`);
    const { status, stderr } = run(['sim', scenario, '--html', page]);
    expect(status).toBe(1);
    expect(stderr).toContain('on H800 only');
    expect(existsSync(page)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('refuses ids that are not whole, and files that are not there, in one line', () => {
    expect(run(['forward', '--model', 'test/fixtures/language-model/f32', '--ids', '1.5']).status).not.toBe(
      0,
    );
    const { status, stderr } = run(['talk', 'no-such.wav']);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('does not pass over options that mean nothing beside a component', () => {
    const component = ['--component', 'gan-decoder', '--input', 'codes.json'];
    const { status, stderr } = run(['forward', '--model', 'models/nano', ...component, '--ids', '1']);
    expect(status).toBe(1);
    expect(stderr).toContain("cannot be used with option '--ids");
  });

  it('prints the sequence of the issue’s example shape', () => {
    const { stdout } = run([
      'interleave',
      '--audio-tokens',
      '25',
      '--unit-tokens',
      '8,16',
      '--stamps',
      '0,1',
      '--json',
    ]);
    expect(JSON.parse(stdout).sequence).toEqual([
      ['text', 'second{0.0}:'],
      ['image', 8],
      ['audio-begin'],
      ['audio', 12],
      ['text', 'second{1.0}:'],
      ['image', 16],
      ['audio', 13],
      ['audio-end'],
    ]);
  });
});
