import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../cli/config/load.ts';
import { configSchema } from '../../cli/config/schema.ts';
import { nearestName } from '../../cli/config/suggestion.ts';
import { parseYaml } from '../../cli/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-secrets-'));
const file = join(folder, 'settings.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

const KEYS = ['sk-4f9a77d0c1', 'sk-e83b52aa06'];
/** Either half of a key is too much already. */
const PARTS = KEYS.flatMap(key => [key.slice(3, 8), key.slice(8)]);

function messageFor(text: string): string {
  writeFileSync(file, text);
  try {
    loadConfig({}, {}, file);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const settings = `host: 127.0.0.1\nkeys: [${KEYS.join(', ')}]\nport: 8080\n`;

describe('a key in the settings', () => {
  it.each([
    ['beside a misspelt name', `${settings}prot: 1\n`, /prot.*Did you mean port/],
    ['behind a misspelt name', settings.replace('keys', 'kyes'), /kyes.*Did you mean keys/],
    ['in the place of a name', `${settings}${KEYS[0]}: 1\n`, /no such setting/],
    ['in a list that never ends', settings.replace(']', ''), /line \d/],
    ['given twice', settings + settings, /unique at line 4/],
    ['behind an alias', `keys: [*${KEYS[0]}]`, /alias/],
    ['in a mapping in the wrong place', `allowedOrigins:\n  ${settings.split('\n')[1]}\n`, /\(a mapping\)/],
    ['as a single text', `keys: ${KEYS[0]}\n`, /not shown/],
    ['alone in the file', KEYS[0], /not a mapping/],
    ['as the content of the private key', `tlsKey: "-----BEGIN PRIVATE KEY-----\\n${KEYS[0]}"\n`, /path/],
  ])('is not shown: %s', (_name, text, expected) => {
    const message = messageFor(text);
    expect(message).toMatch(expected);
    for (const part of PARTS) expect(message).not.toContain(part);
  });

  it('is not shown whatever else is wrong with the file', () => {
    const warned: string[] = [];
    const onWarning = (warning: Error) => warned.push(warning.message);
    process.on('warning', onWarning);
    const marks = [...'[]{}:,#&*!|>\'"%@`?-\n\t \\0x'];
    const damage = fc.array(
      fc.tuple(fc.nat(), fc.constantFrom(...marks), fc.constantFrom('put', 'instead', 'drop')),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(damage, changes => {
        const text = [...settings];
        for (const [at, mark, how] of changes) {
          text.splice(at % text.length, how === 'put' ? 0 : 1, ...(how === 'drop' ? [] : [mark]));
        }
        const message = messageFor(text.join(''));
        for (const part of PARTS) expect(message).not.toContain(part);
      }),
      { numRuns: 300 },
    );
    process.off('warning', onWarning);
    for (const part of PARTS) expect(warned.join()).not.toContain(part);
  });

  it('is not repeated behind an option that does not exist', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['cli/longcat-rt.js', 'serve', `--keyz=${KEYS[0]}`],
      { encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain("unknown option '--keyz=…'");
    expect(stderr).toContain('Did you mean --keys?');
    expect(stderr).not.toContain(KEYS[0]);
  });
});

describe('files of settings', () => {
  it('that would never end are refused', () => {
    expect(() => loadConfig({}, {}, '/dev/zero')).toThrow(/a pipe or device/);
    expect(() => loadConfig({}, {}, folder)).toThrow(/a folder/);
  });

  it('may not hold what contains itself', () => {
    expect(() => parseYaml('a: &a [1, *a]')).toThrow(/contains itself/);
    expect(parseYaml('a: &a [1]\nb: *a')).toEqual({ a: [1], b: [1] });
  });

  it('suggest what is near, and nothing else', () => {
    const names = Object.keys(configSchema.shape);
    expect(nearestName('max_sesions', names)).toBe('maxSessions');
    expect(nearestName('kyes', names)).toBe('keys');
    expect(nearestName('gpu', names)).toBeUndefined();
  });
});
