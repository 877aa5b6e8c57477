import type { LanguageModelAnswer, SamplingRequest } from '../../engine/engine.ts';
import { CODE_PAD, CODEBOOKS } from '../../engine/positions.ts';
import { PENALTY_WINDOW } from '../../penalty/index.ts';
import { type EmbeddingTables, embeddingIds, featureRows } from './embedding.ts';
import type { PlannedWork } from './sequences.ts';

/** Of one pass through the layers. */
export interface StepLimits {
  readonly rows: number;
  readonly sampled: number;
  /** Pages of the longest sequence. */
  readonly sequencePages: number;
}

/** Arguments of stepLanguageModel (native/cuda/addon.cpp). */
interface Pass {
  readonly counts: Int32Array;
  readonly ids: Int32Array;
  readonly featureOf: Int32Array;
  readonly sequenceOf: Int32Array;
  readonly positions: Int32Array;
  readonly table: Int32Array;
  readonly vectors: Float32Array;
  readonly chosen: Int32Array;
  readonly histories: Int32Array;
  readonly historyCounts: Int32Array;
  readonly factors: Float64Array;
  readonly requests: Float64Array;
  readonly results: Int32Array;
  readonly asking: readonly Asking[];
}

type StepItem = PlannedWork<number>;
type Sampled = NonNullable<LanguageModelAnswer['sampled']>;

/** Consecutive rows of one item. */
interface StepPiece {
  readonly item: StepItem;
  readonly from: number;
  readonly rows: number;
}

interface Asking {
  readonly item: StepItem;
  readonly request: SamplingRequest;
  /** Of the pass. */
  readonly row: number;
}

const HEADS = 1 + CODEBOOKS;
const RESULTS = HEADS + 1;

/** A step of the language model as passes that fit the device's workspace, and what came back of them. */
export class DeviceStep {
  readonly #items: readonly StepItem[];
  readonly #embedding: EmbeddingTables;
  readonly #limits: StepLimits;
  readonly #hasWait: boolean;
  readonly #sampled = new Map<StepItem, Sampled>();

  constructor(items: readonly StepItem[], embedding: EmbeddingTables, limits: StepLimits, hasWait: boolean) {
    this.#items = items;
    this.#embedding = embedding;
    this.#limits = limits;
    this.#hasWait = hasWait;
  }

  /** In the order in which they must be done: later rows of a sequence see earlier ones. */
  *passes(): Generator<Pass> {
    let pieces: StepPiece[] = [];
    let rows = 0;
    let sampled = 0;
    for (const item of this.#items) {
      const count = item.work.positions.textIds.length;
      for (let from = 0; from < count; ) {
        const taken = Math.min(count - from, this.#limits.rows - rows);
        pieces.push({ item, from, rows: taken });
        from += taken;
        rows += taken;
        if (from === count && item.work.sample) sampled++;
        if (rows === this.#limits.rows || sampled === this.#limits.sampled) {
          yield this.#pass(pieces, rows);
          [pieces, rows, sampled] = [[], 0, 0];
        }
      }
    }
    if (rows > 0) yield this.#pass(pieces, rows);
  }

  /** Reads the results of a pass that is done. */
  take({ asking, results }: Pass): void {
    const bits = new Int32Array(1);
    const share = new Float32Array(bits.buffer);
    asking.forEach(({ item, request }, n) => {
      const [text, a, b, c, d, wait] = results.subarray(n * RESULTS, (n + 1) * RESULTS);
      bits[0] = wait;
      const codes = request.speech ? ([a, b, c, d] as const) : SILENT;
      const waitProbability = this.#hasWait ? share[0] : null;
      this.#sampled.set(item, request.wantsWait ? { text, codes, waitProbability } : { text, codes });
    });
  }

  sampledOf(item: StepItem): Sampled | undefined {
    return this.#sampled.get(item);
  }

  #pass(pieces: readonly StepPiece[], rows: number): Pass {
    const { sequencePages } = this.#limits;
    const tables = this.#embedding.codeVocabSize > 0 ? HEADS : 1;
    const ids = new Int32Array(rows * tables);
    const featureOf = new Int32Array(rows).fill(-1);
    const sequenceOf = new Int32Array(rows);
    const positions = new Int32Array(rows);
    const table = new Int32Array(pieces.length * sequencePages);
    const vectors: Float32Array[] = [];
    const asking: Asking[] = [];
    let features = 0;
    let row = 0;
    pieces.forEach(({ item, from, rows: count }, s) => {
      const { work, sequence } = item;
      const all = work.positions.textIds.length;
      const whole = new Int32Array(all * tables);
      embeddingIds(work.positions, this.#embedding, whole, 0);
      ids.set(whole.subarray(from * tables, (from + count) * tables), row * tables);
      const places = featureRows(work.positions, this.#embedding);
      const { start, pages } = sequence.nextRows(all);
      table.set(pages, s * sequencePages);
      for (let n = from; n < from + count; n++, row++) {
        sequenceOf[row] = s;
        positions[row] = start + n;
        if (places[n] < 0) continue;
        const { hidden } = this.#embedding;
        vectors.push(work.positions.features.subarray(places[n] * hidden, (places[n] + 1) * hidden));
        featureOf[row] = features++;
      }
      if (from + count === all && work.sample) asking.push({ item, request: work.sample, row: row - 1 });
    });
    // Speaking items first: the code heads read a prefix.
    asking.sort((a, b) => Number(b.request.speech) - Number(a.request.speech));
    const speaking = asking.filter(({ request }) => request.speech).length;
    return {
      counts: Int32Array.of(rows, pieces.length, asking.length, speaking, features),
      ...{ ids, featureOf, sequenceOf, positions, table, vectors: joined(vectors) },
      ...choicesOf(asking),
      asking,
    };
  }
}

const SILENT = [CODE_PAD, CODE_PAD, CODE_PAD, CODE_PAD] as const;

function choicesOf(asking: readonly Asking[]) {
  const histories = new Int32Array(asking.length * HEADS * PENALTY_WINDOW);
  const historyCounts = new Int32Array(asking.length * HEADS);
  const factors = new Float64Array(asking.length).fill(1);
  const requests = new Float64Array(asking.length * 4);
  asking.forEach(({ request }, n) => {
    const { textHistory, codeHistories, temperature, topP, topK, draw } = request;
    [textHistory, ...codeHistories].forEach((history, i) => {
      const last = history.subarray(-PENALTY_WINDOW);
      histories.set(last, (n * HEADS + i) * PENALTY_WINDOW);
      historyCounts[n * HEADS + i] = last.length;
    });
    // A greedy choice is not penalised (docs/spec/model.md §1.8).
    if (topK !== 1) factors[n] = request.repetitionPenalty;
    requests.set([temperature, topP, topK, draw], 4 * n);
  });
  return {
    chosen: Int32Array.from(asking, ({ row }) => row),
    ...{ histories, historyCounts, factors, requests },
    results: new Int32Array(asking.length * RESULTS),
  };
}

function joined(vectors: readonly Float32Array[]): Float32Array {
  const width = vectors[0]?.length ?? 0;
  const all = new Float32Array(vectors.length * width);
  vectors.forEach((vector, n) => {
    all.set(vector, n * width);
  });
  return all;
}
