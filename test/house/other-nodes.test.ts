/**
 * The newer lines of Node, each brought by an npm package and fetched once into .cache/: it talks on all of them, with uWebSockets.js
 * where that has a binary, else with ws, and says which. Where they cannot be fetched the run says so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const LIMIT_MS = 90_000;
const VERSIONS = { 22: '22.23.5', 24: '24.22.3' };

/** @returns the binary, or why there is none */
function fetched(version: string): string {
  const { platform, arch } = process;
  const folder = `${ROOT}/.cache/node-${version}`;
  const binary = `${folder}/bin/node`;
  if (existsSync(binary)) return binary;
  const work = `${folder}.part-${process.pid}`;
  const name = `node-${platform}-${arch}`;
  const options = ['--prefix', work, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`];
  mkdirSync(work, { recursive: true });
  const { status, stderr } = spawnSync('npm', ['install', ...options], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (status === 0) renameSync(`${work}/node_modules/${name}`, folder);
  rmSync(work, { recursive: true, force: true });
  return status === 0 ? binary : `npm could not install ${name}: ${stderr?.trim().split('\n')[0]}`;
}

it.each(Object.entries(VERSIONS))(
  'talks and serves on Node %s',
  async (line, version) => {
    const node = fetched(version);
    if (!existsSync(node)) {
      console.warn(`NOT TESTED: Node ${line}. ${node}`);
      return;
    }
    const start = ['cli/longcat-rt.js'];
    const run = (...words: string[]) =>
      spawnSync(node, [...start, ...words], { cwd: ROOT, encoding: 'utf8' });
    expect(run('talk', 'test/fixtures/talk/count-to-ten.wav').stdout).toMatch(/agent {2}One, two, three/);

    const serve = spawn(node, [...start, 'serve', '--port', '0'], { cwd: ROOT });
    try {
      const url = await new Promise<string>((found, failed) => {
        let text = '';
        serve.stdout.on('data', piece => {
          text += piece;
          const address = /http:\/\/\S+/.exec(text);
          if (address) found(address[0]);
        });
        serve.on('close', status => failed(new Error(`serve ended with ${status}`)));
      });
      const { server } = (await (await fetch(`${url}/healthz`)).json()) as { server: string };
      expect(['uws', 'ws']).toContain(server);
      const told = new RegExp(`WebSockets\\s+${server === 'uws' ? 'uWebSockets\\.js' : 'ws'}\n`);
      expect(run('doctor').stdout).toMatch(told);
    } finally {
      serve.kill('SIGKILL');
    }
  },
  300_000,
);
