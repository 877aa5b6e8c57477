/**
 * npm run bench -- turn-taking-fit [--turns N] [--seed N] [--model DIR] [--write]: where a model's P(the user goes on) lies. Finds
 * the `meaning` of every preset: the fewest false cut-offs at its delay, on voices, wordings and pauses of another seed than
 * the one that `turn-taking` reports. Run it when the weights have changed; --write puts the numbers into the presets.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type EndpointFromMeaning,
  endpointSilenceMs,
  type PresetName,
  TURN_PRESETS,
} from '../actors/turn-taking/index.ts';
import { judgedTurns } from './turn-taking/judgements.ts';
import { best, pointOfPolicy, policies } from './turn-taking/policy.ts';

const PRESETS = new URL('../actors/turn-taking/presets.ts', import.meta.url);
/** The delays that a preset may have, in the mean and for nine turns in ten; the mean differs by some 25 ms between seeds. */
const DELAYS_MS: Readonly<Record<PresetName, { readonly mean: number; readonly p90?: number }>> = {
  fast: { mean: 400 },
  // After a second of silence a listener takes the turn as left to him.
  balanced: { mean: 600, p90: 1000 },
  patient: { mean: 1000 },
  telephone: { mean: 700 },
};

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '400' },
    seed: { type: 'string', default: '12' },
    model: { type: 'string', default: 'models/nano' },
    write: { type: 'boolean', default: false },
  },
});

const turns = await judgedTurns(Number(values.seed), Number(values.turns), values.model);
let source = readFileSync(PRESETS, 'utf8');
let usual = TURN_PRESETS.balanced.meaning;
for (const name of ['balanced', 'fast', 'patient', 'telephone'] as const) {
  const preset = TURN_PRESETS[name];
  const heard = name === 'telephone' ? turns.filter(({ telephone }) => telephone) : turns;
  const now = pointOfPolicy(name, heard, preset);
  const { mean, p90 } = DELAYS_MS[name];
  const all = policies(heard, preset, preset.meaning.judgeAgainMs);
  const found = best(
    all.filter(({ meaning }) => isInOrder(name, meaning)),
    mean,
    p90,
  );
  console.log(`${name}: now ${(100 * now.falseCutOffs).toFixed(1)} % cut off at ${now.meanDelayMs} ms`);
  if (!found) continue;
  if (name === 'balanced') usual = found.meaning;
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

/** Whatever the model thinks, fast waits no longer than balanced, and patient no less. */
function isInOrder(name: PresetName, meaning: EndpointFromMeaning): boolean {
  if (name !== 'fast' && name !== 'patient') return true;
  const [sooner, later] = name === 'patient' ? [usual, meaning] : [meaning, usual];
  const probabilities = Array.from({ length: 60 }, (_, i) => 1 / (1 + Math.exp(10 - i / 3)));
  return probabilities.every(p => endpointSilenceMs(p, sooner) <= endpointSilenceMs(p, later));
}

function written({ floorMs, ceilingMs, doneBelow, goesOnAbove, judgeAgainMs }: EndpointFromMeaning): string {
  return `{ floorMs: ${floorMs}, ceilingMs: ${ceilingMs}, doneBelow: ${doneBelow}, goesOnAbove: ${goesOnAbove}, judgeAgainMs: ${judgeAgainMs} }`;
}
