/**
 * The newer lines of Node, each brought by an npm package and fetched once into .cache/: it talks on all of them, with
 * uWebSockets.js where that has a binary, else with ws, and says which. Where they cannot be fetched the run says so.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const LIMIT_MS = 90_000;
const VERSIONS = { 22: '22.23.5', 24: '24.22.3' };

const execute = promisify(execFile);

/** @returns the binary, or why there is none */
async function fetched(version: string): Promise<string> {
  const { platform, arch } = process;
  const folder = `${ROOT}/.cache/node-${version}`;
  const binary = `${folder}/bin/node`;
  if (existsSync(binary)) return binary;
  const work = `${folder}.part-${process.pid}`;
  const name = `node-${platform}-${arch}`;
  const options = ['--prefix', work, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`];
  mkdirSync(work, { recursive: true });
  try {
    await execute('npm', ['install', ...options], { timeout: LIMIT_MS });
    renameSync(`${work}/node_modules/${name}`, folder);
    return binary;
  } catch (error) {
    return `npm could not install ${name}: ${(error as { stderr?: string }).stderr?.trim().split('\n')[0]}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The address that it prints. */
function addressOf(serve: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let text = '';
    serve.stdout!.on('data', piece => {
      text += piece;
      const address = /http:\/\/\S+/.exec(text);
      if (address) found(address[0]);
    });
    serve.on('close', status => failed(new Error(`serve ended with ${status}`)));
  });
}

// Side by side: most of it is waiting for the registry.
it.concurrent.each(Object.entries(VERSIONS))(
  'talks and serves on Node %s',
  async (line, version) => {
    const node = await fetched(version);
    if (!existsSync(node)) {
      console.warn(`NOT TESTED: Node ${line}. ${node}`);
      return;
    }
    const start = ['cli/longcat-rt.js'];
    const run = async (...words: string[]) =>
      (await execute(node, [...start, ...words], { cwd: ROOT }).catch(failure => failure)).stdout as string;
    const serve = spawn(node, [...start, 'serve', '--port', '0'], { cwd: ROOT });
    try {
      const talked = run('talk', 'test/fixtures/talk/count-to-ten.wav');
      const health = await fetch(`${await addressOf(serve)}/healthz`);
      expect(await talked).toMatch(/agent {2}One, two, three/);
      const { server } = (await health.json()) as { server: string };
      expect(['uws', 'ws']).toContain(server);
      const told = new RegExp(`WebSockets\\s+${server === 'uws' ? 'uWebSockets\\.js' : 'ws'}\n`);
      expect(await run('doctor')).toMatch(told);
    } finally {
      serve.kill('SIGKILL');
    }
  },
  300_000,
);
