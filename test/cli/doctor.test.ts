import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { unknownVariables } from '../../cli/config/load.ts';
import {
  componentFindings,
  cudaFinding,
  engineFinding,
  modelFinding,
  programsFinding,
  weightsFinding,
  weightsPlace,
} from '../../cli/doctor/index.ts';
import { inventoryOf } from '../../kernels/inventory/index.ts';
import { resolveModelDirectory } from '../../cli/model-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-doctor-'));
const home = process.cwd();
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

describe('longcat-rt doctor', () => {
  it('says of the model what the runtime will do, from every folder', () => {
    for (const at of [home, folder]) {
      process.chdir(at);
      const { found, meaning } = modelFinding('models/nano', 1);
      expect(isAbsolute(found)).toBe(true);
      expect(found).toBe(resolveModelDirectory('models/nano', 1).path);
      expect(meaning).toMatch(/^used, \d+\.\d MiB of weights; it hears, sees, speaks$/);
    }
    process.chdir(home);
  });

  it('tells a model that is refused and one without weights from one that is used', () => {
    expect(modelFinding(join(folder, 'nix'), 1).meaning).toMatch(/^no config\.json there: it is refused/);
    expect(() => resolveModelDirectory(join(folder, 'nix'), 1)).toThrow(/No config\.json/);
    mkdirSync(join(folder, 'bare'));
    writeFileSync(join(folder, 'bare', 'config.json'), '{}');
    expect(modelFinding(join(folder, 'bare'), 1).meaning).toContain('it cannot be loaded');
    writeFileSync(join(folder, 'bare', 'model.safetensors'), '');
    expect(modelFinding(join(folder, 'bare'), 1).meaning).toMatch(
      /reads and writes text; it has no part that hears/,
    );
  });

  it('follows the setting of the engine', () => {
    expect(engineFinding('auto', { level: 'avx2' }).found).toBe('cpu');
    expect(engineFinding('reference', { level: 'avx2' })).toMatchObject({ found: 'reference' });
    expect(engineFinding('cpu', { reason: 'no compiler' })).toMatchObject({ found: 'none' });
    expect(engineFinding('auto', { reason: 'no compiler' }).meaning).toContain('no compiler');
  });

  it('says whether there is a CUDA device, and that cpu serves where there is none', () => {
    const GIB = 2 ** 30;
    const card = { name: 'a card', capability: 90, memoryBytes: 141 * GIB, freeBytes: 140 * GIB };
    expect(cudaFinding('no driver')).toMatchObject({ found: 'none', meaning: 'no driver; cpu serves' });
    expect(cudaFinding(card)).toMatchObject({
      found: 'a card',
      meaning: expect.stringContaining('140.0 GiB'),
    });
    expect(engineFinding('cuda', { level: 'avx2' }, card).found).toBe('cuda');
    expect(engineFinding('cuda', { level: 'avx2' }, 'no driver')).toMatchObject({
      found: 'none',
      meaning: expect.stringContaining('no driver'),
    });
  });

  it('says what memory the language model needs here and at an SGLang server, and of other hosts that nothing is needed here', () => {
    const { path } = resolveModelDirectory('models/nano', 1);
    const place = ['languageModel=sglang+http://host:30000', 'ganDecoder=nats://host:4222'];
    const meanings = inventoryOf(path).map(inventory => {
      const { what, meaning } = weightsFinding(inventory, 2 ** 40, weightsPlace(inventory.component, place));
      return [what.replace('weights: ', ''), meaning];
    });
    const {
      'language model': model,
      'audio decoder': voice,
      'audio encoder': ear,
    } = Object.fromEntries(meanings);
    expect(model).toMatch(
      /^all there; needs 0\.8 MiB here, for the tables of what it reads; at the server 1\.2 MiB on each of 8, 0\.6 MiB on each of 16 devices/,
    );
    expect(voice).toMatch(/^all there; its host needs .* MiB; nothing here/);
    expect(ear).toMatch(/^all there; needs .* MiB/);
    const [served] = componentFindings({ engine: 'auto', place }, path, { level: 'avx2' }, 'none');
    expect(served).toMatchObject({
      found: 'sglang+http://host:30000',
      meaning: expect.stringContaining('SGLang'),
    });
  });

  it('says what serves each component, and which setting says so', () => {
    const { path } = resolveModelDirectory('models/nano', 1);
    const place = ['languageModel=cuda', 'ganDecoder=reference', 'audioEncoder=nats://me:hush@host:4222'];
    const findings = (engine: 'auto' | 'cpu', native: object, cuda: Parameters<typeof cudaFinding>[0]) =>
      Object.fromEntries(
        componentFindings({ engine, place }, path, native, cuda).map(({ what, found, meaning }) => [
          what.replace('served: ', ''),
          `${found}: ${meaning}`,
        ]),
      );
    const card = { name: 'a card', capability: 90, memoryBytes: 1, freeBytes: 1 };
    expect(findings('auto', { level: 'avx2' }, card)).toEqual({
      languageModel: 'cuda: computes here, as the setting `place` says',
      audioEncoder: 'nats://…@host:4222: another host, as the setting `place` says',
      visionEncoder: 'cpu: computes here, as the setting `engine` says',
      speechTokenizer: 'cpu: computes here, as the setting `engine` says',
      ganDecoder: 'reference: computes here, as the setting `place` says',
    });
    expect(findings('cpu', { reason: 'no compiler' }, 'no driver')).toMatchObject({
      languageModel: 'none: the setting `place` wants cuda: no driver',
      visionEncoder: 'none: the setting `engine` wants cpu: it does not load: no compiler',
    });
    const [model, ear] = componentFindings({ engine: 'auto', place: [] }, folder, { level: 'avx2' }, 'none');
    expect([model.found, ear.found]).toEqual(['nothing', 'nothing']);
  });

  it('names what would have to be installed, and settings that are none', () => {
    const candidates = [{ program: 'rec', from: 'sox' }];
    expect(programsFinding('microphone', candidates, 'records', () => null).meaning).toMatch(/install sox$/);
    expect(programsFinding('microphone', candidates, 'records', () => '/rec').found).toBe('rec');
    const environment = { LONGCAT_RT_KYES: 'hush', LONGCAT_RT_KEYS: 'hush', LONGCAT_RT_KEY: 'x', PATH: '' };
    expect(unknownVariables(environment)).toEqual(['LONGCAT_RT_KYES']);
  });
});
