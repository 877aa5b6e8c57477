/**
 * Loaded into the server by bench/socket-flood.ts (`--import`): how long the turns of its event loop take, without what
 * its thread stood in line for a processor meanwhile (Linux, /proc/self/schedstat). SIGUSR2 prints the turns since the
 * last time on stderr.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

function watch() {
  const file = openSync(SCHEDSTAT, 'r');
  const bytes = Buffer.alloc(128);
  const inLineMs = () => {
    const length = readSync(file, bytes, 0, 128, 0);
    return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  };
  let turns = [];
  let atMs = performance.now();
  let lineMs = inLineMs();
  const tick = () => {
    const nowMs = performance.now();
    const nowLineMs = inLineMs();
    turns.push(Math.max(0, nowMs - atMs - (nowLineMs - lineMs)));
    atMs = nowMs;
    lineMs = nowLineMs;
    setTimeout(tick, 1).unref();
  };
  tick();
  process.on('SIGUSR2', () => {
    const sorted = turns.toSorted((a, b) => a - b);
    turns = [];
    const at = share => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    console.error(
      `turns ${JSON.stringify({ count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) })}`,
    );
  });
  process.once('exit', () => closeSync(file));
}

if (isMainThread && process.argv[2] === 'serve') watch();
