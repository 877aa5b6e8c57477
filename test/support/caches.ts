import type { Engine, LanguageModelEngine, Positions, StreamId } from '../../kernels/engine/index.ts';

/** Everything an LLM position holds, as one comparable line: rule, text id, codes, first value of its feature. */
export function linesOf(positions: Positions, hiddenSize: number, featureIds: readonly number[]): string[] {
  const isDecode = positions.rule === 'decode';
  let row = 0;
  return [...positions.textIds].map((id, i) => {
    const codes = positions.codes.slice(i * 4, i * 4 + 4).join(' ');
    const feature = !isDecode && featureIds.includes(id) ? positions.features[row++ * hiddenSize] : '';
    return `${isDecode ? 'decode' : 'prompt'} ${id} | ${codes} | ${feature}`;
  });
}

/** The same engine, remembering what stands in each sequence's cache. */
export function withVisibleCaches(engine: Engine): { engine: Engine; caches: Map<StreamId, string[]> } {
  const caches = new Map<StreamId, string[]>();
  const { languageModel, model } = engine;
  const featureIds = [model.tokens.audioPad, model.tokens.imagePad];
  const watched: LanguageModelEngine = {
    open: () => {
      const sequence = languageModel.open();
      caches.set(sequence, []);
      return sequence;
    },
    close: sequence => {
      caches.delete(sequence);
      languageModel.close(sequence);
    },
    truncate: (sequence, length) => {
      const lines = caches.get(sequence)!;
      lines.length = Math.min(lines.length, length);
      languageModel.truncate(sequence, length);
    },
    step: batch => {
      for (const { sequence, positions } of batch) {
        caches.get(sequence)?.push(...linesOf(positions, model.hiddenSize, featureIds));
      }
      return languageModel.step(batch);
    },
  };
  return { engine: { ...engine, languageModel: watched }, caches };
}
