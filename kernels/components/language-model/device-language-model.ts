import type { LanguageModelAnswer, LanguageModelWork, StreamId } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import { noInt8OnDevice } from '../../latent-attention/cuda.ts';
import type { CudaComponentHandle } from '../../native/cuda/addon.ts';
import type { CudaDevice } from '../../native/cuda/device.ts';
import { CODE_PENALTY } from '../../penalty/index.ts';
import { CUDA_MOST_CHOICES } from '../../router/cuda.ts';
import type { CacheType } from '../../tensor-memory.ts';
import { openWeightDirectory } from '../../weights/index.ts';
import { bytesOfTensors, loadTensors, roundedBytes } from '../device-tensors.ts';
import type { LanguageModelConfig, LanguageModelSetup } from './config.ts';
import { DeviceStep, type StepLimits } from './device-step.ts';
import { deviceTensors } from './device-weights.ts';
import type { EmbeddingTables } from './embedding.ts';
import { cacheTypeFor } from './latent-cache.ts';
import { PAGE_ROWS, PagePool } from './page-pool.ts';
import { checkBackbone, readCodeTables } from './parts.ts';
import { type PlannedWork, Sequences } from './sequences.ts';

export interface DeviceModelOptions {
  /** Positions of all sequences together that the pages on the device hold. */
  readonly maxCachedPositions?: number;
  readonly cache?: CacheType;
  /** Rows that go through the layers at once; a longer step goes in several passes. Same bits. */
  readonly maxRows?: number;
}

const DEFAULT_ROWS = 512;
/** Rows of a pass whose predictions are wanted. */
const MOST_SAMPLED = 128;
const LEAST_CACHED = 65_536;
/** What a part of a long context has (latent-attention/cuda.cu): parts are few, so that their memory is bounded. */
const MOST_PARTS = 32;
const PART_GRAIN = 64;
/** Largest latent of latent-attention/cuda.cu. */
const MOST_RANK = 512;

const BYTES_OF_EXPERT_ENTRY = 24;

/**
 * The language model on a device, with the meaning of `LanguageModelEngine`: weights, pages and workspace are planned
 * when it is loaded, sequences are lengths and lists of page numbers, and only ids come back from a step. A row's
 * result has the same bits whatever else is in its batch, however a prompt was cut, and on whichever pages it lies.
 */
export class DeviceLanguageModel {
  readonly config: LanguageModelConfig;
  /** Weights, pages and workspace together. */
  readonly deviceBytes: number;
  readonly #device: CudaDevice;
  readonly #model: CudaComponentHandle;
  readonly #embedding: EmbeddingTables;
  readonly #limits: StepLimits;
  readonly #sequences: Sequences<number>;

