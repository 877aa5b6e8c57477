import type { ExpertWeights } from '../experts/index.ts';
import type { Routing } from '../router/index.ts';

/** Began and ended, in µs of `ExpertRanks.nowUs`. */
export type Interval = readonly [beganUs: number, endedUs: number];

export interface ExchangeTimes {
  readonly dispatch: Interval;
  /** Waiting for the ranks included. */
  readonly combine: Interval;
  /** Per rank; null when it got no rows. */
  readonly ranks: readonly (Interval | null)[];
}

/** Rows on their way to the experts and back. */
export interface ExpertExchange<T = Float32Array> {
  /**
   * Waits for the ranks and adds up what they answered, exactly as `Experts.apply` does: ascending order of the expert,
   * each product rounded. To be called once. @returns [rows × hidden]
   */
  combine(): T;
  /** After `combine`. */
  times(): ExchangeTimes;
}

/** The experts of one layer, spread over ranks. */
export interface RankedExperts<T = Float32Array> {
  /**
   * Sends every row to the ranks of its experts, which begin at once; the caller does other work and then combines. One
   * exchange at a time; `x` and `routing` must stay as they are until it is combined.
   *
   * @param x [rows × hidden]
   */
  dispatch(x: T, rows: number, routing: Routing): ExpertExchange<T>;
}

/** Expert parallelism (ARCHITECTURE.md §5): each rank has the weights of its experts and computes on its own. */
export interface ExpertRanks<T = Float32Array> {
  readonly count: number;
  /** A monotonic clock for spans beside those of the exchange. */
  nowUs(): number;
  /**
   * @param rankOf the rank of each expert, any placement; it changes no bit of any result
   * @throws RuntimeError `expert-ranks.placement`
   */
  prepare(experts: readonly ExpertWeights[], hidden: number, rankOf: Int32Array): RankedExperts<T>;
}

/** @throws RuntimeError `expert-ranks.count` */
export type CreateExpertRanks<T = Float32Array> = (count: number) => ExpertRanks<T>;

export const MAX_RANKS = 64;
