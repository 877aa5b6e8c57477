/**
 * npm run bench -- turn-taking [--turns N] [--sounds N] [--seed N] [--model DIR]: end of turn against delay, and barge-in. Decisions are
 * counted in audio, under the virtual clock, so a busy machine changes nothing; [--answers N] first-audio times are taken over
 * loopback by the real clock, for which the machine should be quiet. Writes docs/turn-taking.md and docs/turn-taking.svg.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { TurnDetection } from '../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_PRESETS } from '../actors/turn-taking/index.ts';
import { loadConfig } from '../cli/config/load.ts';
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

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '500' },
    // Of those, how many are said hesitantly over lines of either kind; 0 leaves them out.
    hesitant: { type: 'string', default: '400' },
    sounds: { type: 'string', default: '60' },
    // Of the voices, wordings and pauses. Policies are set on another than this one.
    seed: { type: 'string', default: '11' },
    'tuning-seed': { type: 'string', default: '12' },
    'tuning-turns': { type: 'string', default: '400' },
    presets: { type: 'string', default: 'fast,balanced,patient,telephone' },
    answers: { type: 'string', default: '100' },
    model: { type: 'string', default: 'models/nano' },
  },
});

const clips = loadClips(Number(values.seed));
const utterances = clips.filter(clip => clip.kind === 'utterance').slice(0, Number(values.turns));
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
// Policies set on one seed, computed on the other from what the model made of each silence; the presets run as they are.
const family: Point[] = [];
if (hasWait) {
  const tuning = await judgedTurns(
    Number(values['tuning-seed']),
    Number(values['tuning-turns']),
    values.model,
  );
  const judged = await judgedTurns(Number(values.seed), Number(values.turns), values.model);
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
  .slice(0, Number(values.hesitant))
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
  Number(values.sounds),
);
await nano.close();

const isShort = (samples: Float32Array) => samples.length < 1.2 * RATE;
const questions = clips
  .filter(({ parts }) => parts.length === 1 && isShort(parts[0]))
  .map(({ parts }) => parts[0]);
const asked = Array.from({ length: Number(values.answers) }, (_, i) => questions[i % questions.length]);
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
  seed: Number(values.seed),
  tuningSeed: Number(values['tuning-seed']),
});
writeFileSync('docs/turn-taking.md', text);
const plot = JSON.stringify({ curve, family, meaning });
const python = process.env.PYTHON ?? 'python3';
spawnSync(python, ['bench/turn-taking/plot.py', 'docs/turn-taking.svg'], {
  input: plot,
  stdio: ['pipe', 'inherit', 'inherit'],
});
console.log(text);
