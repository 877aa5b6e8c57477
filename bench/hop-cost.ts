/**
 * npm run bench -- hop-cost [--sessions 32] [--steps 300]: what a host adds to a step (docs/elsewhere.md). The same
 * engine in a thread of this process and behind a nats-server of its own on loopback, in turns: of each component so
 * many streams at once, one step here and one there, their differences, and what the way itself took (the round trip
 * without the host's own time). On a machine shared with other work it measures the others too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { Command } from 'commander';
import { placedEngine } from '../cli/place.ts';
import { wholeNumber } from '../cli/options.ts';
import {
  CODEBOOKS,
  createEngine,
  type Engine,
  fastestEngine,
  textPositions,
} from '../kernels/engine/index.ts';
import { printTable } from './kernels/table.ts';

const COMPONENTS = ['languageModel', 'ganDecoder'] as const;
const PREFIX = 64;
const WARM_STEPS = 20;
/** Of the greatest window of the codes, so that streams can go on for ever. */
const CODE = 40;

const options = new Command('hop-cost')
  .option('--sessions <n>', 'streams of each component', wholeNumber, 32)
  .option('--steps <n>', 'of each, here and there', wholeNumber, 300)
  .option('--model <directory>', 'what computes', 'models/nano')
  .parse()
  .opts<{ sessions: number; steps: number; model: string }>();

const children: ChildProcess[] = [];

/** The line that a program prints when it is ready. */
async function started(
  program: string,
  args: string[],
  from: 'stdout' | 'stderr',
  ready: RegExp,
): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${program} ended with ${code} before it was ready.`);
  });
  gone.catch(() => {});
  child[from === 'stdout' ? 'stderr' : 'stdout'].resume();
  const lines = createInterface(child[from] as Readable);
  const found = new Promise<string>(resolve => {
    lines.on('line', line => ready.test(line) && resolve(line));
  });
  return Promise.race([found, gone as Promise<never>]);
}

/** A step of all sessions. */
type Step = () => PromiseLike<unknown>;

async function languageModelSteps({ languageModel, model }: Engine): Promise<Step> {
  const sequences = Array.from({ length: options.sessions }, () => languageModel.open());
  const prefix = textPositions(new Array<number>(PREFIX).fill(model.tokens.bos));
  for (const sequence of sequences) await languageModel.step([{ sequence, positions: prefix }]);
  const history = new Int32Array(30).fill(-1);
  const sample = {
    ...{ textHistory: history, codeHistories: Array.from({ length: CODEBOOKS }, () => history), draw: 0 },
    ...{ temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1, speech: true },
  };
  return async () => {
    const positions = textPositions([model.tokens.bos]);
    await languageModel.step(sequences.map(sequence => ({ sequence, positions, sample })));
    for (const sequence of sequences) languageModel.truncate(sequence, PREFIX);
  };
}

async function ganDecoderSteps({ ganDecoder }: Engine): Promise<Step> {
  const streams = Array.from({ length: options.sessions }, () => ganDecoder.open());
  const codes = new Int32Array(CODEBOOKS).fill(CODE);
  return () => ganDecoder.step(streams.map(stream => ({ stream, codes, finish: false })));
}

const STEPS = { languageModel: languageModelSteps, ganDecoder: ganDecoderSteps };

const quantile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];
const shown = (values: readonly number[]) =>
  [0.5, 0.95, 0.99].map(share => quantile(values, share).toFixed(2)).join(' / ');

async function timed(step: Step): Promise<number> {
  const beganMs = performance.now();
  await step();
  return performance.now() - beganMs;
}

async function compare(name: (typeof COMPONENTS)[number], here: Engine, there: Engine, hops: number[]) {
  const [near, far] = [await STEPS[name](here), await STEPS[name](there)];
  for (let i = 0; i < WARM_STEPS; i++) await Promise.all([near(), far()]);
  const [nearMs, farMs]: number[][] = [[], []];
  hops.length = 0;
  for (let i = 0; i < options.steps; i++) {
    // Whoever is first in a pair may find the processor in another state.
    if (i % 2 === 0) nearMs.push(await timed(near));
    farMs.push(await timed(far));
    if (i % 2 === 1) nearMs.push(await timed(near));
  }
  const added = farMs.map((ms, i) => ms - nearMs[i]);
  const way = shown(hops);
  return [name, shown(nearMs), shown(farMs), shown(added), way];
}

try {
  const listening = /client connections on 127\.0\.0\.1:(\d+)/;
  const line = await started('nats-server', ['-a', '127.0.0.1', '-p', '-1'], 'stderr', listening);
  const nats = `nats://127.0.0.1:${listening.exec(line)![1]}`;
  const host = [
    'cli/longcat-rt.js',
    'engine',
    '--model',
    options.model,
    '--components',
    COMPONENTS.join(','),
  ];
  await started(process.execPath, [...host, '--nats', nats], 'stdout', /^Serves /);
  const { kind } = fastestEngine();
  const engine = { kind, modelDirectory: options.model, components: COMPONENTS };
  const here = await createEngine(engine);
  const hops: number[] = [];
  const place = COMPONENTS.map(component => `${component}=${nats}`);
  const onHop = (ms: number) => void hops.push(ms);
  const there = await placedEngine(engine, place, { sglangVectors: 'bf16', onHop });
  const rows: string[][] = [];
  for (const name of COMPONENTS) rows.push(await compare(name, here, there, hops));
  console.log(`${options.sessions} streams, ${options.steps} steps of each; ms, p50 / p95 / p99`);
  printTable(['component', 'in this process', 'on the host', 'added', 'the way alone'], rows);
  await Promise.all([here.close(), there.close()]);
} finally {
  for (const child of children) child.kill();
}
