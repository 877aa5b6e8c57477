/** Shape and normalisation of a frame unit's pixels (docs/spec/model.md §2.2, §2.3). */
export interface PatchLayout {
  readonly height: number;
  readonly width: number;
  /** Side of a square patch in pixels; divides height and width. */
  readonly patch: number;
  /** Per RGB channel, in units of full scale. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Cuts a frame unit into patch vectors: pixels ×1/255, minus mean, over std, per channel.
 *
 * `frames` are the unit's pictures in time order, each [height × width × 3] 8-bit RGB; a still image is passed
 * once where the weights are summed over time. The result is [(height/patch)·(width/patch) × 3·frames·patch·patch]:
 * patches in raster order, within a patch (channel, time, row, column).
 */
export type Patchify = (
  frames: readonly Uint8Array[],
  layout: PatchLayout,
  out?: Float32Array,
) => Float32Array;
