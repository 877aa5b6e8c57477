/**
 * `npm run bench -- socket-flood [--seconds 10] [--clients 6] [--kinds appends,events]`: what others notice while a few
 * clients send as fast as the server reads, and what memory the server takes for it.
 *
 * A real `longcat-rt serve` in a process of its own. `/healthz` is asked every 20 ms over one kept connection by a process that does
 * nothing else; the flood comes from another. `quiet` is the same server before the flood. Kinds: `appends` of 20 ms of noise, `long` of
 * 1 s, `items` of text, `events` of the fuzzer (test/fuzz/frames.ts). Memory is what `/metrics` says, once a second; `held` is
 * what remains of it when all have gone. On a busy machine the server also stands in line for a processor:
 * `turns of the loop` are without that (socket-flood/turns.js); on an idle machine a request waits for one or two of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { printTable } from './kernels/table.ts';
import { FLOODS } from './socket-flood/kinds.ts';

const ASK_EVERY_MS = 20;
const TURNS = new URL('./socket-flood/turns.js', import.meta.url).href;
const CLIENTS = fileURLToPath(new URL('./socket-flood/clients.ts', import.meta.url));

const options = new Command('socket-flood')
  .option('--seconds <n>', 'of each kind', Number, 10)
  .option('--clients <n>', 'that flood', Number, 6)
  .option('--kinds <names>', 'with commas between', FLOODS.join(','))
  .option('--model <directory>', 'what serves', 'models/nano')
  .parse()
  .opts<{ seconds: number; clients: number; kinds: string; model: string }>();

interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
}

interface Turns {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', part => {
        text += part;
      });
      answer.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

async function memory(url: string): Promise<Memory> {
  const text = await ask(`${url}/metrics`);
  const mib = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]) / 2 ** 20;
  return {
    rss: mib('process_resident_memory_bytes'),
    heap: mib('nodejs_heap_size_used_bytes'),
    external: mib('nodejs_external_memory_bytes'),
  };
}

let onTurns: (turns: Turns) => void = () => {};

/** Of the server's event loop, since they were last asked for. */
function turns(): Promise<Turns> {
  server.kill('SIGUSR2');
  return new Promise(resolve => {
    onTurns = resolve;
  });
}

function readTurns(text: string): void {
  for (const line of text.split('\n')) {
    if (line.startsWith('turns ')) onTurns(JSON.parse(line.slice(6)) as Turns);
    else if (line !== '' && !line.includes('component fault')) console.error(line);
  }
}

/** Asks until `isOver`, at least once. */
async function watch(url: string, isOver: () => boolean) {
  const waitsMs: number[] = [];
  await turns();
  const memories: Memory[] = [];
  for (let n = 0; n === 0 || !isOver(); n++) {
    if (n % 50 === 0) memories.push(await memory(url));
    const askedMs = performance.now();
    await ask(`${url}/healthz`);
    waitsMs.push(performance.now() - askedMs);
    await sleep(ASK_EVERY_MS);
  }
  return { waitsMs, turns: await turns(), memories };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

function row(
  name: string,
  frames: number,
  { waitsMs, turns, memories }: Awaited<ReturnType<typeof watch>>,
  held: Memory,
) {
  const most = (of: (m: Memory) => number) => Math.max(...memories.map(of)).toFixed(0);
  return [
    name,
    `${waitsMs.length}`,
    [0.5, 0.99, 1].map(share => quantile(waitsMs, share).toFixed(1)).join(' / '),
    [turns.p50, turns.p99, turns.max].map(ms => ms.toFixed(1)).join(' / '),
    frames > 0 ? `${Math.round(frames)}` : '–',
    [most(m => m.rss), most(m => m.heap), most(m => m.external)].join(' / '),
    [held.rss, held.heap, held.external].map(value => value.toFixed(0)).join(' / '),
  ];
}

function run(file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function stdoutOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.on('data', part => {
    text += part;
  });
  await once(child, 'exit');
  return text;
}

const server = spawn(
  process.execPath,
  ['--import', TURNS, `${PACKAGE_ROOT}cli/longcat-rt.js`, 'serve', '--port', '0', '--model', options.model],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
server.stderr.on('data', (text: Buffer) => readTurns(text.toString()));
const [line] = (await once(server.stdout!, 'data')) as [Buffer];
const url = /http\S+/.exec(line.toString())![0];
const rows: string[][] = [];
try {
  const untilMs = performance.now() + options.seconds * 1000;
  await watch(url, () => performance.now() > untilMs - options.seconds * 500); // Compiled now.
  rows.push(row('quiet', 0, await watch(url, () => performance.now() > untilMs), await memory(url)));
  for (const kind of options.kinds.split(',')) {
    const clients = run(CLIENTS, [
      url.replace('http', 'ws'),
      kind,
      String(options.clients),
      String(options.seconds),
    ]);
    const told = stdoutOf(clients);
    await once(clients.stdout!, 'data'); // It has drawn its frames.
    const watched = await watch(url, () => clients.exitCode !== null);
    const frames = Number((await told).split('\n')[1]);
    await sleep(1000);
    rows.push(row(kind, frames / options.seconds, watched, await memory(url)));
  }
} finally {
  server.kill('SIGINT');
}
console.log(
  `${options.clients} clients, ${options.seconds} s a row; /healthz in ms; memory in MiB: resident / heap / external`,
);
printTable(
  ['flood', 'asked', 'p50 / p99 / max', 'turns of the loop', 'frames / s', 'most memory', 'held after'],
  rows,
);
process.exit(0);
