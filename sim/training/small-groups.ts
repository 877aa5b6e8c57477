/**
 * Which ranks of train/parallel talk to one another, and which micro-batches and items they have: layout.py, data.py
 * and balance.py again.
 */
import type { SmallSizes } from './small-measured.ts';

/** -> [data, pipeline, context] place of a rank. */
export function placeOf({ cp, pp }: SmallSizes, rank: number): [number, number, number] {
  const inner = rank % (cp * pp);
  return [Math.floor(rank / (cp * pp)), Math.floor(inner / cp), inner % cp];
}

export function groupsOf(sizes: SmallSizes, rank: number) {
  const { dp, cp, pp, ep } = sizes;
  const [data, stage] = placeOf(sizes, rank);
  const at = (d: number, p: number, c: number) => (d * pp + p) * cp + c;
  const dense = range(dp * cp).map(i => at(Math.floor(i / cp), stage, i % cp));
  const mine = dense.indexOf(rank);
  const first = Math.floor(mine / ep) * ep;
  return {
    world: range(dp * cp * pp),
    inner: range(cp * pp).map(i => data * cp * pp + i),
    context: range(cp).map(c => at(data, stage, c)),
    stage0: range(cp).map(c => at(data, 0, c)),
    /** Same dense weights. */
    dense,
    /** Experts among them. */
    spread: dense.slice(first, first + ep),
    /** Same experts. */
    experts: dense.filter((_, i) => i % ep === mine % ep),
  };
}

/** Items of the micro-batches of one data-parallel group: dealt out one by one, back and forth. */
export function dealt(items: readonly number[][], dp: number, data: number): number[][] {
  return items.filter((_, i) => {
    const turn = Math.floor(i / dp);
    return (turn % 2 === 0 ? i % dp : dp - 1 - (i % dp)) === data;
  });
}

/** Longest first, each to the rank with least; -> tokens of every rank's items. */
export function placed(tokens: readonly number[], ranks: number): number[][] {
  const out: number[][] = range(ranks).map(() => []);
  const load = out.map(() => 0);
  for (const each of [...tokens].sort((a, b) => b - a)) {
    const rank = load.indexOf(Math.min(...load));
    out[rank].push(each);
    load[rank] += each;
  }
  return out;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
