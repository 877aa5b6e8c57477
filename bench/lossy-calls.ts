/**
 * `npm run bench -- lossy-calls [--loss 0,1,3,5,10] [--jitter 0,20,60,120] [--seeds 1]`: what nano understands of
 * callers over WebRTC whose packets are lost or scatter: questions with one right answer each, a call of its own, and
 * how many were answered rightly beside a line without a fault. In virtual time; real are the call, its jitter buffer,
 * Opus at both ends and the model. The voices are flite's and the questions ours, so the ratio counts, not the share.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { VirtualClock } from '../actors/core/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { openHouse } from '../cli/house.ts';
import { resampled } from '../cli/media/resampled.ts';
import { readWav } from '../cli/media/wav.ts';
import { loadOpus } from '../protocols/media/index.ts';
import { answersOver, type LossyLine } from '../test/support/lossy-calls.ts';
import { printTable } from './kernels/table.ts';

const RATE_HZ = 24_000;
const BEFORE_MS = 400;
/** An answer is begun, and its words are known, by then. */
const AFTER_MS = 3500;
const VOICES = ['awb', 'rms', 'slt'];
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const QUESTIONS = [
  ...[
    [2, 3],
    [4, 4],
    [1, 6],
    [5, 3],
    [2, 7],
    [3, 3],
    [6, 4],
    [1, 4],
  ].map(([a, b]) => ({ text: `what is ${NUMBERS[a]} plus ${NUMBERS[b]}`, answer: NUMBERS[a + b] })),
  ...[
    [9, 4],
    [6, 2],
    [8, 5],
    [10, 3],
  ].map(([a, b]) => ({ text: `what is ${NUMBERS[a]} minus ${NUMBERS[b]}`, answer: NUMBERS[a - b] })),
  ...[3, 5, 7, 8].map(n => ({ text: `what comes after ${NUMBERS[n]}`, answer: NUMBERS[n + 1] })),
];

const list = (text: string) => text.split(',').map(Number);
const options = new Command('lossy-calls')
  .option('--loss <percents>', 'of the packets, each by itself', list, [0, 1, 3, 5, 10])
  .option('--jitter <ms>', 'the most that a packet is later than the line’s least', list, [0, 20, 60, 120])
  .option('--seeds <n>', 'lines of each kind', Number, 1)
  .option('--print', 'say each answer that is wrong', false)
  .parse()
  .opts<{ loss: number[]; jitter: number[]; seeds: number; print: boolean }>();

const directory = mkdtempSync(join(tmpdir(), 'lossy-calls-'));
const asked = VOICES.flatMap(voice => QUESTIONS.map(question => ({ ...question, voice })));
const speeches = asked.map(({ text, voice }, n) => {
  const path = join(directory, `${n}.wav`);
  execFileSync('flite', ['-voice', voice, '-t', text, '-o', path]);
  const spoken = resampled(readWav(path), RATE_HZ);
  const [before, after] = [BEFORE_MS, AFTER_MS].map(ms => (ms * RATE_HZ) / 1000);
  const whole = new Float32Array(before + spoken.length + after);
  whole.set(spoken, before);
  return whole;
});
rmSync(directory, { recursive: true });

const house = await openHouse(loadConfig({ logLevel: 'error' }, process.env), 'virtual');
const opus = await loadOpus();
const deps = {
  runtime: house.runtime,
  clock: house.clock as VirtualClock,
  settings: house.sessionDefaults,
  opus,
};

async function right(line: Omit<LossyLine, 'seed'>): Promise<number> {
  let count = 0;
  for (let seed = 1; seed <= options.seeds; seed++) {
    const answers = await answersOver({ ...line, seed }, speeches, deps);
    for (const [n, said] of answers.entries()) {
      const isRight = said.toLowerCase().includes(asked[n].answer);
      if (isRight) count += 1;
      else if (options.print) console.error(`${asked[n].voice}: ${asked[n].text} → ${said}`);
    }
  }
  return count;
}

const whole = await right({ loss: 0, jitterMs: 0, copies: 'none' });
const all = asked.length * options.seeds;
const row = async (percent: number, jitterMs: number) => {
  const cells = [`${percent} %`, `${jitterMs} ms`];
  for (const copies of ['red', 'opus', 'none'] as const) {
    const isWhole = percent === 0 && jitterMs === 0;
    const count = isWhole ? whole : await right({ loss: percent / 100, jitterMs, copies });
    cells.push(`${count} of ${all}, ${(count / whole).toFixed(3)}`);
  }
  return cells;
};
const rows: string[][] = [];
for (const percent of options.loss) rows.push(await row(percent, 0));
for (const jitterMs of options.jitter) if (jitterMs > 0) rows.push(await row(3, jitterMs));
printTable(['loss', 'jitter', 'each packet twice (RFC 2198)', 'copies within Opus', 'neither'], rows);
await house.close();
process.exit(0);
