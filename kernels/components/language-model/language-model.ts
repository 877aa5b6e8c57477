import type {
  LanguageModelAnswer,
  LanguageModelWork,
  SamplingRequest,
  StreamId,
} from '../../engine/engine.ts';
import { CODE_PAD, CODEBOOKS } from '../../engine/positions.ts';
import { RuntimeError } from '../../errors.ts';
import type { CachePage } from '../../latent-attention/index.ts';
import type { Ops } from '../../ops.ts';
import type { Routing } from '../../router/index.ts';
import type { CacheType } from '../../tensor-memory.ts';
import { RowViews } from '../workspace.ts';
import type { LanguageModelConfig, LanguageModelSetup } from './config.ts';
import { embeddingIds, placeFeatures } from './embedding.ts';
import { CachedRows, cacheTypeFor, LatentCache } from './latent-cache.ts';
import type { ExpertPlan } from './mixture.ts';
import { type LanguageModelParts, type LoadLimits, loadParts } from './parts.ts';
import { type PlannedWork, Sequences } from './sequences.ts';
import type { StepSpans } from './step-spans.ts';

/** A model of short contexts serves as many conversations as one of longer ones. */
const LEAST_CACHED = 65_536;

export interface LanguageModelOptions extends LoadLimits {
  /**
   * Positions of all sequences together that the KV cache may hold; default: 16 full sequences, `LEAST_CACHED` at
   * least.
   */
  readonly maxCachedPositions?: number;
  /**
   * How the cache's rows are held: `bf16` has half the memory of `f32`, `int8` a quarter and eight bytes, each number
   * rounded once when it is written.
   * Default: `cacheTypeFor`
   */
  readonly cache?: CacheType;
  /** Spreads the experts over so many ranks, which work beside the dense path; 0 (default): no ranks. Same bits. */
  readonly ranks?: number;
  /** The rank of each expert; consecutive ones together by default. Same bits. */
  readonly placement?: ExpertPlan['placement'];
}

/** Looks on at a step. */
interface StepObserver {
  /** Layer by layer, where the rows went. */
  readonly routing?: (layer: number, routing: Routing) => void;
  /** Takes the times of models with ranks. */
  readonly spans?: StepSpans;
  /** Asked between layers; once true the step is given up: it answers null and changes no sequence. */
  readonly isCancelled?: () => boolean;
}

/**
 * The language model with the meaning of `LanguageModelEngine`, synchronously. Rows of all work items go through the
 * layers together; a row's result does not depend on what else is in the batch or on how a prompt was cut.
 */
export class LanguageModel<T = Float32Array, Page = CachePage> {
  readonly config: LanguageModelConfig;
  /** 32 + codebook entries; 0 in a text-only model. */
  readonly codeVocabSize: number;
  readonly cacheType: CacheType;
  readonly #parts: LanguageModelParts<T, Page>;
  readonly #cache: LatentCache<Page>;
  readonly #sequences: Sequences<Page>;
  readonly #logitRows = new RowViews();
  #ids = new Int32Array(0);

  constructor(parts: LanguageModelParts<T, Page>, options: LanguageModelOptions = {}) {
    const { config, codeHeads, ops } = parts;
    this.config = config;
    this.codeVocabSize = codeHeads?.codeVocabSize ?? 0;
    this.#parts = parts;
    const maxCachedPositions = options.maxCachedPositions ?? Math.max(16 * config.maxPositions, LEAST_CACHED);
    const [planes, width] = [2 * config.layers, config.kvRank + config.rope];
    this.cacheType = options.cache ?? cacheTypeFor(planes, width, config.maxPositions);
    this.#cache = new LatentCache(planes, width, maxCachedPositions, this.cacheType, ops.memory);
    const limits = {
      embedding: parts.embedding,
      maxPositions: config.maxPositions,
      speaks: codeHeads !== null,
    };
    this.#sequences = new Sequences(this.#cache, limits);
  }

  /**
   * Loads the weights of a model directory.
   * @param setup what `readLanguageModelSetup` says of it
   * @throws RuntimeError `weights.*`
   */
  static of<T, Page>(
    directory: string,
    setup: LanguageModelSetup,
    ops: Ops<T, Page>,
    options?: LanguageModelOptions,
  ): LanguageModel<T, Page> {
    const ranks = options?.ranks ? ops.expertRanks(options.ranks) : null;
    const plan = { ranks, placement: options?.placement };
    return new LanguageModel(loadParts(directory, setup, ops, plan, options), options);
  }

  open(): StreamId {
    return this.#sequences.open();
  }

  close(id: StreamId): void {
    this.#sequences.close(id);
  }

  /** @throws RuntimeError `language-model.truncate` when the sequence is shorter; a closed one is left alone */
  truncate(id: StreamId, length: number): void {
    this.#sequences.truncate(id, length);
  }

