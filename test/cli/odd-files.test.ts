/** A pipe that nobody writes to must not be waited for: whoever names one by mistake is told. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../cli/config/load.ts';
import { readRecording } from '../../cli/replay/recording-files.ts';
import { readEngineFile } from '../../cli/sim/engine-file.ts';
import { readScenario } from '../../cli/sim/scenario-file.ts';
import { readConfigFile } from '../../kernels/components/config-file.ts';
import { loadTokenizer } from '../../kernels/tokenizer/index.ts';
import { openWeightFile } from '../../kernels/weights/index.ts';
import { codeOf } from '../support/code-of.ts';

const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-odd-'));
const pipe = join(directory, 'tokenizer.json');
execFileSync('mkfifo', [pipe]);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const READERS: readonly (readonly [name: string, read: (path: string) => unknown, code: string])[] = [
  ['config', path => loadConfig({}, {}, path), 'config.unreadable'],
  ['scenario', path => readScenario(path, []), 'scenario.unreadable'],
  ['engine file', path => readEngineFile(path), 'engine-file.unreadable'],
  ['recording', path => readRecording(path), 'recording.unreadable'],
  ['model configuration', path => readConfigFile(path, z.unknown()), 'config.open'],
  ['weights', path => openWeightFile(path), 'weights.open'],
];

describe.each(READERS)('a %s', (_, read, code) => {
  it.each([
    ['pipe', pipe],
    ['device', '/dev/zero'],
    ['folder', directory],
  ])('that is a %s is refused by name', (_kind, path) => {
    expect(codeOf(() => read(path))).toBe(code);
  });
});

it('a tokenizer that is a pipe is refused by name', () => {
  expect(codeOf(() => loadTokenizer(directory))).toBe('tokenizer.open');
});

it.each([
  ['config', (path: string) => loadConfig({}, {}, path), 'config.unreadable'],
  ['scenario', (path: string) => readScenario(path, []), 'scenario.unreadable'],
])('a %s whose anchor contains itself is refused by name', (name, read, code) => {
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, 'a: &a [*a]\n');
  expect(codeOf(() => read(path))).toBe(code);
});

it.each([
  '{"t":{"dtype":"F32","shape":DEEP,"data_offsets":[0,0]}}',
  '{"t":DEEP}',
  'DEEP',
  '{"__metadata__":{},"t":{"dtype":DEEP}}',
])('a header of weights nested without end gets its named error: %s', shape => {
  mkdirSync(join(directory, 'deep'), { recursive: true });
  const path = join(directory, 'deep', 'model.safetensors');
  const header = Buffer.from(shape.replace('DEEP', '['.repeat(200_000) + ']'.repeat(200_000)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header]));
  expect(codeOf(() => openWeightFile(path))).toMatch(/^weights\./);
});
