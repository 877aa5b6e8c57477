/**
 * npm run bench -- turn-taking-fit [--turns N] [--seed N] [--model DIR] [--write]: where a model's P(the user goes on)
 * lies. Finds the `meaning` of every preset: the fewest false cut-offs at its delay, on voices, wordings and pauses of
 * another seed than the one that `turn-taking` reports. Run it when the weights have changed; --write puts the numbers
 * into the presets.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import {
  type EndpointFromMeaning,
  endpointSilenceMs,
  type PresetName,
  TURN_PRESETS,
} from '../actors/turn-taking/index.ts';
import { judgedTurns } from './turn-taking/judgements.ts';
import { best, pointOfPolicy, policies } from './turn-taking/policy.ts';

const PRESETS = new URL('../actors/turn-taking/presets.ts', import.meta.url);
/**
 * The delays that a preset may have, in the mean and for nine turns in ten; the mean differs by some 25 ms between
 * seeds.
 */
const DELAYS_MS: Readonly<Record<PresetName, { readonly mean: number; readonly p90?: number }>> = {
  fast: { mean: 300 },
  // After a second of silence a listener takes the turn as left to him.
  balanced: { mean: 400, p90: 1000 },
  patient: { mean: 700 },
  telephone: { mean: 600 },
};

/** P(the user goes on) below which nobody would think so. */
const PROBABLY_OVER = 0.02;

const values = new Command('turn-taking-fit')
  .option('--turns <n>', 'to judge', wholeNumber, 400)
  .option('--seed <n>', 'of voices, wordings and pauses', wholeNumber, 12)
  .option('--model <directory>', 'what judges', 'models/nano')
  .option('--write', 'take the policies into the presets', false)
  .parse()
  .opts<{ turns: number; seed: number; model: string; write: boolean }>();

const turns = await judgedTurns(values.seed, values.turns, values.model);
let source = readFileSync(PRESETS, 'utf8');
let sooner: EndpointFromMeaning | null = null;
for (const name of ['fast', 'balanced', 'patient', 'telephone'] as const) {
  const preset = TURN_PRESETS[name];
  const heard = name === 'telephone' ? turns.filter(({ telephone }) => telephone) : turns;
  const now = pointOfPolicy(name, heard, preset);
  const { mean, p90 } = DELAYS_MS[name];
  const all = policies(heard, preset, preset.meaning.judgeAgainMs);
  const found = best(
    all.filter(({ meaning }) => name === 'telephone' || isLater(meaning, sooner)),
    mean,
    p90,
  );
  console.log(`${name}: now ${(100 * now.falseCutOffs).toFixed(1)} % cut off at ${now.meanDelayMs} ms`);
  sooner = (found ?? preset).meaning;
  if (!found) continue;
  const { falseCutOffs, meanDelayMs } = found.point;
  console.log(
    `  ${written(found.meaning)} ${(100 * falseCutOffs).toFixed(1)} % cut off at ${meanDelayMs} ms`,
  );
  source = source.replace(
    new RegExp(`(  ${name}: \\{[^]*?meaning: )\\{[^}]*\\}`),
    `$1${written(found.meaning)}`,
  );
}
if (values.write) writeFileSync(PRESETS, source);

/**
 * Whatever the model thinks, balanced waits no less than fast, and patient no less than balanced; longer where the turn
 * is probably over.
 */
function isLater(meaning: EndpointFromMeaning, than: EndpointFromMeaning | null): boolean {
  if (than === null) return true;
  const probabilities = Array.from({ length: 60 }, (_, i) => 1 / (1 + Math.exp(10 - i / 3)));
  const moreMs = (p: number) => endpointSilenceMs(p, meaning) - endpointSilenceMs(p, than);
  return probabilities.every(p => moreMs(p) >= 0 && (p > PROBABLY_OVER || moreMs(p) > 0));
}

function written({ floorMs, ceilingMs, doneBelow, goesOnAbove, judgeAgainMs }: EndpointFromMeaning): string {
  return `{ floorMs: ${floorMs}, ceilingMs: ${ceilingMs}, doneBelow: ${doneBelow}, goesOnAbove: ${goesOnAbove}, judgeAgainMs: ${judgeAgainMs} }`;
}
