import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-signals-'));
let child: ChildProcess | null = null;

beforeAll(() => writeSeededCheckpoint(directory, { seed: 7, dimensions: tinyDimensions }));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => {
  child?.kill('SIGKILL');
});

interface Running {
  readonly url: string;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it says this on either stream. */
  says(text: string): Promise<string>;
}

async function serve(): Promise<Running> {
  const flags = ['serve', '--model', directory, '--engine', 'reference', '--port', '0', '--standby', 'off'];
  const own = spawn(process.execPath, ['cli/longcat-rt.js', ...flags, '--drain-seconds', '3600'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = own;
  let said = '';
  const listeners = new Set<() => void>();
  const hear = (text: Buffer) => {
    said += text;
    for (const listener of listeners) listener();
  };
  own.stdout.on('data', hear);
  own.stderr.on('data', hear);
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
    own.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const says = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (said.includes(text)) resolve(said);
      };
      listeners.add(look);
      void exit.then(() => reject(new Error(`It ended and said: ${said}`)));
      look();
    });
  const url = /http:\/\/[\d.:]+/.exec(await says('Ctrl-C stops'))![0];
  return { url, exit, says, kill: signal => void own.kill(signal) };
}

async function call(url: string): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/realtime?model=x`);
  const closed = new Promise<number>(resolve => {
    socket.on('close', code => resolve(code));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('message', () => resolve());
    socket.on('error', reject);
  });
  return { closed };
}

it('SIGTERM lets those that talk go on and nobody in; a second one closes with 1001', async () => {
  const server = await serve();
  const { closed } = await call(server.url);
  server.kill('SIGTERM');
  await server.says('no new sessions');
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await expect(call(server.url)).rejects.toThrow('503');
  server.kill('SIGTERM');
  expect(await closed).toBe(1001);
  expect(await server.exit).toEqual({ code: 0, signal: null });
});

it.each(['SIGINT', 'SIGHUP'] as const)('%s closes at once, with 1001', async signal => {
  const server = await serve();
  const { closed } = await call(server.url);
  server.kill(signal);
  expect(await closed).toBe(1001);
  expect(await server.exit).toEqual({ code: 0, signal: null });
});

it('SIGTERM without anybody there ends it', async () => {
  const server = await serve();
  server.kill('SIGTERM');
  expect(await server.exit).toEqual({ code: 0, signal: null });
});

const EARLY = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const;

it.each(EARLY)('%s while starting ends it there and then, and says so', async (signal, status) => {
  const starting = `
    import { StopSignals } from './cli/stop-signals.ts';
    new StopSignals();
    setInterval(() => {}, 1000); // What is being started, and never comes to its end.
    console.log('starting');`;
  const own = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', starting], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = own;
  let said = '';
  own.stderr.on('data', text => {
    said += text;
  });
  const ended = new Promise<unknown[]>(resolve => own.on('close', (...how) => resolve(how)));
  await new Promise(resolve => own.stdout.once('data', resolve));
  own.kill(signal);
  expect(await ended).toEqual([status, null]);
  expect(said).toBe(`${signal}: ended while starting.\n`);
});

it.each(EARLY)('%s at whatever moment of the start leaves nothing behind', async (signal, status) => {
  const server = spawn(
    process.execPath,
    ['cli/longcat-rt.js', 'serve', '--model', directory, '--engine', 'reference', '--port', '0'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child = server;
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', text => {
      said += text;
    });
  const ended = new Promise<unknown[]>(resolve => server.on('close', (...how) => resolve(how)));
  // At the latest once it serves; another one while it closes ends it at once.
  await new Promise(resolve => server.once('spawn', resolve));
  server.kill(signal);
  const [code, by] = await ended;
  if (by === null) expect([0, status]).toContain(code);
  else expect(by).toBe(signal);
  expect(said).not.toMatch(/\bat .*:\d+:\d+/);
});
