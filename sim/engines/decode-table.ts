/** Measured decode steps: linear between the rows, beyond them as at the edge. */
export interface DecodeRow {
  /** Sequences on all devices. */
  readonly batch: number;
  /** Mean positions of one. */
  readonly context: number;
  readonly ms: number;
}

/** Milliseconds of a step of so many sequences with this mean context. */
export function decodeTable(rows: readonly DecodeRow[]): (sequences: number, context: number) => number {
  const contexts = [...new Set(rows.map(({ context }) => context))].sort((a, b) => a - b);
  const curves = contexts.map(context =>
    rows.filter(row => row.context === context).sort((a, b) => a.batch - b.batch),
  );
  return (sequences, context) => {
    const values = curves.map(curve =>
      between(
        curve.map(({ batch, ms }) => [batch, ms]),
        sequences,
      ),
    );
    return between(
      contexts.map((each, i) => [each, values[i]]),
      context,
    );
  };
}

function between(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const above = points.findIndex(([each]) => each >= x);
  if (above < 0) return points[points.length - 1][1];
  if (above === 0) return points[0][1];
  const [[x0, y0], [x1, y1]] = [points[above - 1], points[above]];
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}