  /** @throws RuntimeError `weights.*` | `cuda.*` */
  constructor(
    directory: string,
    { config, tokens }: LanguageModelSetup,
    device: CudaDevice,
    options: DeviceModelOptions = {},
  ) {
    checkSizes(config);
    const codeVocabSize = readCodeTables(directory, config.hidden)[0]?.shape[0] ?? 0;
    const planes = 2 * config.layers;
    const cache = options.cache ?? cacheTypeFor(planes, config.kvRank + config.rope, config.maxPositions);
    if (cache === 'int8') throw noInt8OnDevice();
    const cachedPositions = options.maxCachedPositions ?? Math.max(16 * config.maxPositions, LEAST_CACHED);
    const rows = options.maxRows ?? DEFAULT_ROWS;
    const limits: StepLimits = {
      rows,
      sampled: Math.min(rows, MOST_SAMPLED),
      sequencePages: Math.ceil(config.maxPositions / PAGE_ROWS),
    };
    this.config = config;
    this.#device = device;
    this.#limits = limits;
    this.#embedding = { hidden: config.hidden, vocabSize: config.vocabSize, codeVocabSize, tokens };
    const pages = Math.ceil(cachedPositions / PAGE_ROWS);
    const weights = openWeightDirectory(directory);
    try {
      checkBackbone(weights, config);
      const tables = config.layers * roundedBytes(config.routedExperts * BYTES_OF_EXPERT_ENTRY);
      const bytes = tables + bytesOfTensors(deviceTensors(directory, weights, config));
      const sizes = sizesOf(config, codeVocabSize, limits, pages, cache);
      const { routingFactor, normEpsilon, latentNormEpsilon } = config;
      const numbers = Float64Array.of(routingFactor, normEpsilon, latentNormEpsilon, CODE_PENALTY, bytes);
      const { addon } = device;
      this.#model = device.guard('planning the memory of a model', () =>
        addon.createLanguageModel(sizes, numbers),
      );
      this.deviceBytes = loadTensors(device, this.#model, deviceTensors(directory, weights, config));
    } finally {
      weights.close();
    }
    const pool = new PagePool(pages * PAGE_ROWS, index => index);
    const { maxPositions } = config;
    const speaks = codeVocabSize > 0;
    this.#sequences = new Sequences(pool, { embedding: this.#embedding, maxPositions, speaks });
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
  step(
    batch: readonly LanguageModelWork[],
    isCancelled: () => boolean = () => false,
  ): (LanguageModelAnswer | null)[] {
    const planned = batch.map(work => this.#sequences.plan(work));
    const open = planned.filter(item => item !== null);
    this.#sequences.reserve(open);
    const step = new DeviceStep(open, this.#embedding, this.#limits, this.config.wait !== null);
    for (const pass of step.passes()) {
      if (isCancelled()) return planned.map(() => null);
      const { counts, ids, featureOf, sequenceOf, positions, table, vectors } = pass;
      const { chosen, histories, historyCounts, factors, requests, results } = pass;
      this.#device.guard('a step of the language model', () =>
        this.#device.addon.stepLanguageModel(
          ...([this.#model, counts, ids, featureOf, sequenceOf, positions, table, vectors] as const),
          ...([chosen, histories, historyCounts, factors, requests, results] as const),
        ),
      );
      step.take(pass);
    }
    for (const { sequence, work } of open)
      sequence.setLength(sequence.length + work.positions.textIds.length);
    return planned.map(item => item && this.#answer(item, step));
  }

  #answer(item: PlannedWork<number>, step: DeviceStep): LanguageModelAnswer {
    const sampled = step.sampledOf(item);
    return { length: item.sequence.length, ...(sampled && { sampled }) };
  }
}

/** The order of createLanguageModel in native/cuda/addon.cpp. */
function sizesOf(
  config: LanguageModelConfig,
  codeVocabSize: number,
  limits: StepLimits,
  pages: number,
  cache: CacheType,
): Int32Array {
  const partRows = Math.ceil(config.maxPositions / MOST_PARTS / PART_GRAIN) * PART_GRAIN;
  return Int32Array.of(
    ...[config.layers, config.hidden, config.qRank, config.ffn, config.expertFfn],
    ...[config.routedExperts, config.identityExperts, config.topK, config.vocabSize, codeVocabSize],
    ...[config.wait ?? -1, config.heads, config.nope, config.rope, config.value, config.kvRank],
    ...[limits.rows, limits.sampled, pages, PAGE_ROWS, limits.sequencePages],
    ...[partRows, Math.ceil(config.maxPositions / partRows), cache === 'bf16' ? 1 : 0],
  );
}

function checkSizes({ kvRank, topK }: LanguageModelConfig): void {
  if (kvRank <= MOST_RANK && topK <= CUDA_MOST_CHOICES) return;
  throw new RuntimeError(
    'cuda.size',
    'The CUDA kernels are not made for a model of these sizes.',
    { kv_lora_rank: kvRank, most_kv_lora_rank: MOST_RANK, moe_topk: topK, most_moe_topk: CUDA_MOST_CHOICES },
    'Use the cpu engine.',
  );
}
