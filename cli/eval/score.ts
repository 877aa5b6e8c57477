/** Counts of one row of the report. */
export interface Tally {
  readonly right: number;
  readonly of: number;
}

/** One row: a share with its interval, or a value with its unit. */
export interface Row {
  readonly suite: string;
  readonly what: string;
  /** Cases. */
  readonly n: number;
  readonly value: number;
  /** 95 % interval of a share; null for a value that is no share. */
  readonly interval: readonly [number, number] | null;
  readonly unit: '' | 'dB' | 'cents' | 'ms';
  /** Issue 4 asks for at least (or at most, where smaller is better) this; null where it asks for nothing. */
  readonly wanted: number | readonly [number, number] | null;
}

const Z_95 = 1.959964;

/** Wilson's score interval of `right` out of `of` at 95 %; all of [0, 1] without cases. */
export function wilson({ right, of }: Tally): [number, number] {
  if (of === 0) return [0, 1];
  const share = right / of;
  const z2 = Z_95 * Z_95;
  const middle = (share + z2 / (2 * of)) / (1 + z2 / of);
  const half = (Z_95 / (1 + z2 / of)) * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of * of));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

export function shareRow(
  suite: string,
  what: string,
  tally: Tally,
  wanted: Row['wanted'],
  n = tally.of,
): Row {
  const value = tally.of === 0 ? Number.NaN : tally.right / tally.of;
  return { suite, what, n, value, interval: wilson(tally), unit: '', wanted };
}

export function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z']+/g) ?? [];
}

/** Word edit distance. */
export function distance(heard: readonly string[], truth: readonly string[]): number {
  let row = truth.map((_, at) => at + 1);
  for (const [i, word] of heard.entries()) {
    let [left, diagonal] = [i + 1, i];
    row = row.map((above, j) => {
      const cost = Math.min(above + 1, left + 1, diagonal + (word === truth[j] ? 0 : 1));
      [left, diagonal] = [cost, above];
      return cost;
    });
  }
  return truth.length === 0 ? heard.length : row[truth.length - 1];
}

/** Words right (edits counted against them) and sentences right. */
export function recognised(pairs: readonly { heard: string; truth: string }[]): {
  words: Tally;
  sentences: Tally;
} {
  let [errors, total, whole] = [0, 0, 0];
  for (const { heard, truth } of pairs) {
    const wrong = distance(words(heard), words(truth));
    errors += wrong;
    total += words(truth).length;
    if (wrong === 0) whole++;
  }
  return {
    words: { right: Math.max(0, total - errors), of: total },
    sentences: { right: whole, of: pairs.length },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
