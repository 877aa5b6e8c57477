/**
 * In which order a pipeline stage does its work. 1F1B: one forward, one backward (Narayanan et al., SC 2021). V-half:
 * every device holds two chunks of layers, the first on the way down and the second on the way back, and the backward
 * is split into what the stage before waits for (B) and the gradients of weights (W); a building block repeated every
 * six units holds half the activations of 1F1B (Qi et al., "Pipeline Parallelism with Controllable Memory", arXiv
 * 2405.15362).
 */
import { RuntimeError } from '../../kernels/errors.ts';

export type Phase = 'F' | 'B' | 'W';

export interface Turn {
  readonly phase: Phase;
  readonly microBatch: number;
  /** 0, or of V-half the second chunk, 1. */
  readonly chunk: 0 | 1;
}

export type ScheduleName = '1f1b' | 'v-half';

export const CHUNKS: Readonly<Record<ScheduleName, 1 | 2>> = { '1f1b': 1, 'v-half': 2 };

/** @throws RuntimeError `sim.training-schedule` where V-half has no place for its blocks */
export function turnsOf(name: ScheduleName, stage: number, stages: number, microBatches: number): Turn[] {
  return name === '1f1b'
    ? oneForwardOneBackward(stage, stages, microBatches)
    : vHalf(stage, stages, microBatches);
}

function oneForwardOneBackward(stage: number, stages: number, microBatches: number): Turn[] {
  const warm = Math.min(stages - 1 - stage, microBatches);
  const turn = (phase: Phase, microBatch: number): Turn => ({ phase, microBatch, chunk: 0 });
  const turns = Array.from({ length: warm }, (_, i) => turn('F', i));
  for (let i = 0; i < microBatches - warm; i++) turns.push(turn('F', warm + i), turn('B', i));
  for (let i = microBatches - warm; i < microBatches; i++) turns.push(turn('B', i));
  return turns;
}

/** Units between two of the same kind on one device: two chunks of F, B and W. */
const PERIOD = 6;
/**
 * From a device to the next: forwards of chunk 0 and 1, backwards of chunk 1 and 0. Three a chunk: half of 1F1B's
 * lifetime.
 */
const HOPS = { f0: 2, f1: 1, b1: 2, b0: 1 } as const;
const MOST_TURN = 6;

/**
 * Units from the end of a way to the beginning of the next: F0 → F1 on the last device, F1 → B1 on the first, B1 → B0
 * on the last.
 */
type Turnings = readonly [number, number, number];

interface Block {
  readonly times: Readonly<Record<'f0' | 'f1' | 'b1' | 'b0' | 'w1' | 'w0', number>>;
}

function blockOf(stage: number, stages: number, [first, second, third]: Turnings): Block | null {
  const down = stages - 1;
  const f0 = HOPS.f0 * stage;
  const f1 = HOPS.f0 * down + first + HOPS.f1 * (down - stage);
  const b1 = HOPS.f0 * down + first + HOPS.f1 * down + second + HOPS.b1 * stage;
  const b0 =
    HOPS.f0 * down + first + HOPS.f1 * down + second + HOPS.b1 * down + third + HOPS.b0 * (down - stage);
  const taken = new Set([f0, f1, b1, b0].map(time => time % PERIOD));
  if (taken.size < 4) return null;
  const [a, b] = Array.from({ length: PERIOD }, (_, slot) => slot).filter(slot => !taken.has(slot));
  const next = (after: number, slot: number) =>
    after + 1 + ((((slot - after - 1) % PERIOD) + PERIOD) % PERIOD);
  const one = { w1: next(b1, a), w0: next(b0, b) };
  const other = { w1: next(b1, b), w0: next(b0, a) };
  const ws = one.w1 + one.w0 <= other.w1 + other.w0 ? one : other;
  return { times: { f0, f1, b1, b0, ...ws } };
}

/** Chunks of activations that a device holds at most when the block repeats for ever. */
function heldBy({ times }: Block): number {
  const lives = [
    [times.f0, times.w0 + 1],
    [times.f1, times.w1 + 1],
  ];
  let most = 0;
  for (let slot = 0; slot < PERIOD; slot++) {
    // How many of each kind are alive at a time of this slot, far from both ends.
    const at = 100 * PERIOD * PERIOD + slot;
    const alive = lives.map(
      ([from, to]) => Math.floor((at - from) / PERIOD) - Math.floor((at - to) / PERIOD),
    );
    most = Math.max(most, alive[0] + alive[1]);
  }
  return most;
}

const known = new Map<number, Turnings>();

/** The turnings that hold least, and of those the shortest. */
function turningsFor(stages: number): Turnings {
  const seen = known.get(stages);
  if (seen) return seen;
  let best: { turnings: Turnings; cost: number } | null = null;
  for (let a = 1; a <= MOST_TURN; a++)
    for (let b = 1; b <= MOST_TURN; b++)
      for (let c = 1; c <= MOST_TURN; c++) {
        const blocks = Array.from({ length: stages }, (_, stage) => blockOf(stage, stages, [a, b, c]));
        if (blocks.includes(null)) continue;
        const cost = Math.max(...blocks.map(block => heldBy(block!))) * 1000 + a + b + c;
        if (!best || cost < best.cost) best = { turnings: [a, b, c], cost };
      }
  if (!best)
    throw new RuntimeError('sim.training-schedule', 'V-half has no block for so many stages.', { stages });
  known.set(stages, best.turnings);
  return best.turnings;
}

function vHalf(stage: number, stages: number, microBatches: number): Turn[] {
  const { times } = blockOf(stage, stages, turningsFor(stages))!;
  const kinds = [
    ['F', 0, times.f0],
    ['F', 1, times.f1],
    ['B', 1, times.b1],
    ['W', 1, times.w1],
    ['B', 0, times.b0],
    ['W', 0, times.w0],
  ] as const;
  return kinds
    .flatMap(([phase, chunk, begin]) =>
      Array.from({ length: microBatches }, (_, microBatch) => ({
        turn: { phase, microBatch, chunk } as Turn,
        time: begin + PERIOD * microBatch,
      })),
    )
    .sort((a, b) => a.time - b.time)
    .map(({ turn }) => turn);
}
