/**
 * `npm run bench -- phone-calls [--calls 50,100,200] [--seconds 10]`: what a telephone call costs without a model.
 * G.711 both ways over loopback, 20 ms packets, real SIP and RTP sockets, the real session (detector, echo gate, jitter
 * order, ledger, pacing) with a scripted engine that answers each utterance; the callers are another process's. Beside
 * it, in the same run, sockets that only send back what comes: the floor. **Late**: how long after its time a packet
 * left, by the wheel that paces it; **gap**: how far from 20 ms two packets of a call came apart at the caller, whose
 * own lateness is in it. On a machine shared with other work it measures the others too.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { RealClock } from '../actors/core/index.ts';
import { resampled } from '../cli/media/resampled.ts';
import { readWav } from '../cli/media/wav.ts';
import { CODECS } from '../protocols/media/index.ts';
import { printTable } from './kernels/table.ts';
import { type Caller, dial, openCallers, speak } from './phone-calls/callers.ts';

const RECORDING = 'test/fixtures/talk/count-to-ten.wav';
/** Between two times that a caller says it: the agent's answer fits in. */
const PAUSE_MS = 5000;
/** Code is loaded and compiled as the first answers are made: three turns of each call. */
const WARM_UP_MS = { calls: 20_000, echo: 3000 };

const options = new Command('phone-calls')
  .option('--calls <counts>', 'calls at once, in turn', '50,100,200')
  .option('--seconds <seconds>', 'of each', '10')
  .parse()
  .opts<{ calls: string; seconds: string }>();

interface Line {
  readonly port?: number;
  readonly ports?: readonly number[];
  readonly cores?: number;
  readonly rss?: number;
  /** Tenths of a millisecond, and how many packets. */
  readonly late?: readonly (readonly [number, number])[];
}

const clock = new RealClock();
const wait = (ms: number) => new Promise<void>(resolve => clock.setTimer(ms, resolve));

/** Starts what is measured; `lines` grows by one a second. */
function measured(mode: 'calls' | 'echo', count: number) {
  const args = ['--import', 'tsx', 'bench/phone-calls/server.ts', mode, String(count)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  let first: (line: Line) => void = () => {};
  const ready = new Promise<Line>(resolve => (first = resolve));
  createInterface({ input: child.stdout }).on('line', text => {
    const line = JSON.parse(text) as Line;
    if (line.port !== undefined || line.ports) first(line);
    else lines.push(line);
  });
  return { lines, ready, end: () => child.stdin.end() };
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ??
  Number.NaN;

/** Of tenths of a millisecond in order, each with how many. */
function lateMs(late: readonly (readonly [number, number])[], share: number): number {
  let left = share * late.reduce((sum, [, count]) => sum + count, 0);
  return (late.find(([, count]) => (left -= count) < 0)?.[0] ?? Number.NaN) / 10;
}

async function once(mode: 'calls' | 'echo', count: number, seconds: number, recording: Buffer) {
  const server = measured(mode, count);
  const { port, ports } = await server.ready;
  while (server.lines.length < 2) await wait(100);
  const idle = server.lines.at(-1)?.rss ?? 0;
  const callers: Caller[] = await openCallers(clock, count);
  if (port !== undefined) await dial(callers, port);
  else for (const [n, caller] of callers.entries()) caller.port = ports![n];
  const stop = speak(clock, callers, recording);
  await wait(WARM_UP_MS[mode]);
  const from = server.lines.length;
  for (const caller of callers) caller.gapsMs = [];
  await wait(seconds * 1000);
  const during = server.lines.slice(from);
  stop();
  const gaps = callers.flatMap(({ gapsMs }) => gapsMs.map(ms => Math.abs(ms - 20)));
  const packets = callers.reduce((sum, { gapsMs }) => sum + gapsMs.length, 0);
  for (const { socket } of callers) socket.close();
  server.end();
  const cores = during.map(line => line.cores ?? 0).reduce((sum, value) => sum + value, 0) / during.length;
  const late = during.flatMap(line => line.late ?? []).sort(([a], [b]) => a - b);
  const rssPerCall = ((during.at(-1)?.rss ?? 0) - idle) / count;
  return { cores, late, gaps, rssPerCall, complete: packets / (count * 50 * seconds) };
}

const samples = resampled(readWav(RECORDING), 8000);
const padded = new Float32Array(samples.length + (PAUSE_MS * 8000) / 1000);
padded.set(samples);
const recording = CODECS['mu-law'].encode(padded);
const rows: string[][] = [];
for (const count of options.calls.split(',').map(Number)) {
  const echo = await once('echo', count, Number(options.seconds), recording);
  const calls = await once('calls', count, Number(options.seconds), recording);
  rows.push([
    ...[
      String(count),
      calls.cores.toFixed(2),
      ((1000 * calls.cores) / count).toFixed(2),
      echo.cores.toFixed(2),
    ],
    ...[`${(calls.cores / echo.cores).toFixed(1)}×`, String(Math.floor(count / calls.cores))],
    ...[lateMs(calls.late, 0.5).toFixed(1), lateMs(calls.late, 0.99).toFixed(1)],
    ...[quantile(calls.gaps, 0.99).toFixed(1), quantile(echo.gaps, 0.99).toFixed(1)],
    ...[(calls.rssPerCall / 2 ** 20).toFixed(2), `${(100 * calls.complete).toFixed(1)} %`],
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
    ...[
      'late p50, ms',
      'late p99, ms',
      'gap p99, ms',
      'gap p99 of the echo, ms',
      'MiB a call',
      'packets that came',
    ],
  ],
  rows,
);
process.exit(0);
