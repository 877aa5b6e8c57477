/** What `npm run bench -- turn-taking` measures, part by part: each can be measured anew without the others. */
import type { TurnDetection } from '../../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_PRESETS } from '../../actors/turn-taking/index.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { type House, openHouse } from '../../cli/house.ts';
import { createEngine, fastestEngine } from '../../kernels/engine/index.ts';
import { bargeInTrials, SYNTHESISED, type Trial } from './barge-in.ts';
import { endpointOf, type Halves, halvesOf, type Point, pointOf } from './end-of-turn.ts';
import { FIRST_AUDIO_POLICIES, type FirstAudio, firstAudio } from './first-audio.ts';
import { judgedTurns } from './judgements.ts';
import { type Clip, hesitant, loadClips, RATE, spoken } from './material.ts';
import { best, pointOfPolicy, policies, type Timing } from './policy.ts';
import { loadRecordings, type RecordedSet } from './recordings.ts';
import { silenceAlone } from './silence-alone.ts';

const THRESHOLDS_MS = [200, 300, 400, 500, 600, 700, 800, 1000, 1200, 1400, 1600];
/** Mean delays that policies are set for, on the tuning seed. */
const DELAYS_MS = [300, 400, 500, 600, 700, 800, 1000, 1200];
const LOOKS = { speculateSilenceMs: 160, endpointSilenceMs: 640 };
const LOOK_AGAIN_MS = 160;
/** Longer than any ceiling. */
const TAIL_MS = 4500;

export interface MeasureOptions {
  readonly turns: number;
  readonly hesitant: number;
  readonly sounds: number;
  readonly seed: number;
  readonly tuningSeed: number;
  readonly tuningTurns: number;
  readonly answers: number;
  readonly model: string;
}

export interface PartFigures {
  readonly silence: readonly Point[];
  /** Policies set for a mean delay on one seed, computed on the other from what the model made of each silence. */
  readonly 'set-for-a-delay': readonly Point[];
  /** As they are, through the runtime. */
  readonly presets: readonly Point[];
  /** What everybody gets who chooses nothing, and what it is made of. */
  readonly halves: readonly Halves[];
  readonly 'first-audio': readonly FirstAudio[];
  readonly sounds: readonly Trial[];
  /** Recordings of packages of which nothing was learnt and by which nothing was chosen. */
  readonly others: readonly Trial[];
}

export type PartName = keyof PartFigures;

type Parts = { readonly [Name in PartName]: (options: MeasureOptions) => Promise<PartFigures[Name]> };

export const PARTS: Parts = {
  silence: async options => {
    const ends = utterances(options).map((clip, i) => silenceAlone(spoken(clip, i, TAIL_MS), THRESHOLDS_MS));
    return THRESHOLDS_MS.map((ms, i) =>
      pointOf(
        `silence ${ms} ms`,
        ends.map(each => each[i]),
      ),
    );
  },
  'set-for-a-delay': async ({ model, seed, tuningSeed, tuningTurns, turns }) => {
    const all = policies(await judgedTurns(tuningSeed, tuningTurns, model), LOOKS, LOOK_AGAIN_MS);
    const judged = await judgedTurns(seed, turns, model);
    return DELAYS_MS.flatMap(delayMs => {
      const found = best(all, delayMs);
      if (!found) return [];
      const timing: Timing = { ...LOOKS, meaning: found.meaning };
      return [pointOfPolicy(`set for ${delayMs} ms`, judged, timing)];
    });
  },
  presets: options =>
    withWaitingModel(options, async house => {
      const turns = utterances(options).map((clip, i) => spoken(clip, i, TAIL_MS));
      const points: Point[] = [];
      for (const [name, preset] of Object.entries(TURN_PRESETS)) {
        const ends = [];
        for (const turn of turns) ends.push(await endpointOf(house, turn, detectionOf(preset)));
        points.push(pointOf(name, ends));
      }
      return points;
    }),
  halves: options =>
    withWaitingModel(options, async house => {
      const turns = loadClips(options.seed)
        .filter(({ kind, parts }) => kind === 'utterance' && parts.length > 1)
        .slice(0, options.hesitant)
        .map((clip, i) => hesitant(clip, i, TAIL_MS));
      const byDefault = { ...TURN_PRESETS.balanced, telephone: TURN_PRESETS.telephone };
      const halves: Halves[] = [];
      for (const [name, preset] of Object.entries({
        'by default': byDefault,
        'always balanced': TURN_PRESETS.balanced,
      })) {
        const ends = [];
        for (const turn of turns) ends.push(await endpointOf(house, turn, detectionOf(preset)));
        halves.push(halvesOf(name, turns, ends));
      }
      return halves;
    }),
  'first-audio': async ({ answers, model, seed }) => {
    const questions = loadClips(seed)
      .filter(({ parts }) => parts.length === 1 && parts[0].length < 1.2 * RATE)
      .map(({ parts }) => parts[0]);
    const asked = Array.from({ length: answers }, (_, i) => questions[i % questions.length]);
    const times: FirstAudio[] = [];
    for (const policy of Object.keys(FIRST_AUDIO_POLICIES))
      times.push(await firstAudio(model, asked, policy));
    return times;
  },
  sounds: async options => [
    ...(await trials(options, [], SYNTHESISED)),
    ...(await trials(options, ['report', 'voices'])),
  ],
  others: options => trials(options, ['fresh', 'unseen']),
};

function utterances({ seed, turns }: MeasureOptions): Clip[] {
  return loadClips(seed)
    .filter(({ kind }) => kind === 'utterance')
    .slice(0, turns);
}

const detectionOf = (preset: object) => ({ ...DEFAULT_TURN_DETECTION, ...preset }) as TurnDetection;

/** Nothing where the model has no wait token. */
async function withWaitingModel<T>(
  { model }: MeasureOptions,
  measure: (house: House) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const house = await openHouse(loadConfig({ model, logLevel: 'error' }, process.env), 'virtual');
  try {
    return house.engine.model.tokens.wait === null ? [] : await measure(house);
  } finally {
    await house.close();
  }
}

/** They have a clock of their own, and so an engine that is on no other. */
async function trials(
  { model, seed, sounds }: MeasureOptions,
  sets: readonly RecordedSet[],
  kinds = [...new Set(sets.flatMap(loadRecordings).map(({ kind }) => kind))] as readonly Trial['kind'][],
): Promise<Trial[]> {
  const engine = await createEngine({ kind: fastestEngine().kind, modelDirectory: model });
  const done = await bargeInTrials(engine, loadClips(seed), sets.flatMap(loadRecordings), sounds, kinds);
  await engine.close();
  return done;
}
