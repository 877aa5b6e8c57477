/** What `npm pack` gives, in a folder of its own beside nothing but its own dependencies, as somebody's project would have it. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const project = mkdtempSync(join(tmpdir(), 'longcat-rt-package-'));
const installed = join(project, 'node_modules/longcat-rt');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

beforeAll(() => {
  const options = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = JSON.parse(
    execFileSync('npm', options, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  for (const { path } of files as { path: string }[]) {
    if (path.startsWith('dist/')) continue; // Compiled anew below: what lies there may be older than the sources.
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(installed, path));
  }
  execFileSync(process.execPath, [TSC, '-p', 'tsconfig.build.json', '--outDir', join(installed, 'dist')], {
    cwd: ROOT,
  });
  writeFileSync(join(installed, 'dist/.built'), '');
  // What the package's install script compiles.
  cpSync(join(ROOT, 'kernels/native/build/Release'), join(installed, 'kernels/native/build/Release'), {
    recursive: true,
  });
  linkRuntimeDependencies();
}, 240_000);
afterAll(() => rmSync(project, { recursive: true }));

/** Packages that only this repository's own tests and tools need are left out. */
function linkRuntimeDependencies(): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<{ dev?: boolean }>(lock.packages);
  const tops = packages.filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev);
  for (const [path] of tops) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(project, path));
  }
}

const run = (command: string, ...words: string[]) =>
  spawnSync(process.execPath, [command, ...words], { cwd: project, encoding: 'utf8' });

describe('the package as it is installed', () => {
  it('has neither sources nor tests nor training in it', () => {
    const paths = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(paths.filter(path => /\.ts$/.test(path) && !/\.d\.ts$/.test(path))).toEqual([]);
    expect(paths.filter(path => /^(test|train|bench|findings)\//.test(path))).toEqual([]);
  });

  it('answers a recorded question', () => {
    copyFileSync(join(ROOT, 'test/fixtures/talk/count-to-ten.wav'), join(project, 'question.wav'));
    const { stdout, stderr, status } = run(
      'node_modules/longcat-rt/cli/longcat-rt.js',
      'talk',
      'question.wav',
    );
    expect({ stderr, status }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/agent {2}One, two, three/);
  });

  it('gives each of its doors to JavaScript, and its types to TypeScript', () => {
    const program = `
      import { createRuntime, VirtualClock } from 'longcat-rt';
      import { createEngine } from 'longcat-rt/kernels';
      import { startServer } from 'longcat-rt/protocols';
      import { runScenario } from 'longcat-rt/sim';
      const all: readonly unknown[] = [createRuntime, VirtualClock, createEngine, startServer, runScenario];
      if (!all.every(one => typeof one === 'function')) throw new Error('a door leads nowhere');`;
    writeFileSync(join(project, 'doors.mts'), program);
    const compiled = run(
      TSC,
      'doors.mts',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--lib',
      'es2023,esnext.disposable',
      '--skipLibCheck',
      '--types',
      '',
    );
    expect(compiled.stdout).toBe('');
    expect(run('doors.mjs')).toMatchObject({ status: 0, stderr: '' });
  });
});
