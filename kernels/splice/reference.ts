import type { Splice } from './index.ts';

export const splice: Splice = (
  frames,
  { left, right, stride },
  firstVector,
  vectors,
  out = new Float32Array(vectors * (left + 1 + right) * frames.width),
) => {
  const last = frames.first + frames.count - 1;
  let written = 0;
  for (let k = firstVector; k < firstVector + vectors; k++) {
    for (let t = stride * k - left; t <= stride * k + right; t++) {
      const row = Math.min(Math.max(t, 0), last) - frames.first;
      for (let i = 0; i < frames.width; i++) out[written++] = frames.data[row * frames.width + i];
    }
  }
  return out;
};
