/**
 * `npm run bench -- video-calls [--calls 10,20,40] [--cameras 0,10] [--seconds 10]`: what a call over WebRTC costs
 * without a model. Opus both ways over loopback through ICE, DTLS and SRTP, the real door and session with a scripted
 * engine that answers each utterance; callers with a camera answer each request for a key frame with one of 640 × 480.
 * Beside it, in the same run, the same transport that only sends back the sound that comes: werift's own echo, the
 * floor. The callers, werift too, are another process's. On a machine shared with other work it measures the others
 * too.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { RealClock } from '../actors/core/index.ts';
import { printTable } from './kernels/table.ts';
import { openCallers } from './video-calls/callers.ts';

const WARM_UP_MS = 6000;

const options = new Command('video-calls')
  .option('--calls <counts>', 'calls at once, in turn', '10,20,40')
  .option('--cameras <counts>', 'with a camera at once, in turn, after those', '10')
  .option('--seconds <seconds>', 'of each', '10')
  .parse()
  .opts<{ calls: string; cameras: string; seconds: string }>();

interface Line {
  readonly url?: string;
  readonly cores?: number;
  readonly rss?: number;
  readonly pictures?: number;
}

type Mode = 'calls' | 'echo';

const clock = new RealClock();
const wait = (ms: number) => new Promise<void>(resolve => clock.setTimer(ms, resolve));

/** Starts what is measured; `lines` grows by one a second. */
function measured(mode: Mode) {
  const args = ['--import', 'tsx', 'bench/video-calls/server.ts', mode];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  let first: (url: string) => void = () => {};
  const url = new Promise<string>(resolve => (first = resolve));
  createInterface({ input: child.stdout }).on('line', text => {
    const line = JSON.parse(text) as Line;
    if (line.url !== undefined) first(line.url);
    else lines.push(line);
  });
  return { lines, url, end: () => child.stdin.end() };
}

async function once(mode: Mode, count: number, hasCamera: boolean, seconds: number) {
  const server = measured(mode);
  const url = await server.url;
  while (server.lines.length < 2) await wait(100);
  const idle = server.lines.at(-1)?.rss ?? 0;
  const callers = await openCallers({ clock, url, count, hasCamera });
  // Code is loaded and compiled as the first answers are made.
  await wait(WARM_UP_MS);
  const from = server.lines.length;
  const before = { ...callers.heard };
  await wait(seconds * 1000);
  const during = server.lines.slice(from);
  const packets = callers.heard.packets - before.packets;
  const pictures = callers.heard.keyFramesAsked - before.keyFramesAsked;
  await callers.close();
  server.end();
  const cores = during.map(line => line.cores ?? 0).reduce((sum, value) => sum + value, 0) / during.length;
  const rssPerCall = ((during.at(-1)?.rss ?? 0) - idle) / count;
  return { cores, rssPerCall, packets, pictures: pictures / count / seconds };
}

const plans = [
  ...options.calls.split(',').map(count => ({ count: Number(count), hasCamera: false })),
  ...options.cameras.split(',').map(count => ({ count: Number(count), hasCamera: true })),
].filter(({ count }) => count > 0);
const rows: string[][] = [];
for (const { count, hasCamera } of plans) {
  const echo = await once('echo', count, false, Number(options.seconds));
  const calls = await once('calls', count, hasCamera, Number(options.seconds));
  rows.push([
    `${count}${hasCamera ? ', camera' : ''}`,
    ...[calls.cores.toFixed(2), ((1000 * calls.cores) / count).toFixed(1), echo.cores.toFixed(2)],
    ...[`${(calls.cores / echo.cores).toFixed(1)}×`, String(Math.floor(count / calls.cores))],
    ...[(calls.rssPerCall / 2 ** 20).toFixed(2), calls.pictures.toFixed(2), String(calls.packets)],
  ]);
}
console.log(
  `load average ${loadavg()
    .map(value => value.toFixed(1))
    .join(' ')}`,
);
printTable(
  [
    ...['calls', 'cores', 'ms of a core a call and second', 'cores of the echo', 'ratio', 'calls a core'],
    ...['MiB a call', 'pictures a call and second', 'voice packets heard'],
  ],
  rows,
);
process.exit(0);
