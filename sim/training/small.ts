/**
 * The four-process run of train/parallel, predicted: memory of a rank from the operators that were measured on layouts
 * of one and two ranks, in programs that the same machine runs (docs/training-parallelism.json, written by
 * train/parallel/measure.py).
 */
import { execute } from './machine.ts';
import type { Operation, Program } from './program.ts';
import { turnsOf } from './schedules.ts';
import type { Slack } from './small-costs.ts';
import { countsOf, type Measured, type SmallLayout } from './small-measured.ts';
import { fitSlack, simulateSmallStep } from './small-slack.ts';

const FLOAT = 4;
/** Of a weight: itself whole, two moments of Adam in shards. */
const MOMENTS = 2 * FLOAT;

export interface SmallPrediction {
  readonly name: string;
  readonly rank: number;
  readonly staticBytes: { readonly measured: number; readonly simulated: number };
  /** The most that a rank held in a step, static part included. */
  readonly peakBytes: { readonly measured: number; readonly simulated: number };
}

/** Every rank of the layouts on which nothing was fitted. */
export function predictSmall(measured: Measured): SmallPrediction[] {
  return measured.layouts
    .filter(({ fitted }) => !fitted)
    .flatMap(layout => {
      const programs = layout.ranks.map((_, rank) => memoryProgram(measured, layout, rank));
      const { ranks } = execute(programs);
      return layout.ranks.map((seen, rank) => {
        const staticBytes = staticOf(measured, layout, rank);
        return {
          name: layout.name,
          rank,
          staticBytes: { measured: seen.static, simulated: staticBytes },
          peakBytes: {
            measured: seen.static + seen.peak,
            simulated: staticBytes + ranks[rank].peakBytes,
          },
        };
      });
    });
}

/** Exact: weights, and shards of Adam's moments; encoders in shards of an inner group. */
function staticOf(measured: Measured, layout: SmallLayout, rank: number): number {
  const { dp, cp, pp, ep } = layout;
  const { dense, experts } = countsOf(measured, layout, layout.ranks[rank].place[1]);
  const encoders = Object.values(measured.parameters.encoders).reduce((sum, count) => sum + count, 0);
  const group = dp * cp;
  return (
    dense * (FLOAT + MOMENTS / group) +
    experts * (FLOAT + MOMENTS / (group / ep)) +
    (encoders / (cp * pp)) * (FLOAT + MOMENTS)
  );
}

/** What one micro-batch's operators keep and need, by context-parallel size, from the fitted layouts. */
function operatorsOf(measured: Measured, cp: number) {
  const name = cp === 1 ? '1 × 1 × 1' : `CP ${cp}`;
  const { ranks } = measured.layouts.find(layout => layout.fitted && layout.name === name)!;
  const mean = (operator: string, of: 'held' | 'most') => {
    const values = ranks.flatMap(rank => rank.operators[operator]?.[of] ?? []);
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  };
  return {
    layerHeld: mean('forward', 'held') / measured.layers,
    forwardPasses: mean('forward', 'most') - mean('forward', 'held'),
    embedHeld: mean('embed', 'held') + mean('features', 'held'),
    headHeld: mean('head', 'held'),
    backwardPasses: mean('backward', 'most'),
    loadHeld: mean('load', 'held'),
    itemsHeld: mean('items', 'held') * ranks.length,
    bridgeHeld: mean('bridge', 'held'),
  };
}

export interface SmallStep {
  readonly name: string;
  readonly fitted: boolean;
  readonly measuredMs: readonly number[];
  readonly simulatedMs: number;
}

/** Step times of all layouts; of those that are not `fitted` no number is used. */
export function predictSteps(measured: Measured): { slack: Slack; steps: SmallStep[] } {
  const slack = fitSlack(measured);
  const steps = measured.layouts.map(layout => ({
    name: layout.name,
    fitted: layout.fitted,
    measuredMs: layout.stepMs,
    simulatedMs: simulateSmallStep(measured, layout, slack).ms,
  }));
  return { slack, steps };
}

function memoryProgram(measured: Measured, layout: SmallLayout, rank: number): Program {
  const { dp, cp, pp } = layout;
  const stage = layout.ranks[rank].place[1];
  const own = operatorsOf(measured, cp);
  const mine = measured.microBatches / dp;
  const hop = (measured.length / cp) * measured.hidden * FLOAT;
  const [isFirst, isLast] = [stage === 0, stage === pp - 1];
  // What is sent is the output that is kept anyway; what is received is kept as the input.
  const held =
    (measured.layers / pp) * own.layerHeld + (isFirst ? own.embedHeld : hop) + (isLast ? own.headHeld : 0);
  const { dense, experts } = countsOf(measured, layout, stage);
  // Gradients of experts are kept by sender: together as much as if all experts were here.
  const gradients = (dense + experts * layout.ep) * FLOAT;
  const out: Operation[] = [
    work('load', own.loadHeld / dp + own.itemsHeld / (dp * cp * pp), 0),
    work('bridge', isFirst ? own.bridgeHeld / dp : 0, 0),
  ];
  let first = true;
  for (const { phase } of turnsOf('1f1b', stage, pp, mine)) {
    if (phase === 'F') {
      out.push(work('forward', held + own.forwardPasses, own.forwardPasses));
      continue;
    }
    const gradient = isLast ? 0 : hop;
    const passes = own.backwardPasses + gradient;
    out.push(work('backward', passes + (first ? gradients : 0), passes + held));
    first = false;
  }
  return out;
}

function work(label: string, takes: number, frees: number): Operation {
  return { kind: 'work', label, ms: 1, takes, frees };
}
