/**
 * `npm run bench -- socket-flood [--seconds 10] [--clients 6] [--kinds appends,events] [--model DIRECTORY]
 * [--socket-server ws]`: what others notice while a few clients send as fast as the server reads, and what memory the
 * server takes for it.
 *
 * A real `longcat-rt serve` in a process of its own. `/healthz` is asked every 20 ms over one kept connection by a
 * process that does nothing else; the flood comes from another. `quiet` is the same server before the flood. Kinds:
 * `appends` of 20 ms of noise, `long` of 1 s, `items` of text, `events` of the fuzzer (test/fuzz/frames.ts). Memory is
 * what `/metrics` says, once a second; `after` is a second after all have gone. On a busy machine the server also
 * stands in line for a processor: `turns of the loop` are without that (socket-flood/turns.js); on an idle machine a
 * request waits for one or two of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { printTable } from './kernels/table.ts';
import { FLOODS } from './socket-flood/kinds.ts';
import { type Memory, WatchedServer } from './socket-flood/watched-server.ts';

const ASK_EVERY_MS = 20;
const CLIENTS = fileURLToPath(new URL('./socket-flood/clients.ts', import.meta.url));

const options = new Command('socket-flood')
  .option('--seconds <n>', 'of each kind', Number, 10)
  .option('--clients <n>', 'that flood', Number, 6)
  .option('--kinds <names>', 'with commas between', FLOODS.join(','))
  .option('--model <directory>', 'what serves', 'models/nano')
  .option('--socket-server <kind>', 'uws or ws', 'uws')
  .parse()
  .opts<{ seconds: number; clients: number; kinds: string; model: string; socketServer: string }>();

/** Asks until `isOver`, at least once. */
async function watch(server: WatchedServer, isOver: () => boolean) {
  const waitsMs: number[] = [];
  const memories: Memory[] = [];
  await server.turns();
  for (let n = 0; n === 0 || !isOver(); n++) {
    if (n % 50 === 0) memories.push(await server.memory());
    const askedMs = performance.now();
    await server.ask('/healthz');
    waitsMs.push(performance.now() - askedMs);
    await sleep(ASK_EVERY_MS);
  }
  return { waitsMs, turns: await server.turns(), memories };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

const shown = ({ resident, heap, external }: Memory) =>
  [resident, heap, external].map(mib => mib.toFixed(0)).join(' / ');

function row(
  name: string,
  frames: number,
  { waitsMs, turns, memories }: Awaited<ReturnType<typeof watch>>,
  after: Memory,
) {
  const most = (of: keyof Memory) => Math.max(...memories.map(memory => memory[of]));
  return [
    name,
    `${waitsMs.length}`,
    [0.5, 0.99, 1].map(share => quantile(waitsMs, share).toFixed(1)).join(' / '),
    [turns.p50, turns.p99, turns.max].map(ms => ms.toFixed(1)).join(' / '),
    frames > 0 ? `${Math.round(frames)}` : '–',
    shown({ resident: most('resident'), heap: most('heap'), external: most('external') }),
    shown(after),
  ];
}

function flood(url: string, kind: string): { child: ChildProcess; sent: Promise<number> } {
  const args = [url, kind, String(options.clients), String(options.seconds)];
  const child = spawn(process.execPath, ['--import', 'tsx', CLIENTS, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', part => {
    text += part;
  });
  return { child, sent: once(child, 'exit').then(() => Number(text.split('\n')[1])) };
}

const server = await WatchedServer.start(options.model, options.socketServer);
const rows: string[][] = [];
try {
  const until = (ms: number) => {
    const endMs = performance.now() + ms;
    return () => performance.now() > endMs;
  };
  await watch(server, until(2000)); // Compiled now.
  rows.push(row('quiet', 0, await watch(server, until(options.seconds * 1000)), await server.memory()));
  for (const kind of options.kinds.split(',')) {
    const { child, sent } = flood(server.webSocketUrl, kind);
    await once(child.stdout!, 'data'); // It has drawn its frames.
    const watched = await watch(server, () => child.exitCode !== null);
    const frames = await sent;
    await sleep(1000);
    rows.push(row(kind, frames / options.seconds, watched, await server.memory()));
  }
} finally {
  server.stop();
}
console.log(
  `${options.clients} clients, ${options.seconds} s a row; /healthz and turns: p50 / p99 / max ms; memory in MiB: resident / heap / external\n`,
);
printTable(['flood', 'asked', '/healthz', 'turns of the loop', 'frames / s', 'most memory', 'after'], rows);
process.exit(0);
