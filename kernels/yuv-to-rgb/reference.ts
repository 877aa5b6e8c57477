import { RuntimeError } from '../errors.ts';
import type { I420Picture, YuvToRgb } from './index.ts';

export const yuvToRgb: YuvToRgb = (picture, out = new Uint8Array(picture.width * picture.height * 3)) => {
  checkPicture(picture);
  const { width, height, y, u, v } = picture;
  const chromaWidth = (width + 1) >> 1;
  // Stored numbers wrap in a plain byte array; these stop at 0 and 255.
  const levels = new Uint8ClampedArray(out.buffer, out.byteOffset, out.length);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const chroma = (row >> 1) * chromaWidth + (column >> 1);
      const c = 298 * (y[row * width + column] - 16) + 128;
      const d = u[chroma] - 128;
      const e = v[chroma] - 128;
      levels[to] = (c + 409 * e) >> 8;
      levels[to + 1] = (c - 100 * d - 208 * e) >> 8;
      levels[to + 2] = (c + 516 * d) >> 8;
    }
  }
  return out;
};

/** @throws RuntimeError `yuv-to-rgb.shape` */
export function checkPicture({ width, height, y, u, v }: I420Picture): void {
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  if (y.length === width * height && u.length === chroma && v.length === chroma) return;
  const values = { width, height, y: y.length, u: u.length, v: v.length };
  throw new RuntimeError('yuv-to-rgb.shape', 'The planes do not fit the size of the picture.', values);
}
