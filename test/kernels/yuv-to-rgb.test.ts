import { describe, expect, it } from 'vitest';
import { referenceOps } from '../../kernels/reference-ops.ts';

const { yuvToRgb } = referenceOps;
const plain = (level: number, length: number) => new Uint8Array(length).fill(level);

describe('YUV to RGB', () => {
  it('is within a level of the exact matrix of BT.601', () => {
    let worst = 0;
    for (let y = 0; y < 256; y += 5) {
      for (let u = 0; u < 256; u += 15) {
        for (let v = 0; v < 256; v += 15) {
          const luma = ((y - 16) * 255) / 219;
          const [cb, cr] = [u, v].map(level => ((level - 128) * 255) / 224);
          const exact = [
            luma + 1.402 * cr,
            luma - 0.344136286 * cb - 0.714136286 * cr,
            luma + 1.772 * cb,
          ].map(level => Math.min(Math.max(level, 0), 255));
          const rgb = yuvToRgb({
            width: 1,
            height: 1,
            y: Uint8Array.of(y),
            u: Uint8Array.of(u),
            v: Uint8Array.of(v),
          });
          exact.forEach((level, i) => {
            worst = Math.max(worst, Math.abs(level - rgb[i]));
          });
        }
      }
    }
    expect(worst).toBeLessThan(1.2);
  });

  it('makes white of 235 and black of 16, and clips what lies outside', () => {
    const picture = { width: 4, height: 1, y: Uint8Array.of(235, 16, 255, 0) };
    const rgb = yuvToRgb({ ...picture, u: plain(128, 2), v: plain(128, 2) });
    expect([...rgb]).toEqual([255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0]);
  });

  it('shares a chroma sample among two by two pixels, odd edges included', () => {
    const grey = { width: 3, height: 3, y: plain(120, 9) };
    const rgb = yuvToRgb({ ...grey, u: plain(128, 4), v: Uint8Array.of(128, 200, 128, 128) });
    const isGrey = (pixel: number) => rgb[3 * pixel] === rgb[3 * pixel + 2];
    expect(Array.from({ length: 9 }, (_, pixel) => isGrey(pixel))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('refuses planes of another size', () => {
    expect(() => yuvToRgb({ width: 3, height: 3, y: plain(0, 9), u: plain(0, 1), v: plain(0, 4) })).toThrow(
      /planes/,
    );
  });
});
