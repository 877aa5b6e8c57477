import type { RgbImage, VisionEncoderWork } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import type { Ops } from '../../ops.ts';
import type { VisionConfig } from './config.ts';
import { allEqual } from './equal-frames.ts';
import { MIN_TOKENS, nativeResolution, type Size } from './resize-rule.ts';

/** A still image, duplicated in time, or a pair of frames (docs/spec/model.md §2.3). */
export type FrameUnit = VisionEncoderWork<RgbImage>['frames'];

/** A unit as the patch embedding takes it. */
interface PatchedUnit {
  /** [rows·columns × values of a patch]: one frame's of a still, else all frames'. */
  readonly patches: Float32Array;
  /** A pair of equal pictures takes the still's way, so that both give the same bits. */
  readonly isStill: boolean;
  readonly rows: number;
  readonly columns: number;
}

const MAX_SIDE = 32_768;

/** What is done to pictures before the network and to tokens behind it, on this processor. */
export class PictureReader {
  readonly #ops: Ops;
  readonly #config: VisionConfig;

  constructor(ops: Ops, config: VisionConfig) {
    this.#ops = ops;
    this.#config = config;
  }

  /**
   * Brings a unit's pictures to size and cuts them into patches; a pair's second picture is brought to the size of the
   * first.
   * @param roomFor where so many numbers go
   * @throws RuntimeError `vision.picture`
   */
  read(unit: FrameUnit, roomFor = (numbers: number): Float32Array => new Float32Array(numbers)): PatchedUnit {
    const size = this.#pixelSize(unit);
    const { patch, mean, std, frames } = this.#config;
    const pixels = unit.map(({ data, width, height }) =>
      width === size.width && height === size.height
        ? data
        : this.#ops.resizeBicubic(data, width, height, 3, size.width, size.height),
    );
    const isStill = allEqual(pixels);
    const seen = isStill
      ? pixels.slice(0, 1)
      : Array.from({ length: frames }, (_, i) => pixels[Math.min(i, pixels.length - 1)]);
    const room = roomFor(seen.length * 3 * size.width * size.height);
    const patches = this.#ops.patchify(seen, { ...size, patch, mean, std }, room);
    return { patches, isStill, rows: size.height / patch, columns: size.width / patch };
  }

  /** Tokens [rows × columns] of a unit's grid, and fewer of them where `maxTokens` says so (0: no bound). */
  interpolate(projector: Float32Array, rows: number, columns: number, maxTokens: number) {
    if (maxTokens === 0 || rows * columns <= maxTokens)
      return { projector, tokenGrid: [rows, columns] as const };
    const [toRows, toColumns] = interpolatedGrid(rows, columns, maxTokens, this.#config);
    const { output } = this.#config;
    const resized = this.#ops.resizeBilinear(projector, rows, columns, output, toRows, toColumns);
    return { projector: resized, tokenGrid: [toRows, toColumns] as const };
  }

  #pixelSize(unit: FrameUnit): Size {
    unit.forEach(checkPicture);
    const { patch, resizePixels, still, pair } = this.#config;
    const budget = unit.length === 1 ? still : pair;
    const area = patch * patch;
    return nativeResolution(unit[0], {
      factor: resizePixels,
      minPixels: budget.min * area,
      maxPixels: budget.max * area,
      patch,
    });
  }
}

/** @throws RuntimeError `vision.max-tokens` */
export function checkMaxTokens(maxTokens: number): void {
  if (maxTokens === 0 || maxTokens >= MIN_TOKENS) return;
  const remedy = `Ask for at least ${MIN_TOKENS} tokens, or 0 for no bound.`;
  throw new RuntimeError('vision.max-tokens', 'A unit cannot have so few tokens.', { maxTokens }, remedy);
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