  /** A refused batch (bad ids, no room) changes no sequence. Items of closed sequences are answered with null. */
  step(batch: readonly LanguageModelWork[], observe?: StepObserver): (LanguageModelAnswer | null)[] {
    const planned = batch.map(work => this.#sequences.plan(work));
    const open = planned.filter(item => item !== null);
    this.#sequences.reserve(open);
    const hidden = this.#runLayers(open, observe);
    if (!hidden) return planned.map(() => null);
    const sampled = this.#sample(open, hidden);
    for (const { sequence, work } of open)
      sequence.setLength(sequence.length + work.positions.textIds.length);
    return planned.map(item => item && { length: item.sequence.length, ...answerOf(item, sampled) });
  }

  /**
   * Appends positions and returns the text logits of every one of them, [n × vocabSize] (for `forward` and tests).
   */
  forward(id: StreamId, positions: LanguageModelWork['positions'], observe?: StepObserver): Float32Array {
    const item = this.#sequences.plan({ sequence: id, positions });
    if (!item) throw new RuntimeError('language-model.closed', 'The sequence is not open.', { sequence: id });
    this.#sequences.reserve([item]);
    const rows = positions.textIds.length;
    const hidden = this.#runLayers([item], observe);
    if (!hidden)
      throw new RuntimeError('language-model.cancelled', 'The run was given up.', { sequence: id });
    const normed = this.#finalNorm(hidden, rows);
    item.sequence.setLength(item.sequence.length + rows);
    return this.#parts.ops.memory.read(this.#parts.textHead.apply(normed, rows));
  }

  /** @returns [Σ rows × hidden] after the last layer, before the final norm; null when cancelled */
  #runLayers(items: readonly PlannedWork<Page>[], observe?: StepObserver): T | null {
    const { hidden } = this.config;
    const { layers, workspace } = this.#parts;
    const cached = new CachedRows(
      items.map(({ sequence, work }) => sequence.nextRows(work.positions.textIds.length)),
      this.#cache.rowElements,
    );
    const rows = cached.segments.reduce((sum, segment) => sum + segment.rows, 0);
    const x = workspace.take('x', rows * hidden);
    this.#embed(items, rows, x);
    for (const [index, layer] of layers.entries()) {
      if (observe?.isCancelled?.()) return null;
      const routing = layer.apply(x, rows, cached, observe?.spans);
      observe?.routing?.(index, routing);
    }
    return x;
  }

  #embed(items: readonly PlannedWork<Page>[], rows: number, x: T): void {
    const { embed, embedding, ops } = this.#parts;
    const places = rows * (embedding.codeVocabSize > 0 ? 1 + CODEBOOKS : 1);
    if (this.#ids.length < places) this.#ids = new Int32Array(2 * places);
    let first = 0;
    for (const { work } of items) {
      embeddingIds(work.positions, embedding, this.#ids, first);
      first += work.positions.textIds.length;
    }
    embed.apply(this.#ids, rows, x);
    first = 0;
    for (const { work } of items) {
      if (work.positions.features.length > 0) placeFeatures(work.positions, embedding, ops.memory, x, first);
      first += work.positions.textIds.length;
    }
  }

  #finalNorm(x: T, rows: number): T {
    const { ops, finalNorm, workspace } = this.#parts;
    const out = workspace.take('final', rows * this.config.hidden);
    return ops.rmsNorm(x, rows, finalNorm, this.config.normEpsilon, out);
  }

  /** Text and code candidates of the items that asked for them, heads batched over the items. */
  #sample(items: readonly PlannedWork<Page>[], x: T): Map<PlannedWork<Page>, Sampled> {
    const { hidden, vocabSize } = this.config;
    const asking: { item: PlannedWork<Page>; request: SamplingRequest; row: number }[] = [];
    let rows = 0;
    for (const item of items) {
      rows += item.work.positions.textIds.length;
      if (item.work.sample) asking.push({ item, request: item.work.sample, row: rows - 1 });
    }
    const sampled = new Map<PlannedWork<Page>, Sampled>();
    if (asking.length === 0) return sampled;

    const { textHead, codeHeads, workspace, ops } = this.#parts;
    // Speaking items first, so that the code heads read a prefix of the rows.
    asking.sort((a, b) => Number(b.request.speech) - Number(a.request.speech));
    const speaking = asking.filter(({ request }) => request.speech);
    const inPlace = asking.length === rows && asking.every(({ row }, r) => row === r);
    const lastRows = inPlace ? x : workspace.take('last', asking.length * hidden);
    if (!inPlace) {
      asking.forEach(({ row }, r) => {
        ops.memory.copy(x, row * hidden, lastRows, r * hidden, hidden);
      });
    }
    const normed = this.#finalNorm(lastRows, asking.length);
    const scored = textHead.apply(normed, asking.length, workspace.take('logits', asking.length * vocabSize));
    const logits = this.#logitRows.of(ops.memory.read(scored), vocabSize);
    const codes = codeHeads?.apply(
      normed,
      speaking.length,
      speaking.map(({ request }) => request.codeHistories),
    );
    asking.forEach(({ item, request }, r) => {
      const row = logits[r];
      const waitProbability = takeWait(row, this.config.wait, request.wantsWait === true);
      if (request.topK !== 1) ops.penalise(row, request.textHistory, request.repetitionPenalty);
      const text = ops.sampleToken(row, request);
      const four = codesOf(request.speech ? codes : undefined, r);
      sampled.set(item, request.wantsWait ? { text, codes: four, waitProbability } : { text, codes: four });
    });
    return sampled;
  }
}

/**
 * The share of the wait token in the softmax of `row`, null where there is none or it is not wanted. The token is then
 * taken out of the row: it is never said.
 */
function takeWait(row: Float32Array, wait: number | null, wanted: boolean): number | null {
  if (wait === null) return null;
  let probability: number | null = null;
  if (wanted) {
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - row[wait]);
    probability = 1 / sum;
  }
  row[wait] = Number.NEGATIVE_INFINITY;
  return probability;
}

function codesOf(codes: Int32Array | undefined, row: number): Sampled['codes'] {
  if (!codes) return [CODE_PAD, CODE_PAD, CODE_PAD, CODE_PAD];
  const at = row * CODEBOOKS;
  return [codes[at], codes[at + 1], codes[at + 2], codes[at + 3]];
}

type Sampled = NonNullable<LanguageModelAnswer['sampled']>;

function answerOf<Item>(item: Item, sampled: ReadonlyMap<Item, Sampled>): { sampled?: Sampled } {
  const found = sampled.get(item);
  return found ? { sampled: found } : {};
}
