/**
 * The runtime's own share of the latency: what passes between the last user sample in and the first agent sample out
 * when the engine needs no time at all.
 *
 * Measured at the client, in another process, over loopback WebSockets: from sending the `append` that completes the
 * frame at which the endpoint falls (`speech_stopped.audio_end_ms` tells which) to receiving the first
 * `response.output_audio.delta`. So it holds both ways through the kernel, JSON and base64 on both sides, resampling,
 * voice activity detection, turn-taking, the encoder, language-model, tokenizer and decoder actors, and play-out.
 * The first three turns of every caller are not counted: both processes are still being compiled then.
 * `floor` is the round trip of an event that does nothing, under the same load: what transport and JSON alone take.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { createRandom, RealClock, silentLogger } from '../actors/core/index.ts';
import { createRuntime } from '../actors/index.ts';
import { giveHeapRoom } from '../cli/heap-room.ts';
import { startServer } from '../protocols/index.ts';
import { zeroLatencyEngine } from '../test/support/zero-latency-engine.ts';
import type { MeasuredTurn } from './runtime-overhead/clients.ts';

const CLIENTS = fileURLToPath(new URL('./runtime-overhead/clients.ts', import.meta.url));
const GOAL_MS = { p50: 2, p99: 5 };
const ENDPOINT_SILENCE_MS = 300;

interface Options {
  readonly sessions: number;
  readonly turns: number;
  readonly repetitions: number;
  readonly server: 'uws' | 'ws';
  readonly json: boolean;
}

interface Row {
  readonly what: string;
  readonly p50: readonly number[];
  readonly p95: readonly number[];
  readonly p99: readonly number[];
}

const number = (text: string) => Number.parseInt(text, 10);
const options = new Command('runtime-overhead')
  .option('--sessions <n>', 'conversations at once', number, 16)
  .option('--turns <n>', 'turns per repetition, over all sessions', number, 200)
  .option('--repetitions <n>', 'fresh servers', number, 3)
  .option('--server <kind>', 'uws or ws', 'uws')
  .option('--json', 'print every repetition as JSON', false)
  .parse()
  .opts<Options>();

async function measure(speculateSilenceMs: number): Promise<MeasuredTurn[]> {
  const clock = new RealClock();
  const engine = zeroLatencyEngine({ replies: [[{ text: 'Yes.', frames: 8 }]] });
  const runtime = createRuntime({ engine, clock, random: createRandom(1), log: silentLogger });
  const turnDetection = {
    mode: 'vad',
    threshold: 0.5,
    prefixPaddingMs: 300,
    endpointSilenceMs: ENDPOINT_SILENCE_MS,
    speculateSilenceMs,
    createResponse: true,
    interruptResponse: true,
  } as const;
  const server = await startServer({
    runtime,
    sessionDefaults: { turnDetection },
    modelName: engine.model.name,
    engineKind: engine.kind,
    unixTimeMs: Date.now,
    clock,
    log: silentLogger,
    host: '127.0.0.1',
    port: 0,
    keys: [],
    allowedOrigins: [],
    webRoot: 'web',
    socketServer: options.server,
  });
  const url = `${server.url.replace('http', 'ws')}/v1/realtime`;
  const args = ['--import', 'tsx', CLIENTS, url, String(options.sessions), String(options.turns)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 600_000 });
  await server.close();
  await runtime.close();
  return JSON.parse(stdout);
}

/** Nearest rank. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

function row(what: string, repetitions: readonly (readonly number[])[]): Row {
  const at = (q: number) => repetitions.map(values => quantile(values, q));
  return { what, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Median of the repetitions, and the least and greatest. */
function spread(values: readonly number[]): string {
  const [low, middle, high] = [0, 0.5, 1].map(q => quantile(values, q).toFixed(2));
  return `${middle} (${low}–${high})`.padEnd(20);
}

const cases = [
  { name: 'speculation on (t3 = t2 + 200 ms)', speculateSilenceMs: 200 },
  { name: 'speculation off', speculateSilenceMs: ENDPOINT_SILENCE_MS },
];
giveHeapRoom(); // As `serve` does.
const rows: Row[] = [];
for (const { name, speculateSilenceMs } of cases) {
  const runs: MeasuredTurn[][] = [];
  for (let n = 0; n < options.repetitions; n++) runs.push(await measure(speculateSilenceMs));
  rows.push(
    row(
      name,
      runs.map(turns => turns.map(({ replyMs }) => replyMs)),
    ),
  );
  rows.push(
    row(
      '  floor: event and its error',
      runs.map(turns => turns.map(({ floorMs }) => floorMs)),
    ),
  );
}

if (options.json) {
  console.log(JSON.stringify({ ...options, goalMs: GOAL_MS, rows }, null, 2));
} else {
  const { sessions, turns, repetitions, server } = options;
  console.log(
    `runtime overhead, ms: ${sessions} sessions, ${turns} turns, ${repetitions} repetitions on ${server}`,
  );
  console.log('median of the repetitions (least–greatest); goal p50 ≤ 2, p99 ≤ 5\n');
  console.log(`${''.padEnd(36)}${'p50'.padEnd(20)}${'p95'.padEnd(20)}p99`);
  for (const { what, p50, p95, p99 } of rows)
    console.log(what.padEnd(36) + [p50, p95, p99].map(spread).join(''));
}
process.exit(0);
