/** The smallest interpolated grid is 2 × 2: targets are multiples of two patches. */
export const MIN_TOKENS = 4;

/** What the native-resolution rule needs to know, in pixels. */
export interface ResizeLimits {
  /** Sides become multiples of this. */
  readonly factor: number;
  readonly minPixels: number;
  readonly maxPixels: number;
  /** Patch side; the final height is a multiple of one patch and the width of two. */
  readonly patch: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The size a picture is resized to before it is cut into patches (docs/spec/model.md §2.2, steps 1 to 5). */
export function nativeResolution(picture: Size, limits: ResizeLimits): Size {
  const { factor, minPixels, maxPixels, patch } = limits;
  let { height, width } = atLeastOneFactor(picture, factor);
  const pixels = height * width;
  let [h, w] = [roundHalfToEven(height / factor) * factor, roundHalfToEven(width / factor) * factor];
  if (h * w > maxPixels) {
    const shrink = Math.sqrt(pixels / maxPixels);
    h = Math.floor(height / shrink / factor) * factor;
    w = Math.floor(width / shrink / factor) * factor;
  } else if (h * w < minPixels) {
    const grow = Math.sqrt(minPixels / pixels);
    h = Math.ceil((height * grow) / factor) * factor;
    w = Math.ceil((width * grow) / factor) * factor;
  }
  [height, width] = [h, w];
  // A very long picture under a small budget: one factor high (or wide), as long as the budget allows.
  if (h < factor) [height, width] = [factor, Math.floor(maxPixels / factor)];
  else if (w < factor) [height, width] = [Math.floor(maxPixels / factor), factor];
  return { height: height - (height % patch), width: width - (width % (2 * patch)) };
}

/**
 * The ratio is rounded to double precision before the product, as published: `H·f/h` in one go differs now and then.
 */
function atLeastOneFactor({ height, width }: Size, factor: number): Size {
  if (height < factor) {
    width = Math.trunc((factor / height) * width) + 1;
    height = factor;
  }
  if (width < factor) {
    height = Math.trunc((factor / width) * height) + 1;
    width = factor;
  }
  return { height, width };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
