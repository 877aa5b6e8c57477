/**
 * What the model makes of every silence of a turn, with nothing decided on it: from this any endpoint policy can be
 * computed without running the model again.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRandom, engineOnClock, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { createBandEnergyDetector, Segmenter } from '../../actors/perceive/index.ts';
import type { TurnDetection } from '../../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_DELAYS } from '../../actors/turn-taking/index.ts';
import { modelHash } from '../../cli/replay/model-hash.ts';
import {
  createEngine,
  type Engine,
  fastestEngine,
  type LanguageModelWork,
} from '../../kernels/engine/index.ts';
import { FRAME, loadClips, RATE, type Spoken, spoken } from './material.ts';

export interface Judgement {
  /** Silence so far. */
  readonly silentMs: number;
  readonly waitProbability: number;
}

/** A silence inside a turn, or the one after it. */
export interface Silence {
  readonly startMs: number;
  /** Null where nothing follows. */
  readonly lengthMs: number | null;
  readonly judgements: readonly Judgement[];
}

export interface JudgedTurn {
  readonly speechEndMs: number;
  readonly telephone: boolean;
  readonly silences: readonly Silence[];
}

const NEVER_MS = 30_000;
/** Silences are looked into this far. */
const LOOK_MS = 2000;
/** The first look into a silence, and every further one. Presets look at multiples of it. */
const LOOK_EVERY_MS = 80;
const FIRST_LOOK_MS = 160;

/** The first `count` turns of a seed; kept in .cache/, for these weights. */
export async function judgedTurns(seed: number, count: number, model: string): Promise<JudgedTurn[]> {
  const file = `.cache/turn-taking/${seed}/judged-${modelHash(model)}-${count}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const utterances = loadClips(seed).filter(({ kind }) => kind === 'utterance');
  const engine = await createEngine({ kind: fastestEngine().kind, modelDirectory: model });
  const judge = new Judge(engine);
  const turns: JudgedTurn[] = [];
  for (const [i, clip] of utterances.slice(0, count).entries())
    turns.push(await judge.judged(spoken(clip, i, LOOK_MS)));
  await judge.close();
  await engine.close();
  writeFileSync(file, JSON.stringify(turns));
  return turns;
}

class Judge {
  readonly #clock = new VirtualClock();
  readonly #runtime;
  readonly #detection: TurnDetection;
  #onJudgement: (probability: number) => void = () => {};

  constructor(engine: Engine) {
    const languageModel = {
      ...bound(engine.languageModel),
      step: async (batch: readonly LanguageModelWork[]) => {
        const answers = await engine.languageModel.step(batch);
        for (const answer of answers) {
          const probability = answer?.sampled?.waitProbability;
          if (typeof probability === 'number') this.#onJudgement(probability);
        }
        return answers;
      },
    };
    const tapped = engineOnClock({ ...engine, languageModel }, this.#clock);
    this.#runtime = createRuntime({ engine: tapped, clock: this.#clock, random: createRandom(1) });
    // Every look is rolled back, and so followed by another one.
    const meaning = {
      ...{ floorMs: NEVER_MS, ceilingMs: NEVER_MS, doneBelow: 1e-9, goesOnAbove: 1e-8 },
      judgeAgainMs: LOOK_EVERY_MS,
    };
    const detection = { speculateSilenceMs: FIRST_LOOK_MS, endpointSilenceMs: NEVER_MS, meaning };
    this.#detection = { ...DEFAULT_TURN_DETECTION, ...detection } as TurnDetection;
  }

  async judged(turn: Spoken): Promise<JudgedTurn> {
    const session = this.#runtime.openSession({ turnDetection: this.#detection, maxReplySteps: 2 });
    const seen: { atMs: number; waitProbability: number }[] = [];
    let atMs = 0;
    this.#onJudgement = waitProbability => void seen.push({ atMs, waitProbability });
    for (let at = 0; at + FRAME <= turn.samples.length; at += FRAME) {
      atMs += 20;
      session.send({ type: 'audio', samples: turn.samples.slice(at, at + FRAME) });
      await this.#clock.runFor(20);
    }
    session.close('measured');
    await this.#clock.runFor(1);
    const silences = silencesOf(turn, this.#detection).map(({ startMs, endMs }) => ({
      startMs,
      lengthMs: endMs === null ? null : endMs - startMs,
      judgements: seen
        .filter(({ atMs }) => atMs > startMs && (endMs === null || atMs < endMs))
        .map(({ atMs, waitProbability }) => ({ silentMs: atMs - startMs, waitProbability })),
    }));
    return { speechEndMs: turn.speechEndMs, telephone: turn.telephone, silences };
  }

  async close(): Promise<void> {
    await this.#runtime.close();
  }
}

function bound(engine: Engine['languageModel']): Omit<Engine['languageModel'], 'step'> {
  return {
    open: () => engine.open(),
    close: id => engine.close(id),
    truncate: (id, length) => engine.truncate(id, length),
  };
}

/** As the runtime's own ear divides the turn. */
function silencesOf(turn: Spoken, detection: TurnDetection): { startMs: number; endMs: number | null }[] {
  const detector = createBandEnergyDetector(RATE);
  const segmenter = new Segmenter({
    threshold: detection.mode === 'vad' ? detection.threshold : 0.5,
    endpointSilenceMs: NEVER_MS,
    speculateSilenceMs: NEVER_MS,
    confirmSpeechMs: TURN_DELAYS.turn.speechMs,
    onsetWindowMs: TURN_DELAYS.turn.windowMs,
  });
  const silences: { startMs: number; endMs: number | null }[] = [];
  for (let at = 0, frames = 0; at + FRAME <= turn.samples.length; at += FRAME) {
    frames += 1;
    for (const { type, atFrame } of segmenter.push(detector.frame(turn.samples.subarray(at, at + FRAME)))) {
      if (type === 'speech.paused') silences.push({ startMs: atFrame * 20, endMs: null });
      // Known only when it is heard for the third time: until then a policy may end the turn.
      if (type === 'speech.resumed') silences.at(-1)!.endMs = frames * 20;
    }
  }
  return silences;
}
