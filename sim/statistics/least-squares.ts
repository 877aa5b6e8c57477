/** y ≈ x · coefficients; equations weigh alike unless they say otherwise. */
export interface Equation {
  readonly x: readonly number[];
  readonly y: number;
  readonly weight?: number;
}

/** Weighted least squares without negative coefficients: the most negative is set to 0 and the rest solved again. */
export function leastSquares(equations: readonly Equation[], terms: number): number[] {
  const active = Array.from({ length: terms }, (_, i) => i);
  for (;;) {
    const solved = solveNormal(equations, active);
    const worst = solved.reduce((least, value, i) => (value < solved[least] ? i : least), 0);
    if (active.length === 0 || solved[worst] >= 0) {
      const coefficients = new Array<number>(terms).fill(0);
      active.forEach((term, i) => {
        coefficients[term] = solved[i];
      });
      return coefficients;
    }
    active.splice(worst, 1);
  }
}

/** Relative to the size of each term: what never varies together is told apart only as far as needed. */
const RIDGE = 1e-9;

function solveNormal(equations: readonly Equation[], active: readonly number[]): number[] {
  const rows = active.map((a, i) => {
    const row = active.map(b => equations.reduce((sum, { x, weight = 1 }) => sum + weight * x[a] * x[b], 0));
    row[i] = row[i] * (1 + RIDGE) + 1e-12;
    return [...row, equations.reduce((sum, { x, y, weight = 1 }) => sum + weight * x[a] * y, 0)];
  });
  for (let pivot = 0; pivot < rows.length; pivot++) {
    for (let row = 0; row < rows.length; row++) {
      if (row === pivot) continue;
      const factor = rows[row][pivot] / rows[pivot][pivot];
      for (let at = pivot; at <= rows.length; at++) rows[row][at] -= factor * rows[pivot][at];
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i]);
}
