import { RuntimeError } from '../errors.ts';
import { MAX_RANKS } from './index.ts';

/** Consecutive experts on one rank, as evenly as they divide; with more ranks than experts some ranks stay empty. */
export function blockPlacement(experts: number, ranks: number): Int32Array {
  return Int32Array.from({ length: experts }, (_, expert) => Math.floor((expert * ranks) / experts));
}

export function checkRanks(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_RANKS) return;
  const remedy = `Give a whole number from 1 to ${MAX_RANKS}.`;
  throw new RuntimeError(
    'expert-ranks.count',
    'Experts cannot be spread over so many ranks.',
    { count },
    remedy,
  );
}

export function checkPlacement(rankOf: Int32Array, experts: number, ranks: number): void {
  if (rankOf.length === experts && rankOf.every(rank => rank >= 0 && rank < ranks)) return;
  const values = { experts, placed: rankOf.length, ranks };
  throw new RuntimeError('expert-ranks.placement', 'Every expert needs a rank that there is.', values);
}
