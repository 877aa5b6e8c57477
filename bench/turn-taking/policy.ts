/** Endpoint policies computed from what the model made of every silence, and the search for the best of them. */
import {
  type EndpointFromMeaning,
  endpointSilenceMs,
  meansWait,
  type TurnPreset,
} from '../../actors/turn-taking/index.ts';
import { type Endpoint, endpointOfEnds, type Point, pointOf } from './end-of-turn.ts';
import type { JudgedTurn, Silence } from './judgements.ts';

export type Timing = Pick<TurnPreset, 'endpointSilenceMs' | 'speculateSilenceMs' | 'meaning'>;

const FRAME_MS = 20;

/**
 * When this silence ends the turn, as the runtime goes about it (`Segmenter`, `Turns`); null: speech goes on before.
 */
function endOf({ judgements, lengthMs }: Silence, timing: Timing): number | null {
  const { meaning, speculateSilenceMs } = timing;
  let limitMs = timing.endpointSilenceMs;
  let judgedMs = 0;
  for (let at = speculateSilenceMs; at < limitMs; at += meaning.judgeAgainMs) {
    const look = judgements.find(({ silentMs }) => silentMs >= at);
    if (!look) break;
    judgedMs = at;
    limitMs = endpointSilenceMs(look.waitProbability, meaning);
    const isLast = at + meaning.judgeAgainMs >= limitMs;
    if (!meansWait(look.waitProbability, meaning) || isLast) break;
  }
  const endMs = Math.ceil(Math.max(limitMs, judgedMs + FRAME_MS) / FRAME_MS) * FRAME_MS;
  return lengthMs !== null && endMs >= lengthMs ? null : endMs;
}

function endpointOf(turn: JudgedTurn, timing: Timing): Endpoint {
  const ends = turn.silences.flatMap(silence => {
    const endMs = endOf(silence, timing);
    return endMs === null ? [] : [silence.startMs + endMs];
  });
  return endpointOfEnds(turn, ends, null, 0);
}

export function pointOfPolicy(name: string, turns: readonly JudgedTurn[], timing: Timing): Point {
  return pointOf(
    name,
    turns.map(turn => endpointOf(turn, timing)),
  );
}

const FLOORS_MS = [240, 260, 280, 300, 320, 360, 400, 500, 600];
const CEILINGS_MS = [800, 1000, 1300, 1600, 2000, 2300, 2600];
const PROBABILITIES = [
  0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 0.99,
];

export interface Policy {
  readonly meaning: EndpointFromMeaning;
  readonly point: Point;
}

/** Every `meaning` of the grid, as it does on these turns. */
export function policies(
  turns: readonly JudgedTurn[],
  timing: Omit<Timing, 'meaning'>,
  judgeAgainMs: number,
): Policy[] {
  return [...meanings(timing, judgeAgainMs)].map(meaning => ({
    meaning,
    point: pointOfPolicy('', turns, { ...timing, meaning }),
  }));
}

/**
 * The one with the fewest false cut-offs whose mean delay, and delay of nine turns in ten, are at most these; undefined
 * where none is as fast.
 */
export function best(
  of: readonly Policy[],
  meanMs: number,
  p90Ms = Number.POSITIVE_INFINITY,
): Policy | undefined {
  return of
    .filter(({ point }) => point.meanDelayMs <= meanMs && point.p90DelayMs <= p90Ms)
    .sort(
      (a, b) => a.point.falseCutOffs - b.point.falseCutOffs || a.point.meanDelayMs - b.point.meanDelayMs,
    )[0];
}

function* meanings(timing: Omit<Timing, 'meaning'>, judgeAgainMs: number): Generator<EndpointFromMeaning> {
  const { endpointSilenceMs: silenceMs, speculateSilenceMs } = timing;
  for (const floorMs of FLOORS_MS.filter(ms => ms > speculateSilenceMs && ms <= silenceMs))
    for (const ceilingMs of CEILINGS_MS.filter(ms => ms >= silenceMs))
      for (const doneBelow of PROBABILITIES)
        for (const goesOnAbove of PROBABILITIES.filter(probability => probability > doneBelow))
          yield { floorMs, ceilingMs, doneBelow, goesOnAbove, judgeAgainMs };
}
