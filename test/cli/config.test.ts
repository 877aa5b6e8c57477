import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationDocument } from '../../cli/config/document.ts';
import { environmentName, loadConfig } from '../../cli/config/load.ts';

describe('configuration', () => {
  const file = join(tmpdir(), `longcat-rt-config-${process.pid}.yaml`);

  it('has the timings of the report as defaults', () => {
    const config = loadConfig({}, {});
    expect(config.endpointSilenceMs).toBeGreaterThanOrEqual(600); // t4 − t2 = 600–700 ms (docs/spec/model.md §6.3)
    expect(config.endpointSilenceMs).toBeLessThanOrEqual(700);
    expect(config.speculateSilenceMs).toBe(200);
  });

  it('lets flags win over the environment over the file', () => {
    writeFileSync(file, 'port: 1\nmaxSessions: 2\nseed: 3\n');
    const config = loadConfig({ port: '9' }, { LONGCAT_RT_PORT: '8', LONGCAT_RT_MAX_SESSIONS: '7' }, file);
    expect([config.port, config.maxSessions, config.seed]).toEqual([9, 7, 3]);
  });

  it('splits lists in the environment', () => {
    expect(loadConfig({}, { LONGCAT_RT_KEYS: 'aaaaaaaa, bbbbbbbb' }).keys).toEqual(['aaaaaaaa', 'bbbbbbbb']);
  });

  it('takes the places of components as a list, and as a mapping in a file', () => {
    const place = ['languageModel=cuda', 'ganDecoder=reference'];
    expect(loadConfig({}, {}).place).toEqual([]);
    expect(loadConfig({ place }, {}).place).toEqual(place);
    expect(loadConfig({}, { LONGCAT_RT_PLACE: place.join(', ') }).place).toEqual(place);
    writeFileSync(file, 'place:\n  languageModel: cuda\n  ganDecoder: reference\n');
    expect(loadConfig({}, {}, file).place).toEqual(place);
    writeFileSync(file, 'place: languageModel=cuda,ganDecoder=reference\n');
    expect(loadConfig({}, {}, file).place).toEqual(place);
    const servers = ['languageModel=sglang+http://10.0.0.5:30000', 'ganDecoder=nats://me:hush@host:4222'];
    expect(loadConfig({ place: servers }, {}).place).toEqual(servers);
    const several = ['http://10.0.0.5:30000', 'https://10.0.0.6'].map(at => `languageModel=sglang+${at}`);
    expect(loadConfig({ place: several }, {}).place).toEqual(several);
    writeFileSync(
      file,
      'place: { languageModel: [sglang+http://10.0.0.5:30000, sglang+https://10.0.0.6] }\n',
    );
    expect(loadConfig({}, {}, file).place).toEqual(several);
  });

  it.each([
    ['ganDecoder=cuda'],
    ['languageModel'],
    ['languageModel=gpu'],
    ['audioDecoder=cpu'],
    ['languageModel=http://user:hush@host'],
    ['languageModel=sglang+http://user:hush@host:30000'],
    ['languageModel=sglang+http://host:30000/v1'],
    ['ganDecoder=sglang+http://host:30000'],
    ['languageModel=cpu', 'languageModel=reference'],
    ['languageModel=cpu', 'languageModel=sglang+http://host:30000'],
    ['languageModel=sglang+http://host:30000', 'languageModel=sglang+http://host:30000'],
  ])('refuses the place %s, and shows none: an address may have a password', (...place) => {
    const refused = expect.objectContaining({
      code: 'config.invalid',
      message: expect.stringMatching(/place.*not shown/),
    });
    expect(() => loadConfig({ place }, {})).toThrowError(refused);
  });

  it.each([
    [{ port: '70000' }, 'port', '70000'],
    [{ engine: 'quantum' }, 'engine', 'quantum'],
    [{ vadThreshold: 'loud' }, 'vadThreshold', 'loud'],
  ])('refuses %j and names setting and value', (flags, setting, value) => {
    expect(() => loadConfig(flags, {})).toThrowError(
      expect.objectContaining({
        code: 'config.invalid',
        message: expect.stringMatching(new RegExp(`${setting}.*${value}`)),
      }),
    );
  });

  it('refuses an unknown setting in a file, and a file that is no mapping', () => {
    writeFileSync(file, 'prot: 1\n');
    expect(() => loadConfig({}, {}, file)).toThrowError(/prot/);
    writeFileSync(file, '- 1\n');
    expect(() => loadConfig({}, {}, file)).toThrowError(
      expect.objectContaining({ code: 'config.unreadable' }),
    );
  });

  it('lets silence alone decide where somebody says how long it must be', () => {
    expect(loadConfig({}, {}).turnPreset).toBe('balanced');
    expect(loadConfig({ endpointSilenceMs: 500 }, {}).turnPreset).toBe('none');
    expect(loadConfig({}, { LONGCAT_RT_VAD_THRESHOLD: '0.6' }).turnPreset).toBe('none');
    expect(loadConfig({ endpointSilenceMs: 500, turnPreset: 'fast' }, {}).turnPreset).toBe('fast');
  });

  it('is documented: docs/configuration.md is what the schema says', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationDocument());
  });

  it('derives environment names from settings', () => {
    expect(environmentName('endpointSilenceMs')).toBe('LONGCAT_RT_ENDPOINT_SILENCE_MS');
  });
});
