import type { Caption } from '../../engine/engine.ts';

/** Entry of the CTC head that stands for "nothing new". */
const BLANK = 0;

/**
 * Greedy reading of the CTC head: a word appears where its entry first wins; entry 1 + i is `words[i]`. Causal, so that
 * reading in pieces gives the words of reading at once.
 */
export class CaptionReader {
  readonly #words: readonly string[];
  #previous: number;

  constructor(words: readonly string[], previous = BLANK) {
    this.#words = words;
    this.#previous = previous;
  }

  /** logits [count × (1 + words)] of consecutive vectors → the words that begin there. */
  read(logits: Float32Array, count: number): Caption[] {
    const entries = this.#words.length + 1;
    const captions: Caption[] = [];
    for (let vector = 0; vector < count; vector++) {
      const row = logits.subarray(vector * entries, (vector + 1) * entries);
      const best = argmax(row);
      if (best !== BLANK && best !== this.#previous)
        captions.push({ vector, text: this.#words[best - 1], confidence: probability(row, best) });
      this.#previous = best;
    }
    return captions;
  }

  fork(): CaptionReader {
    return new CaptionReader(this.#words, this.#previous);
  }
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Of entry `at`, by the softmax of `logits`. */
function probability(logits: Float32Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - logits[at]);
  return 1 / sum;
}
