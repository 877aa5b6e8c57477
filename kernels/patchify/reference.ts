import type { Patchify, PatchLayout } from './index.ts';

export const CHANNELS = 3;

export const patchify: Patchify = (frames, layout, out) => {
  const { height, width, patch } = layout;
  const result = out ?? new Float32Array(frames.length * CHANNELS * height * width);
  const levels = normalisedLevels(layout);
  let to = 0;
  for (let top = 0; top < height; top += patch) {
    for (let left = 0; left < width; left += patch) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        for (const frame of frames) {
          for (let y = top; y < top + patch; y++) {
            const from = (y * width + left) * CHANNELS + channel;
            for (let x = 0; x < patch; x++) {
              result[to++] = levels[channel * 256 + frame[from + x * CHANNELS]];
            }
          }
        }
      }
    }
  }
  return result;
};

/** [3 × 256] the value of each 8-bit level, rounded to float32 at every step as the published transform does. */
export function normalisedLevels({ mean, std }: PatchLayout): Float32Array {
  const { fround } = Math;
  const levels = new Float32Array(CHANNELS * 256);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let level = 0; level < 256; level++) {
      const centred = fround(fround(level / 255) - fround(mean[channel]));
      levels[channel * 256 + level] = centred / fround(std[channel]);
    }
  }
  return levels;
}
