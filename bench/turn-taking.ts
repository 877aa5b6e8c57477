/**
 * npm run bench -- turn-taking [--parts a,b] [--turns N] [--hesitant N] [--sounds N] [--seed N] [--model DIR]: end of
 * turn against delay, and barge-in. Decisions are counted in audio, under the virtual clock, so a busy machine changes
 * nothing; [--answers N] first-audio times are taken over loopback by the real clock, for which the machine should be
 * quiet. Each part keeps its figures in docs/turn-taking.json, with the weights and the seed that they are of;
 * docs/turn-taking.md and docs/turn-taking.svg are drawn from all of them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { modelHash } from '../cli/replay/model-hash.ts';
import { wholeNumber } from '../cli/options.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { loadMeasured, saveMeasured } from './turn-taking/measured.ts';
import { type MeasureOptions, PARTS, type PartName } from './turn-taking/parts.ts';
import { report } from './turn-taking/report.ts';

const PAGE = 'docs/turn-taking.md';

const values = new Command('turn-taking')
  .option('--parts <a,b>', 'which', Object.keys(PARTS).join(','))
  .option('--turns <n>', 'to judge', wholeNumber, 500)
  .option('--hesitant <n>', 'of them said hesitantly over lines of either kind', wholeNumber, 400)
  .option('--sounds <n>', 'during an answer, of each kind', wholeNumber, 60)
  .option('--seed <n>', 'of voices, wordings and pauses', wholeNumber, 11)
  .option('--tuning-seed <n>', 'on which policies are set', wholeNumber, 12)
  .option('--tuning-turns <n>', 'of that', wholeNumber, 400)
  .option('--answers <n>', 'whose first sound is timed', wholeNumber, 100)
  .option('--model <directory>', 'what judges', 'models/nano')
  .parse()
  .opts<MeasureOptions & { readonly parts: string }>();

const measured = loadMeasured();
for (const part of values.parts.split(',').filter(name => name !== '')) {
  if (!Object.hasOwn(PARTS, part))
    throw new RuntimeError(
      'bench.part',
      `There is no part ${part}.`,
      { part },
      `Parts: ${Object.keys(PARTS).join(', ')}.`,
    );
  const name = part as PartName;
  console.error(`${name} …`);
  const figures = await PARTS[name](values);
  saveMeasured(measured, name, { weights: modelHash(values.model).slice(0, 8), seed: values.seed, figures });
}

const text = report(measured, readFileSync(PAGE, 'utf8'));
writeFileSync(PAGE, text);
const points = (name: 'silence' | 'set-for-a-delay' | 'presets') => measured[name]?.figures ?? [];
const plot = { curve: points('silence'), family: points('set-for-a-delay'), meaning: points('presets') };
spawnSync(process.env.PYTHON ?? 'python3', ['bench/turn-taking/plot.py', 'docs/turn-taking.svg'], {
  input: JSON.stringify(plot),
  stdio: ['pipe', 'inherit', 'inherit'],
});
console.log(text);
