/**
 * What operators and messages of the small model take, from the layouts of two ranks: as under four, both processors
 * work there.
 */
import { leastSquares } from '../statistics/least-squares.ts';
import { straight } from '../statistics/straight.ts';
import { countsOf, type Measured, type SmallLayout, type SmallSizes } from './small-measured.ts';

/** How long a message is under way while no processor works at it. */
export interface Delay {
  readonly delayMs: number;
  readonly delayMsPerMb: number;
}

/**
 * What medians of processor's time leave out, and walls of clocks show: steps of two ranks, and exchanges of four
 * without a layout.
 */
export interface Slack extends Delay {
  /** How much longer a rank's layers take when they have to be waited for: a meeting waits for the later of two. */
  readonly slowness: number;
  /** Where ranks outnumber processors: one that is waited for has to wait for its turn as well. */
  readonly crowded: Delay;
}

export interface SmallCosts {
  readonly forwardLayerMs: number;
  /** Of a whole model; `share` says how much of it is a pipeline stage's. */
  readonly backwardMs: number;
  readonly backwardShare: (stage: number, pp: number) => number;
  readonly embedMs: number;
  readonly headMs: number;
  /** By operator: what is the same everywhere, on the rank that loads and on the others. */
  readonly around: (operator: string, loads: boolean) => number;
  readonly encodeMs: (operator: 'encode' | 'encode back', tokens: number) => number;
  /** Of so many numbers of gradients that are brought, and of so many of the optimiser's shard. */
  readonly updateMs: (brought: number, shard: number) => number;
  /** Of the processor, of a rank: for messages of so many bytes together that it waits for at once. */
  readonly exchangeMs: (ends: number, bytes: number) => number;
  /** From one rank to the other while no processor works at it. */
  readonly delayMs: (bytes: number) => number;
}

export function smallCosts(measured: Measured, sizes: SmallSizes, slack: Slack): SmallCosts {
  const { cp } = sizes;
  const named = (name: string) => fittedLayout(measured, name);
  const own = (layout: SmallLayout, operator: string) =>
    mean(layout.ranks.flatMap(({ operators }) => operators[operator]?.ownMs ?? []));
  const base = named(cp === 1 ? 'DP 2' : `CP ${cp}`);
  const [both, staged] = [named('CP 2'), named('PP 2')];
  const two = measured.layouts.filter(({ fitted, ranks }) => fitted && ranks.length === 2);
  const backward = (stage: number) => staged.ranks[stage].operators.backward.ownMs;
  const crowded = sizes.dp * sizes.cp * sizes.pp > measured.processors;
  const exchangeMs = crowded ? crowdedCost(measured.crowd) : messageCost(two);
  const delay = crowded ? slack.crowded : slack;
  const encode = { encode: encodeCost(two, 'encode'), 'encode back': encodeCost(two, 'encode back') };
  const update = updateCost(measured, two);
  return {
    forwardLayerMs: (slack.slowness * own(base, 'forward')) / measured.layers,
    backwardMs: slack.slowness * own(base, 'backward'),
    backwardShare: (stage, pp) => (pp === 1 ? 1 : backward(stage) / (backward(0) + backward(1))),
    embedMs: own(base, 'embed'),
    headMs: own(base, 'head'),
    around: (operator, loads) => both.ranks[loads ? 0 : 1].operators[operator]?.ownMs ?? 0,
    encodeMs: (operator, tokens) => encode[operator].fixed + encode[operator].each * tokens,
    updateMs: (brought, shard) => update.ofBrought * brought + update.ofShard * shard,
    exchangeMs,
    delayMs: bytes => delay.delayMs + delay.delayMsPerMb * (bytes / 1e6),
  };
}

function fittedLayout(measured: Measured, name: string): SmallLayout {
  return measured.layouts.find(layout => layout.fitted && layout.name === name)!;
}

function messageCost(two: readonly SmallLayout[]): SmallCosts['exchangeMs'] {
  const [endMs, byteMs] = leastSquares(
    two.flatMap(({ ranks }) =>
      ranks.map(({ messages: { ends, bytes, threadMs, besideMs } }) => ({
        x: [ends, bytes],
        y: threadMs + besideMs,
      })),
    ),
    2,
  );
  return (ends, bytes) => endMs * ends + byteMs * bytes;
}

/**
 * Where ranks outnumber processors: as measured, by the ends of an exchange and the bytes of a message, and straight in
 * between. (One line through all misses exchanges of two by half a millisecond.)
 */
export function crowdedCost(crowd: Measured['crowd']): SmallCosts['exchangeMs'] {
  const byEnds = new Map<number, [number, number][]>();
  for (const { ends, size, threadMs, besideMs } of [...crowd].sort((a, b) => a.size - b.size))
    byEnds.set(ends, [...(byEnds.get(ends) ?? []), [size, threadMs + besideMs]]);
  const curves = [...byEnds].sort(([a], [b]) => a - b);
  return (ends, bytes) => {
    const points = curves.map(([count, curve]): [number, number] => [count, straight(curve, bytes / ends)]);
    return straight(points, ends);
  };
}

function encodeCost(two: readonly SmallLayout[], name: string) {
  const operators = two.flatMap(({ ranks }) => ranks.map(rank => rank.operators[name]));
  const [fixed, each] = leastSquares(
    operators.flatMap(({ tokens, eachMs }) => tokens.map((count, i) => ({ x: [1, count], y: eachMs[i] }))),
    2,
  );
  return { fixed, each };
}

/** The update, and what of the step is in no operator: gradients laid one after the other. */
function updateCost(measured: Measured, two: readonly SmallLayout[]) {
  const equations = two.flatMap(layout =>
    layout.ranks.map(({ operators, place }) => {
      const { brought, shard } = updateSizes(measured, layout, place[1]);
      const inside = Object.entries(operators).filter(([name]) => name !== 'step' && name !== 'update');
      const others = inside.reduce((sum, [, { count, ownMs }]) => sum + count * ownMs, 0);
      return { x: [brought, shard], y: operators.step.ownMs - others };
    }),
  );
  const [ofBrought, ofShard] = leastSquares(equations, 2);
  return { ofBrought, ofShard };
}

/** Numbers that a rank brings to the sums of gradients, and of its shards of the optimiser. */
export function updateSizes(measured: Measured, layout: SmallSizes, stage: number) {
  const { dp, cp, pp, ep } = layout;
  const { dense, experts, encoders } = countsOf(measured, layout, stage);
  return {
    brought: dense + experts * ep + encoders,
    shard: dense / (dp * cp) + (experts * ep) / (dp * cp) + encoders / (cp * pp),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
