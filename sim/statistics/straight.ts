/** What lies straight between two points [x, y] of ascending x; beyond them on the line of the nearest two. */
export function straight(points: readonly (readonly [number, number])[], x: number): number {
  const after = points.findIndex(([each]) => each >= x);
  const last = Math.max(1, after < 0 ? points.length - 1 : after);
  const [[x0, y0], [x1, y1]] = [points[last - 1], points[last]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
