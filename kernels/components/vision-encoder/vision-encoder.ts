import { join } from 'node:path';
import type { RgbImage, VisionEncoderAnswer, VisionEncoderWork } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import { openWeightFile, type Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { VisionConfig } from './config.ts';
import { allEqual, summedOverFrames } from './equal-frames.ts';
import { VisionProjector } from './projector.ts';
import { MIN_TOKENS, nativeResolution, type Size } from './resize-rule.ts';
import { VisionTransformer } from './transformer.ts';

/** A still image, duplicated in time, or a pair of frames (docs/spec/model.md §2.3). */
export type FrameUnit = VisionEncoderWork<RgbImage>['frames'];

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

const MAX_SIDE = 32_768;

/**
 * Pictures to language-model vectors: resize, patchify, transformer, projector, interpolation (docs/spec/model.md §2).
 */
export class VisionEncoder {
  readonly config: VisionConfig;
  readonly #ops: Ops;
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
    this.#ops = ops;
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
    if (maxTokens !== 0 && !(maxTokens >= MIN_TOKENS)) {
      const remedy = `Ask for at least ${MIN_TOKENS} tokens, or 0 for no bound.`;
      throw new RuntimeError('vision.max-tokens', 'A unit cannot have so few tokens.', { maxTokens }, remedy);
    }
    const size = this.#pixelSize(unit);
    const { patch } = this.config;
    const [rows, columns] = [size.height / patch, size.width / patch];
    const vision = this.#embed(unit, size, rows * columns);
    this.#transformer.apply(vision, { rows, columns });
    const projected = this.#projector.apply(vision, (rows * columns) / 2);
    return {
      patchGrid: [rows, columns],
      vision,
      ...this.#interpolate(projected, rows, columns / 2, maxTokens),
    };
  }

  /** The engine's contract: one answer per unit, in order. Units are independent sequences. */
  step(batch: readonly VisionEncoderWork<RgbImage>[]): VisionEncoderAnswer[] {
    return batch.map(({ frames, maxTokens }) => {
      const { projector, tokenGrid } = this.encode(frames, maxTokens);
      return { vectors: projector, count: tokenGrid[0] * tokenGrid[1], grid: tokenGrid };
    });
  }

  #pixelSize(unit: FrameUnit): Size {
    unit.forEach(checkPicture);
    const { patch, resizePixels, still, pair } = this.config;
    const budget = unit.length === 1 ? still : pair;
    const area = patch * patch;
    return nativeResolution(unit[0], {
      factor: resizePixels,
      minPixels: budget.min * area,
      maxPixels: budget.max * area,
      patch,
    });
  }

  /** A pair of equal pictures takes the still's way, so that both give the same bits. */
  #embed(unit: FrameUnit, size: Size, patches: number): Float32Array {
    const pixels = unit.map(({ data, width, height }) =>
      width === size.width && height === size.height
        ? data
        : this.#ops.resizeBicubic(data, width, height, 3, size.width, size.height),
    );
    if (allEqual(pixels)) return this.#patches(this.#stillEmbedding, pixels.slice(0, 1), size, patches);
    const frames = Array.from(
      { length: this.config.frames },
      (_, i) => pixels[Math.min(i, pixels.length - 1)],
    );
    return this.#patches(this.#embedding, frames, size, patches);
  }

  #patches(embedding: Linear, frames: readonly Uint8Array[], size: Size, count: number): Float32Array {
    const { patch, mean, std } = this.config;
    const pixels = this.#workspace.take('pixels', count * embedding.inputs);
    const x = this.#workspace.take('patches', count * embedding.outputs);
    return embedding.apply(this.#ops.patchify(frames, { ...size, patch, mean, std }, pixels), count, x);
  }

  #interpolate(projector: Float32Array, rows: number, columns: number, maxTokens: number) {
    if (maxTokens === 0 || rows * columns <= maxTokens)
      return { projector, tokenGrid: [rows, columns] as const };
    const [toRows, toColumns] = interpolatedGrid(rows, columns, maxTokens, this.config);
    const { output } = this.config;
    const resized = this.#ops.resizeBilinear(projector, rows, columns, output, toRows, toColumns);
    return { projector: resized, tokenGrid: [toRows, toColumns] as const };
  }
}

/**
 * Target token grid of docs/spec/model.md §2.8. The published rule lets `min_tokens_video` win over a smaller maximum;
 * here the caller's bound holds, since a live session has promised that many positions.
 */
function interpolatedGrid(
  rows: number,
  columns: number,
  maxTokens: number,
  config: VisionConfig,
): readonly [number, number] {
  const { patch, still, minInterpolatedTokens } = config;
  const area = patch * patch;
  const grid = (minTokens: number) => {
    const size = nativeResolution(
      { height: rows * patch, width: columns * patch },
      {
        factor: 2 * patch,
        minPixels: minTokens * area,
        maxPixels: Math.min(Math.trunc(maxTokens), still.max) * area,
        patch,
      },
    );
    return [size.height / patch, size.width / patch] as const;
  };
  const [toRows, toColumns] = grid(minInterpolatedTokens);
  return toRows * toColumns <= maxTokens ? [toRows, toColumns] : grid(0);
}

function checkPicture({ width, height, data }: RgbImage): void {
  const sane = (side: number) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE;
  if (sane(width) && sane(height) && data.length === width * height * 3) return;
  throw new RuntimeError(
    'vision.picture',
    'The picture is not 8-bit RGB of its stated size.',
    { width, height, bytes: data.length, maxSide: MAX_SIDE },
    'Pass width × height × 3 bytes.',
  );
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
