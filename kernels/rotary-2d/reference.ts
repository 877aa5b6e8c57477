import type { Rotary2d } from './index.ts';

export const rotary2d: Rotary2d = (x, grid, heads, headDim, base, out) => {
  const result = out ?? new Float32Array(x.length);
  const half = headDim / 2;
  const quarter = headDim / 4;
  const turns = turnTable(Math.max(grid.rows, grid.columns), quarter, base);
  for (let row = 0, at = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      for (let head = 0; head < heads; head++, at += headDim) {
        for (let j = 0; j < half; j++) {
          const turn = 2 * (j < quarter ? row * quarter + j : column * quarter + j - quarter);
          const [cos, sin] = [turns[turn], turns[turn + 1]];
          const [first, second] = [x[at + j], x[at + j + half]];
          result[at + j] = first * cos - second * sin;
          result[at + j + half] = second * cos + first * sin;
        }
      }
    }
  }
  return result;
};

/** [positions × quarter × (cos, sin)] of position·base^(−2j / (2·quarter)). */
function turnTable(positions: number, quarter: number, base: number): Float64Array {
  const table = new Float64Array(positions * quarter * 2);
  for (let position = 0, to = 0; position < positions; position++) {
    for (let j = 0; j < quarter; j++) {
      const angle = position * base ** (-j / quarter);
      table[to++] = Math.cos(angle);
      table[to++] = Math.sin(angle);
    }
  }
  return table;
}
