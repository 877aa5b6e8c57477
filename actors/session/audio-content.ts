import type { ItemContent } from '../session-api.ts';

/**
 * Audio of an item, at most so many samples. Its parts are joined when somebody asks for them, which hardly anybody does: a turn's
 * end is no time to copy minutes of sound.
 */
export function audioContent(
  parts: readonly Float32Array[],
  transcript: string | null,
  limit = Number.POSITIVE_INFINITY,
): ItemContent {
  const length = Math.min(lengthOf(parts), limit);
  let waiting: readonly Float32Array[] | null = parts;
  let samples: Float32Array | null = null;
  return {
    type: 'audio',
    get samples() {
      samples ??= joinUpTo(waiting!, length);
      waiting = null;
      return samples;
    },
    transcript,
  };
}

function lengthOf(parts: readonly Float32Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function joinUpTo(parts: readonly Float32Array[], length: number): Float32Array {
  const joined = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    if (at >= length) break;
    const left = length - at;
    joined.set(part.length <= left ? part : part.subarray(0, left), at);
    at += part.length;
  }
  return joined;
}
