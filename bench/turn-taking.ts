/**
 * npm run bench -- turn-taking [--turns N] [--sounds N] [--seed N] [--model DIR]: end of turn against delay, and
 * barge-in. Decisions are counted in audio, under the virtual clock, so a busy machine changes nothing; [--answers N]
 * first-audio times are taken over loopback by the real clock, for which the machine should be quiet. Writes
 * docs/turn-taking.md and docs/turn-taking.svg.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { TurnDetection } from '../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_PRESETS } from '../actors/turn-taking/index.ts';
import { loadConfig } from '../cli/config/load.ts';
import { wholeNumber } from '../cli/options.ts';
import { openHouse } from '../cli/house.ts';
import { createEngine, fastestEngine } from '../kernels/engine/index.ts';
import { bargeInTrials } from './turn-taking/barge-in.ts';
import { endpointOf, type Halves, halvesOf, type Point, pointOf } from './turn-taking/end-of-turn.ts';
import { FIRST_AUDIO_POLICIES, type FirstAudio, firstAudio } from './turn-taking/first-audio.ts';
import { judgedTurns } from './turn-taking/judgements.ts';
import { hesitant, loadClips, RATE, spoken } from './turn-taking/material.ts';
import { best, pointOfPolicy, policies } from './turn-taking/policy.ts';
import { loadRecordings } from './turn-taking/recordings.ts';
import { report } from './turn-taking/report.ts';
import { silenceAlone } from './turn-taking/silence-alone.ts';

const THRESHOLDS_MS = [200, 300, 400, 500, 600, 700, 800, 1000, 1200, 1400, 1600];
/** Mean delays that policies are set for, on the tuning seed. */
const DELAYS_MS = [300, 400, 500, 600, 700, 800, 1000, 1200];
const LOOKS = { speculateSilenceMs: 160, endpointSilenceMs: 640 };
const LOOK_AGAIN_MS = 160;
/** Longer than any ceiling. */
const TAIL_MS = 4500;

interface Values {
  readonly turns: number;
  readonly hesitant: number;
  readonly sounds: number;
  readonly seed: number;
  readonly tuningSeed: number;
  readonly tuningTurns: number;
  readonly presets: string;
  readonly answers: number;
  readonly model: string;
}

const values = new Command('turn-taking')
  .option('--turns <n>', 'to judge', wholeNumber, 500)
  .option('--hesitant <n>', 'of them said hesitantly over lines of either kind', wholeNumber, 400)
  .option('--sounds <n>', 'during an answer, of each kind', wholeNumber, 60)
  .option('--seed <n>', 'of voices, wordings and pauses', wholeNumber, 11)
  .option('--tuning-seed <n>', 'on which policies are set', wholeNumber, 12)
  .option('--tuning-turns <n>', 'of that', wholeNumber, 400)
  .option('--presets <a,b>', 'which', 'fast,balanced,patient,telephone')
  .option('--answers <n>', 'whose first sound is timed', wholeNumber, 100)
  .option('--model <directory>', 'what judges', 'models/nano')
  .parse()
  .opts<Values>();

const clips = loadClips(values.seed);
const utterances = clips.filter(clip => clip.kind === 'utterance').slice(0, values.turns);
const turns = utterances.map((clip, i) => spoken(clip, i, TAIL_MS));
const house = await openHouse(loadConfig({ model: values.model, logLevel: 'error' }, process.env), 'virtual');
const hasWait = house.engine.model.tokens.wait !== null;

const alone = turns.map(turn => silenceAlone(turn, THRESHOLDS_MS));
const curve = THRESHOLDS_MS.map((ms, i) =>
  pointOf(
    `silence ${ms} ms`,
    alone.map(ends => ends[i]),
  ),
);
// Policies set on one seed, computed on the other from what the model made of each silence; the presets run as they
// are.
const family: Point[] = [];
if (hasWait) {
  const tuning = await judgedTurns(values.tuningSeed, values.tuningTurns, values.model);
  const judged = await judgedTurns(values.seed, values.turns, values.model);
  const all = policies(tuning, LOOKS, LOOK_AGAIN_MS);
  for (const delayMs of DELAYS_MS) {
    const found = best(all, delayMs);
    if (found)
      family.push(pointOfPolicy(`set for ${delayMs} ms`, judged, { ...LOOKS, meaning: found.meaning }));
  }
}
const meaning: Point[] = [];
const chosen = values.presets.split(',');
for (const [name, preset] of Object.entries(hasWait ? TURN_PRESETS : {})) {
  if (!chosen.includes(name)) continue;
  const detection = { ...DEFAULT_TURN_DETECTION, ...preset } as TurnDetection;
  const ends = [];
  for (const turn of turns) ends.push(await endpointOf(house, turn, detection));
  meaning.push(pointOf(name, ends));
}
// What everybody gets who chooses nothing, and what it is made of.
const hesitantTurns = utterances
  .filter(({ parts }) => parts.length > 1)
  .slice(0, values.hesitant)
  .map((clip, i) => hesitant(clip, i, TAIL_MS));
const byDefault = { ...TURN_PRESETS.balanced, telephone: TURN_PRESETS.telephone };
const halves: Halves[] = [];
for (const [name, preset] of hasWait && hesitantTurns.length > 0
  ? Object.entries({ 'by default': byDefault, 'always balanced': TURN_PRESETS.balanced })
  : []) {
  const detection = { ...DEFAULT_TURN_DETECTION, ...preset } as TurnDetection;
  const ends = [];
  for (const turn of hesitantTurns) ends.push(await endpointOf(house, turn, detection));
  halves.push(halvesOf(name, hesitantTurns, ends));
}
await house.close();
// The trials have a clock of their own, and so an engine that is on no other.
const nano = await createEngine({ kind: fastestEngine().kind, modelDirectory: values.model });
const trials = await bargeInTrials(
  nano,
  clips,
  [...loadRecordings('report'), ...loadRecordings('voices')],
  values.sounds,
);
await nano.close();

const isShort = (samples: Float32Array) => samples.length < 1.2 * RATE;
const questions = clips
  .filter(({ parts }) => parts.length === 1 && isShort(parts[0]))
  .map(({ parts }) => parts[0]);
const asked = Array.from({ length: values.answers }, (_, i) => questions[i % questions.length]);
const answers: FirstAudio[] = [];
for (const policy of Object.keys(FIRST_AUDIO_POLICIES))
  answers.push(await firstAudio(values.model, asked, policy));

const text = report({
  curve,
  family,
  meaning,
  halves,
  trials,
  answers,
  turns: turns.length,
  seed: values.seed,
  tuningSeed: values.tuningSeed,
});
writeFileSync('docs/turn-taking.md', text);
const plot = JSON.stringify({ curve, family, meaning });
const python = process.env.PYTHON ?? 'python3';
spawnSync(python, ['bench/turn-taking/plot.py', 'docs/turn-taking.svg'], {
  input: plot,
  stdio: ['pipe', 'inherit', 'inherit'],
});
console.log(text);
