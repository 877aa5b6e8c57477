import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isCompiled, sourcesOf } from '../../kernels/compiled.js';

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
    const folders = ['actors', 'cli', 'kernels', 'kernels/native', 'protocols', 'sim'];
    for (const folder of folders) {
      mkdirSync(`${root}${folder}`);
      writeFileSync(`${root}${folder}/main.ts`, '');
      touch(`${folder}/main.ts`, builtAtMs - 1000);
    }
    expect(isCompiled(root)).toBe(false);
    writeFileSync(`${root}dist/.built`, sourcesOf(root));
    touch('dist/.built', builtAtMs);
    expect(isCompiled(root)).toBe(true);
    // What a kernel's compiler leaves beside its source is none.
    mkdirSync(`${root}kernels/native/build-emulated`);
    expect(isCompiled(root)).toBe(true);
    touch('kernels/native/main.ts', builtAtMs + 1);
    expect(isCompiled(root)).toBe(false);
    touch('kernels/native/main.ts', builtAtMs - 1000);
    expect(isCompiled(root)).toBe(true);
    writeFileSync(`${root}sim/added.ts`, '');
    touch('sim/added.ts', builtAtMs - 1000);
    expect(isCompiled(root)).toBe(false);
    rmSync(`${root}sim/added.ts`);
    expect(isCompiled(root)).toBe(true);
    rmSync(`${root}kernels/native/main.ts`);
    expect(isCompiled(root)).toBe(false);
  });
});
