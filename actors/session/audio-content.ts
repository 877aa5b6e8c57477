import type { ItemContent } from '../session-api.ts';

/** Samples of contents whose parts are not joined yet. */
const lengths = new WeakMap<ItemContent, number>();
const NOTHING = new Float32Array(0);

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
  const content: ItemContent = {
    type: 'audio',
    get samples() {
      samples ??= joinUpTo(waiting!, length);
      waiting = null;
      return samples;
    },
    transcript,
  };
  lengths.set(content, length);
  return content;
}

/** How many samples of sound it holds. */
export function samplesIn(content: readonly ItemContent[]): number {
  let count = 0;
  for (const part of content) if (part.type === 'audio') count += lengths.get(part) ?? part.samples.length;
  return count;
}

/** The same sound with this transcript; it is still joined only when somebody asks for it. */
export function withTranscript(content: readonly ItemContent[], transcript: string): ItemContent[] {
  return content.map(part => {
    if (part.type !== 'audio') return part;
    const renamed: ItemContent = {
      type: 'audio',
      get samples() {
        return part.samples;
      },
      transcript,
    };
    lengths.set(renamed, samplesIn([part]));
    return renamed;
  });
}

/** What is left of it when its sound is forgotten. */
export function withoutSound(content: readonly ItemContent[]): ItemContent[] {
  return content.map(part =>
    part.type === 'audio' ? { type: part.type, samples: NOTHING, transcript: part.transcript } : part,
  );
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
