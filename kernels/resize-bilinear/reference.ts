import type { ResizeBilinear } from './index.ts';

export const resizeBilinear: ResizeBilinear = (x, rows, columns, width, outRows, outColumns, out) => {
  const result = out ?? new Float32Array(outRows * outColumns * width);
  for (let row = 0, to = 0; row < outRows; row++) {
    const vertical = neighbours(row, rows, outRows);
    for (let column = 0; column < outColumns; column++) {
      const horizontal = neighbours(column, columns, outColumns);
      const topLeft = (vertical.near * columns + horizontal.near) * width;
      const topRight = (vertical.near * columns + horizontal.far) * width;
      const bottomLeft = (vertical.far * columns + horizontal.near) * width;
      const bottomRight = (vertical.far * columns + horizontal.far) * width;
      for (let i = 0; i < width; i++) {
        const top = mix(x[topLeft + i], x[topRight + i], horizontal.share);
        const bottom = mix(x[bottomLeft + i], x[bottomRight + i], horizontal.share);
        result[to++] = mix(top, bottom, vertical.share);
      }
    }
  }
  return result;
};

function neighbours(at: number, size: number, outSize: number) {
  const source = Math.max(((at + 0.5) * size) / outSize - 0.5, 0);
  const near = Math.min(Math.floor(source), size - 1);
  return { near, far: Math.min(near + 1, size - 1), share: source - near };
}

function mix(near: number, far: number, share: number): number {
  return near * (1 - share) + far * share;
}
