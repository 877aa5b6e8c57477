import { NO_ROW, type PrepareEmbedding } from './index.ts';

export const prepareEmbedding: PrepareEmbedding = (tables, width) => ({
  apply(ids, rows, out) {
    out.fill(0, 0, rows * width);
    for (let place = 0; place < rows * tables.length; place++) {
      if (ids[place] === NO_ROW) continue;
      const table = tables[place % tables.length];
      const to = Math.floor(place / tables.length) * width;
      const from = ids[place] * width;
      for (let i = 0; i < width; i++) out[to + i] += table[from + i];
    }
  },
});
