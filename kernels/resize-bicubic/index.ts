/**
 * Pillow's bicubic resampling of 8-bit pixels, bit for bit (docs/spec/model.md §2.2): horizontal pass, then vertical,
 * cubic kernel with a = −0.5 whose support widens when shrinking, weights of 22 fractional bits, and rounding and
 * clipping to 8 bits after each pass. A pass that does not change its dimension is skipped.
 *
 * `data` is [height × width × channels], row-major, as is the result [outHeight × outWidth × channels].
 */
export type ResizeBicubic = (
  data: Uint8Array,
  width: number,
  height: number,
  channels: number,
  outWidth: number,
  outHeight: number,
  out?: Uint8Array,
) => Uint8Array;
