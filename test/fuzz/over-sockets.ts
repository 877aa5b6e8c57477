/**
 * The same frames over real sockets to a server in a process of its own, from six clients as fast as it reads, while
 * somebody else asks `/healthz` all the time. A server that ends is a crash; what it says on its standard error is a
 * fault.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { createRandom, RealClock } from '../../actors/core/index.ts';
import { ErrorsSeen } from './errors-seen.ts';
import { FrameSource } from './frames.ts';
import { emptyReport, type FuzzOptions, type FuzzReport } from './in-process.ts';

export interface SocketReport extends FuzzReport {
  server: string;
  /** Of `/healthz` while six clients flood, and before they do. */
  healthMs: { before: Latency; during: Latency };
  crashes: number;
  reconnects: Record<string, number>;
}

interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const CLIENTS = 6;
const FRAMES_PER_SESSION = 5000;
const MAX_UNSENT_BYTES = 1024 * 1024;
const HEALTH_EVERY_MS = 20;
const BASELINE_MS = 2000;

export async function fuzzOverSockets(options: FuzzOptions, socketServer = 'auto'): Promise<SocketReport> {
  const report = emptyReport('sockets');
  const clock = new RealClock();
  const sources = Array.from(
    { length: CLIENTS },
    (_, i) => new FrameSource(options.seed * 100 + i, createRandom(`fuzz ${options.seed} ${i}`)),
  );
  // Each draws its first events now: that takes this process seconds, which would be measured as the server's.
  for (const source of sources) source.next();
  const { child, url } = await startServerProcess(report, socketServer);
  const healthMs: number[] = [];
  let before: Latency | null = null;
  let over = false;
  const health = watchHealth(url, clock, healthMs, () => over);
  await pause(clock, BASELINE_MS);
  before = latency(healthMs.splice(0));
  const startMs = clock.nowMs();
  const reconnects: Record<string, number> = {};
  const done = () => report.frames >= options.frames || clock.nowMs() - startMs >= options.maxMs;
  const clients = sources.map(source => flood(url, clock, source, report, reconnects, done));
  await Promise.all(clients);
  report.seconds = (clock.nowMs() - startMs) / 1000;
  over = true;
  await health;
  const crashes = child.exitCode === null && child.signalCode === null ? 0 : 1;
  child.kill('SIGTERM');
  return {
    ...report,
    server: socketServer,
    healthMs: { before, during: latency(healthMs) },
    crashes,
    reconnects,
  };
}

async function startServerProcess(
  report: FuzzReport,
  socketServer: string,
): Promise<{ child: ChildProcess; url: string }> {
  const script = fileURLToPath(new URL('./server-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, socketServer], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr!.on('data', (text: Buffer) => {
    if (report.faults.length < 20) report.faults.push(text.toString().slice(0, 500));
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  child.stdout!.on('data', (text: Buffer) =>
    report.heapMb.push(Number(text.toString().trim().split('\n').at(-1))),
  );
  return { child, url: line.toString().trim() };
}

async function watchHealth(
  url: string,
  clock: RealClock,
  into: number[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const askedMs = clock.nowMs();
    await fetch(`${url}/healthz`).then(
      answer => answer.text(),
      () => {},
    );
    into.push(clock.nowMs() - askedMs);
    await pause(clock, HEALTH_EVERY_MS);
  }
}

async function flood(
  url: string,
  clock: RealClock,
  source: FrameSource,
  report: FuzzReport,
  reconnects: Record<string, number>,
  done: () => boolean,
): Promise<void> {
  while (!done()) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/realtime?model=fuzz`);
    const closed = new Promise<string>(resolve =>
      socket.once('close', (code, why) => resolve(`${code} ${why}`)),
    );
    socket.on('error', () => {});
    if (!(await Promise.race([once(socket, 'open').then(() => true), closed.then(() => false)]))) {
      await pause(clock, 50);
      continue;
    }
    report.sessions++;
    const errors = new ErrorsSeen(report);
    socket.on('message', (data: Buffer) => errors.receive(data.toString()));
    for (let sent = 0; sent < FRAMES_PER_SESSION && !done() && socket.readyState === socket.OPEN; sent++) {
      socket.send(source.next());
      report.frames++;
      if (sent % 50 === 49) await pause(clock, 0);
      while (socket.bufferedAmount > MAX_UNSENT_BYTES && socket.readyState === socket.OPEN)
        await pause(clock, 1);
    }
    socket.send(errors.nextProbe(), () => {});
    const untilMs = clock.nowMs() + 60_000;
    while (!errors.isAnswered && socket.readyState === socket.OPEN && clock.nowMs() < untilMs)
      await pause(clock, 2);
    const lost = socket.readyState !== socket.OPEN;
    if (!lost && !errors.isAnswered) report.stuck++;
    socket.close(1000, 'OK');
    const how = await Promise.race([closed, pause(clock, 5000).then(() => 'no close')]);
    if (lost) reconnects[how] = (reconnects[how] ?? 0) + 1;
    if (lost && !how.startsWith('1008')) report.ended.push(how);
  }
}

const pause = (clock: RealClock, ms: number) => new Promise<void>(resolve => clock.setTimer(ms, resolve));

function latency(values: readonly number[]): Latency {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 10) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
