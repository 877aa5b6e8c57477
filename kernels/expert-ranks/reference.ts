import type { ExpertWeights } from '../experts/index.ts';
import { prepareExperts } from '../experts/reference.ts';
import type { Routing } from '../router/index.ts';
import type { CreateExpertRanks, Interval, RankedExperts } from './index.ts';
import { checkPlacement, checkRanks } from './placement.ts';

/**
 * Ranks without threads: each computes its experts when the rows arrive, so nothing overlaps. The clock counts events
 * instead of microseconds, which keeps their order.
 */
export const createExpertRanks: CreateExpertRanks = count => {
  checkRanks(count);
  let events = 0;
  const nowUs = () => ++events;
  return {
    count,
    nowUs,
    prepare(experts, hidden, rankOf) {
      checkPlacement(rankOf, experts.length, count);
      const ranks = Array.from({ length: count }, (_, rank) => new Rank(experts, rankOf, rank, hidden));
      return dispatcher(ranks, experts.length, hidden, nowUs);
    },
  };
};

/** Holds the weights of its own experts only. */
class Rank {
  readonly #experts = new Map<number, ReturnType<typeof prepareExperts>>();
  readonly #hidden: number;

  constructor(experts: readonly ExpertWeights[], rankOf: Int32Array, rank: number, hidden: number) {
    this.#hidden = hidden;
    experts.forEach((weights, expert) => {
      if (rankOf[expert] === rank) this.#experts.set(expert, prepareExperts([weights], hidden));
    });
  }

  has(expert: number): boolean {
    return this.#experts.has(expert);
  }

  /** One expert on some rows, without the router's weights. */
  compute(expert: number, inbox: Float32Array): Float32Array {
    const rows = inbox.length / this.#hidden;
    const routing = { topK: 1, indices: new Int32Array(rows), weights: new Float32Array(rows).fill(1) };
    return this.#experts.get(expert)!.apply(inbox, rows, routing);
  }
}

function dispatcher(
  ranks: readonly Rank[],
  experts: number,
  hidden: number,
  nowUs: () => number,
): RankedExperts {
  return {
    dispatch(x, rows, routing) {
      const began = nowUs();
      const order = ascendingSlots(routing);
      const answers = new Map<number, Float32Array>();
      const rankTimes: (Interval | null)[] = ranks.map(rank => {
        const own = order.filter(slot => rank.has(routing.indices[slot]));
        if (own.length === 0) return null;
        const rankBegan = nowUs();
        for (const slot of own)
          answers.set(slot, rank.compute(routing.indices[slot], rowOf(x, slot, routing.topK, hidden)));
        return [rankBegan, nowUs()];
      });
      const dispatch: Interval = [began, nowUs()];
      let combine: Interval = [0, 0];
      return {
        combine() {
          const combineBegan = nowUs();
          const out = new Float32Array(rows * hidden);
          for (const slot of order) {
            const isIdentity = routing.indices[slot] >= experts;
            const answer = isIdentity ? rowOf(x, slot, routing.topK, hidden) : answers.get(slot)!;
            const to = Math.floor(slot / routing.topK) * hidden;
            for (let i = 0; i < hidden; i++) out[to + i] += Math.fround(routing.weights[slot] * answer[i]);
          }
          combine = [combineBegan, nowUs()];
          return out;
        },
        times: () => ({ dispatch, combine, ranks: rankTimes }),
      };
    },
  };
}

/** Slots (row, choice) by expert, those of one expert in the order of the rows. */
function ascendingSlots({ indices }: Routing): number[] {
  return Array.from(indices.keys()).sort((a, b) => indices[a] - indices[b]);
}

function rowOf(x: Float32Array, slot: number, topK: number, hidden: number): Float32Array {
  const row = Math.floor(slot / topK);
  return x.subarray(row * hidden, (row + 1) * hidden);
}
