import type { NativeAddon } from '../native/addon.ts';
import type { Rotary2d } from './index.ts';

/** Per position the cosines, then the sines, of position·base^(−j / quarter). */
export function turnTable(positions: number, quarter: number, base: number): Float32Array {
  const table = new Float32Array(positions * 2 * quarter);
  for (let position = 0; position < positions; position++) {
    for (let j = 0; j < quarter; j++) {
      const angle = position * base ** (-j / quarter);
      table[position * 2 * quarter + j] = Math.cos(angle);
      table[(position * 2 + 1) * quarter + j] = Math.sin(angle);
    }
  }
  return table;
}

export const nativeRotary2d = (addon: NativeAddon): Rotary2d => {
  /** The tables of the layers of one model are all alike: one is kept, as long as it needs to be. */
  let kept: { key: string; positions: number; turns: Float32Array } = {
    key: '',
    positions: 0,
    turns: new Float32Array(0),
  };
  return (x, grid, heads, headDim, base, out = new Float32Array(x.length)) => {
    const key = `${headDim} ${base}`;
    const positions = Math.max(grid.rows, grid.columns);
    if (kept.key !== key || kept.positions < positions) {
      kept = { key, positions, turns: turnTable(positions, headDim / 4, base) };
    }
    addon.rotary2d(x, grid.rows, grid.columns, heads, headDim, kept.turns, out);
    return out;
  };
};
