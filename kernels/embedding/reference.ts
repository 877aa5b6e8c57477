import { NO_ROW, type PrepareEmbedding } from './index.ts';

export const prepareEmbedding: PrepareEmbedding = (tables, width) => {
  const values = tables.map(table => table.toFloat32());
  return {
    apply(ids, rows, out) {
      out.fill(0, 0, rows * width);
      for (let place = 0; place < rows * values.length; place++) {
        if (ids[place] === NO_ROW) continue;
        const table = values[place % values.length];
        const to = Math.floor(place / values.length) * width;
        const from = ids[place] * width;
        for (let i = 0; i < width; i++) out[to + i] += table[from + i];
      }
    },
  };
};
