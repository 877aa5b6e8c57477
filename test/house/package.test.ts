/**
 * What `npm pack` gives, in a folder of its own beside nothing but its own dependencies, as somebody's project would
 * have it.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isCompiled } from '../../kernels/compiled.js';

const ROOT = resolve(import.meta.dirname, '../..');
const project = mkdtempSync(join(tmpdir(), 'longcat-rt-package-'));
const installed = join(project, 'node_modules/longcat-rt');
const COMPILED = 'kernels/native/build/Release';
/** In plain TypeScript nano answers too late for a call that is spoken as the clock goes. */
const isFast = existsSync(join(ROOT, COMPILED));
if (!isFast)
  console.warn('NOT TESTED: a call of examples/embed-in-a-server.ts; it needs the native kernels.');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

beforeAll(() => {
  const options = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = JSON.parse(
    execFileSync('npm', options, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // What `npm ci` has compiled; anew only where a source is newer.
  const isBuilt = isCompiled(`${ROOT}/`);
  for (const { path } of files as { path: string }[]) {
    if (path.startsWith('dist/') && !isBuilt) continue;
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(installed, path));
  }
  if (!isBuilt) {
    const output = join(installed, 'dist');
    execFileSync(process.execPath, [TSC, '-p', 'tsconfig.build.json', '--outDir', output], { cwd: ROOT });
  }
  writeFileSync(join(installed, 'dist/.built'), '');
  copyFileSync(join(ROOT, 'test/fixtures/talk/count-to-ten.wav'), join(project, 'question.wav'));
  // What the package's install script compiles, where there is a compiler.
  if (isFast) cpSync(join(ROOT, COMPILED), join(installed, COMPILED), { recursive: true });
  linkRuntimeDependencies();
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
}, 240_000);
afterAll(() => rmSync(project, { recursive: true }));

/** Packages that only this repository's own tests and tools need are left out. */
function linkRuntimeDependencies(): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<{ dev?: boolean }>(lock.packages);
  const tops = packages.filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev);
  const own = ['node_modules/wavefile']; // An example's.
  for (const path of [...tops.map(([path]) => path), ...own]) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(project, path));
  }
}

const run = (command: string, ...words: string[]) =>
  spawnSync(process.execPath, [command, ...words], { cwd: project, encoding: 'utf8' });

/**
 * As it stands in examples/, in a project that has installed the package; no launcher between, which would survive its
 * end.
 */
function example(name: string, words: readonly string[] = []) {
  copyFileSync(join(ROOT, 'examples', name), join(project, name));
  const env = { ...process.env, PORT: '0', CHAT_URL: '' };
  return spawn(process.execPath, ['--import', 'tsx', name, ...words], { cwd: project, env });
}

/** What it prints, until the pattern is in it or it has ended. */
function printed(child: ChildProcessWithoutNullStreams, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (piece: Buffer) => {
      text += piece;
      if (pattern.test(text)) resolve(text);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('close', status => reject(new Error(`ended with ${status}: ${text}`)));
  });
}

describe('the examples', () => {
  const children: ChildProcessWithoutNullStreams[] = [];
  const started = (name: string, words?: readonly string[]) => {
    const child = example(name, words);
    children.push(child);
    return child;
  };
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  const portIn = (text: string) => Number(/port:? (\d+)/.exec(text)![1]);

  it.each([
    ['answer-a-wav.ts', /count to ten → One, two, three/],
    ['own-engine.ts', /One, two, three.*of music, peak 0\.20/],
    ['timer-agent.ts', /timer .*\/1\/0: 10 s\ncall start_timer.*\nagent: The timer says: \{"started":true\}/],
    ['own-agent.ts', /caller: count to ten\nagent: {2}I would rather carry your bags\./],
  ])('%s does what it says', async (name, expected) => {
    expect(await printed(started(name, ['question.wav']), expected)).toMatch(expected);
  });

  it('own-transport.ts talks over TCP', async () => {
    const server = started('own-transport.ts');
    const port = portIn(await printed(server, /port \d+/));
    const socket = connect(port, '127.0.0.1');
    const sound = new Promise<Buffer>(resolve => socket.once('data', resolve));
    const question = readFileSync(join(project, 'question.wav')).subarray(44);
    const cut = question.length / 2 + 1; // An odd byte must not shift what follows.
    socket.write(question.subarray(0, cut));
    socket.write(question.subarray(cut));
    socket.write(Buffer.alloc(2 * 16_000 * 2));
    expect((await sound).length).toBeGreaterThan(0);
    await printed(server, /count to ten → One, two, three/);
    socket.destroy();
  });

  it.skipIf(!isFast)('embed-in-a-server.ts speaks Realtime beside its own pages', async () => {
    const port = portIn(await printed(started('embed-in-a-server.ts'), /port: \d+/));
    expect(await (await fetch(`http://127.0.0.1:${port}/about`)).text()).toBe('Your own page at /about.\n');
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).toMatchObject({ status: 'ok' });
    const call = run(
      'node_modules/longcat-rt/cli/longcat-rt.js',
      'call',
      `ws://127.0.0.1:${port}`,
      'question.wav',
    );
    expect(call.stdout + call.stderr).toMatch(/One, two, three/);
  });
});

describe('the package as it is installed', () => {
  it('has neither sources nor tests nor training in it', () => {
    const paths = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(paths.filter(path => /\.ts$/.test(path) && !/\.d\.ts$/.test(path))).toEqual([]);
    expect(paths.filter(path => /^(test|train|bench|findings)\//.test(path))).toEqual([]);
  });

  it('answers a recorded question', () => {
    const { stdout, stderr, status } = run(
      'node_modules/longcat-rt/cli/longcat-rt.js',
      'talk',
      'question.wav',
    );
    expect({ stderr, status }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/agent {2}One, two, three/);
  });

  it('simulates a scenario with a shipped model', () => {
    const scenario = 'node_modules/longcat-rt/sim/scenarios/report-deployment.yaml';
    const short = ['--set', 'durationS=3', '--set', 'warmUpS=1', '--set', 'load.sessions=1'];
    expect(run('node_modules/longcat-rt/cli/longcat-rt.js', 'sim', scenario, ...short)).toMatchObject({
      status: 0,
    });
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
