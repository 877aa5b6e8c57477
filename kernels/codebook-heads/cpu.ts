import { packing, storedScales, storedValues } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import { CODE_PENALTY, PENALTY_WINDOW } from '../penalty/index.ts';
import { checkCodebookHeads } from './check.ts';
import type { PrepareCodebookHeads } from './index.ts';

export const nativeCodebookHeads =
  (addon: NativeAddon): PrepareCodebookHeads =>
  (heads, cascade) => {
    checkCodebookHeads(heads, cascade);
    const count = heads.length;
    const [size, width] = heads[0].shape;
    const handle = packing(heads, () =>
      addon.prepareCodebookHeads(
        heads.map(storedValues),
        heads.map(storedScales),
        cascade.map(table => table.toFloat32()),
        count,
        size,
        width,
      ),
    );
    let recent = new Int32Array(0);
    let counts = new Int32Array(0);

    return {
      codeVocabSize: size,
      apply(hidden, rows, histories, logits) {
        const places = rows * count;
        if (counts.length < places) {
          counts = new Int32Array(places);
          recent = new Int32Array(places * PENALTY_WINDOW);
        }
        for (let place = 0; place < places; place++) {
          const history = histories[Math.floor(place / count)][place % count];
          const first = Math.max(0, history.length - PENALTY_WINDOW);
          counts[place] = history.length - first;
          for (let i = first; i < history.length; i++)
            recent[place * PENALTY_WINDOW + i - first] = history[i];
        }
        const codes = new Int32Array(places);
        addon.codebookHeads(
          handle,
          hidden,
          rows,
          recent,
          counts,
          PENALTY_WINDOW,
          CODE_PENALTY,
          codes,
          logits ?? null,
        );
        return codes;
      },
    };
  };
