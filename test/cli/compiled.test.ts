import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isCompiled } from '../../cli/compiled.js';

describe('what was compiled', () => {
  const root = `${mkdtempSync(join(tmpdir(), 'compiled-'))}/`;
  afterAll(() => rmSync(root, { recursive: true }));
  const builtAtMs = 1_700_000_000_000;
  const touch = (path: string, atMs: number) => utimesSync(`${root}${path}`, atMs / 1000, atMs / 1000);

  it('runs until a source is newer, added or removed', () => {
    expect(isCompiled(root)).toBe(false);
    mkdirSync(`${root}dist`);
    writeFileSync(`${root}dist/.built`, '');
    touch('dist/.built', builtAtMs);
    // An installed package has no sources.
    expect(isCompiled(root)).toBe(true);
    for (const folder of ['actors', 'cli', 'kernels', 'kernels/native', 'protocols', 'sim']) {
      mkdirSync(`${root}${folder}`);
      writeFileSync(`${root}${folder}/main.ts`, '');
    }
    const all = ['actors', 'cli', 'kernels/native', 'kernels', 'protocols', 'sim'];
    const settle = () => {
      for (const folder of all)
        for (const path of [`${folder}/main.ts`, folder]) touch(path, builtAtMs - 1000);
    };
    settle();
    expect(isCompiled(root)).toBe(true);
    touch('kernels/native/main.ts', builtAtMs + 1);
    expect(isCompiled(root)).toBe(false);
    settle();
    rmSync(`${root}kernels/native/main.ts`);
    expect(isCompiled(root)).toBe(false);
  });
});
