/**
 * A step of the four-process run, simulated; and what its costs are fitted by: clocks of two ranks' steps, and of four
 * ranks without a layout.
 */
import { medianEstimate } from '../statistics/estimates.ts';
import { execute } from './machine.ts';
import type { Execution, Operation } from './program.ts';
import { crowdedCost, type Delay, type Slack, smallCosts } from './small-costs.ts';
import { range } from './small-groups.ts';
import type { Measured, SmallSizes } from './small-measured.ts';
import { stepProgram } from './small-step.ts';

/** A step of any layout, on the processors that it was measured on unless others are given. */
export function simulateSmallStep(
  measured: Measured,
  sizes: SmallSizes,
  slack: Slack,
  processors = measured.processors,
): Execution {
  const costs = smallCosts(measured, sizes, slack);
  const ranks = range(sizes.dp * sizes.cp * sizes.pp);
  const programs = ranks.map(rank => stepProgram(measured, sizes, costs, rank));
  return execute(programs, { processors });
}

/** By the steps of the layouts of two ranks, and by exchanges of four ranks without a layout. */
export function fitSlack(measured: Measured): Slack {
  const two = measured.layouts.filter(({ fitted, ranks }) => fitted && ranks.length === 2);
  const none = { delayMs: 0, delayMsPerMb: 0 };
  const alone = descend(
    { slowness: 1, ...none },
    { slowness: 0.08, delayMs: 0.4, delayMsPerMb: 2 },
    { slowness: 1, ...none },
    own =>
      squares(two, layout => {
        const { ms } = simulateSmallStep(measured, layout, { ...own, crowded: own });
        return ms / medianEstimate(layout.stepMs).value;
      }),
  );
  const crowded = descend(none, { delayMs: 0.4, delayMsPerMb: 2 }, none, delay =>
    squares(measured.crowd, row => exchangeWallMs(measured, row, delay) / row.wallMs),
  );
  return { ...alone, crowded };
}

const EXCHANGES = 8;

/** From one exchange to the next where four ranks work and exchange, as train/parallel/crowd.py does. */
function exchangeWallMs(measured: Measured, row: Measured['crowd'][number], delay: Delay): number {
  const { members, together, size, workMs } = row;
  const exchangeMs = crowdedCost(measured.crowd);
  const ms = delay.delayMs + delay.delayMsPerMb * (size / 1e6);
  const programs = range(CROWD).map(rank => {
    const first = Math.floor(rank / members) * members;
    const others = range(members)
      .map(i => first + i)
      .filter(other => other !== rank);
    const sendsTo = together || rank === first ? others : [];
    const hears = together ? others : others.filter(other => other === first);
    const ends = sendsTo.length + hears.length;
    const half = exchangeMs(ends, ends * size) / 2;
    const one: Operation[] = [
      { kind: 'work', label: 'work', ms: workMs + half },
      ...sendsTo.map(to => ({ kind: 'send', to, tag: 'exchange', ms }) as const),
      ...hears.map(from => ({ kind: 'receive', from, tag: 'exchange' }) as const),
      { kind: 'work', label: 'exchange', ms: half },
    ];
    return range(EXCHANGES).flatMap(() => one);
  });
  return execute(programs, { processors: measured.processors }).ms / EXCHANGES;
}

/** Ranks of train/parallel/crowd.py. */
const CROWD = 4;

function squares<Each>(of: readonly Each[], ratio: (each: Each) => number): number {
  return of.reduce((sum, each) => sum + (ratio(each) - 1) ** 2, 0);
}

const HALVINGS = 4;

/** Where `error` is least: one number after the other, in strides that are halved, none below its `floor`. */
function descend<Point extends object>(
  from: Point,
  strides: Point,
  floor: Point,
  error: (point: Point) => number,
): Point {
  type Numbers = Record<string, number>;
  let best = from;
  let least = error(best);
  for (let halving = 0; halving < HALVINGS; halving++)
    for (let moved = true; moved; ) {
      moved = false;
      for (const key of Object.keys(from))
        for (const sign of [1, -1]) {
          const value = (best as Numbers)[key] + (sign * (strides as Numbers)[key]) / 2 ** halving;
          if (value < (floor as Numbers)[key]) continue;
          const next = { ...best, [key]: value };
          const off = error(next);
          if (off >= least) continue;
          [best, least, moved] = [next, off, true];
        }
    }
  return best;
}
