/** A picture as video decoders give it: planes of 8-bit Y, and of U and V at half the width and height, rounded up. */
export interface I420Picture {
  readonly width: number;
  readonly height: number;
  /** [height × width] */
  readonly y: Uint8Array;
  /** [⌈height/2⌉ × ⌈width/2⌉] */
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/**
 * ITU-R BT.601, limited range (Y 16…235, U and V 16…240), to full-range RGB: the usual 8-bit fixed-point form, within
 * one level of the exact matrix. Each chroma sample serves a block of 2×2. The result is [height × width × 3].
 */
export type YuvToRgb = (picture: I420Picture, out?: Uint8Array) => Uint8Array;
