import { join } from 'node:path';
import type { RgbImage, VisionEncoderAnswer, VisionEncoderWork } from '../../engine/engine.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import { openWeightFile, type Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { VisionConfig } from './config.ts';
import { summedOverFrames } from './equal-frames.ts';
import { checkMaxTokens, type FrameUnit, PictureReader } from './picture-reader.ts';
import { VisionProjector } from './projector.ts';
import { VisionTransformer } from './transformer.ts';

export interface VisionOutputs {
  /** Patches [rows, columns] the transformer saw. */
  readonly patchGrid: readonly [number, number];
  /** [patches × hidden] after the last block; holds until the next unit. */
  readonly vision: Float32Array;
  /** [tokens × output] after projector and interpolation. */
  readonly projector: Float32Array;
  /** Tokens [rows, columns] of `projector`. */
  readonly tokenGrid: readonly [number, number];
}

/**
 * Pictures to language-model vectors: resize, patchify, transformer, projector, interpolation (docs/spec/model.md §2).
 */
export class VisionEncoder {
  readonly config: VisionConfig;
  readonly #reader: PictureReader;
  readonly #embedding: Linear;
  readonly #stillEmbedding: Linear;
  readonly #transformer: VisionTransformer;
  readonly #projector: VisionProjector;
  readonly #workspace = new Workspace(hostMemory);

  /** @throws RuntimeError `weights.*` when a tensor is missing or has another shape than `config` says */
  constructor(ops: Ops, config: VisionConfig, model: Weights, projector: Weights) {
    const { hidden, frames, patch } = config;
    const kernel = model.tensor('embeddings.patch_embedding.weight', [hidden, 3, frames, patch, patch]);
    const bias = config.patchBias ? model.floats('embeddings.patch_embedding.bias', [hidden]) : null;
    this.config = config;
    this.#reader = new PictureReader(ops, config);
    this.#embedding = ops.linear(kernel, bias);
    this.#stillEmbedding = ops.linear(summedOverFrames(kernel), bias);
    this.#transformer = new VisionTransformer(ops, config, model);
    this.#projector = new VisionProjector(ops, config, projector);
  }

  /**
   * Encodes one unit; a pair's second picture is brought to the size of the first.
   * @param maxTokens upper bound for the tokens, reached by interpolation (docs/spec/model.md §2.8); 0 = none, else at
   * least 4
   * @throws RuntimeError `vision.picture` | `vision.max-tokens`
   */
  encode(unit: FrameUnit, maxTokens = 0): VisionOutputs {
    checkMaxTokens(maxTokens);
    const roomFor = (numbers: number) => this.#workspace.take('pixels', numbers);
    const { patches, isStill, rows, columns } = this.#reader.read(unit, roomFor);
    const embedding = isStill ? this.#stillEmbedding : this.#embedding;
    const room = this.#workspace.take('patches', rows * columns * embedding.outputs);
    const vision = embedding.apply(patches, rows * columns, room);
    this.#transformer.apply(vision, { rows, columns });
    const projected = this.#projector.apply(vision, (rows * columns) / 2);
    return {
      patchGrid: [rows, columns],
      vision,
      ...this.#reader.interpolate(projected, rows, columns / 2, maxTokens),
    };
  }

  /** The engine's contract: one answer per unit, in order. Units are independent sequences. */
  step(batch: readonly VisionEncoderWork<RgbImage>[]): VisionEncoderAnswer[] {
    return batch.map(({ frames, maxTokens }) => {
      const { projector, tokenGrid } = this.encode(frames, maxTokens);
      return { vectors: projector, count: tokenGrid[0] * tokenGrid[1], grid: tokenGrid };
    });
  }
}

/**
 * Loads `vision/vision_model.safetensors` and `vision/vision_projector.safetensors`.
 * @param config what `readVisionConfig` says of the directory
 * @throws RuntimeError `weights.*`
 */
export function visionEncoderOf(ops: Ops, modelDirectory: string, config: VisionConfig): VisionEncoder {
  const folder = join(modelDirectory, 'vision');
  const model = openWeightFile(join(folder, 'vision_model.safetensors'));
  try {
    const projector = openWeightFile(join(folder, 'vision_projector.safetensors'));
    try {
      return new VisionEncoder(ops, config, model, projector);
    } finally {
      projector.close();
    }
  } finally {
    model.close();
  }
}
