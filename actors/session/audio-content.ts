import type { ItemContent } from '../session-api.ts';

/** Sound that is joined when somebody asks for it. */
interface ItemSound {
  readonly length: number;
  readonly samples: () => Float32Array;
}

/** Of the contents made here: asking for their length joins nothing. */
const sounds = new WeakMap<ItemContent, ItemSound>();
const NOTHING = new Float32Array(0);

/**
 * Audio of an item, at most so many samples. Its parts are joined when somebody asks for them, which hardly anybody
 * does: a turn's end is no time to copy minutes of sound.
 */
export function audioContent(
  parts: readonly Float32Array[],
  transcript: string | null,
  limit = Number.POSITIVE_INFINITY,
): ItemContent {
  const length = Math.min(lengthOf(parts), limit);
  let waiting: readonly Float32Array[] | null = parts;
  let joined: Float32Array | null = null;
  const samples = () => {
    joined ??= joinUpTo(waiting!, length);
    waiting = null;
    return joined;
  };
  return contentOf({ length, samples }, transcript);
}

/** How many samples of sound it holds. */
export function samplesIn(content: readonly ItemContent[]): number {
  let count = 0;
  for (const part of content)
    if (part.type === 'audio') count += sounds.get(part)?.length ?? part.samples.length;
  return count;
}

/** The same sound with this transcript. */
export function withTranscript(content: readonly ItemContent[], transcript: string): ItemContent[] {
  return content.map(part => {
    if (part.type !== 'audio') return part;
    const sound = sounds.get(part);
    return sound ? contentOf(sound, transcript) : { type: part.type, samples: part.samples, transcript };
  });
}

/** What is left of it when its sound is forgotten. */
export function withoutSound(content: readonly ItemContent[]): ItemContent[] {
  return content.map(part =>
    part.type === 'audio' ? { type: part.type, samples: NOTHING, transcript: part.transcript } : part,
  );
}

/** Bytes of its pictures. */
export function pictureBytesIn(content: readonly ItemContent[]): number {
  return content.reduce((sum, part) => (part.type === 'image' ? sum + part.image.data.length : sum), 0);
}

/** What is left of it when its pictures are forgotten. */
export function withoutPictures(content: readonly ItemContent[]): ItemContent[] {
  return content.filter(({ type }) => type !== 'image');
}

function contentOf(sound: ItemSound, transcript: string | null): ItemContent {
  const content: ItemContent = {
    type: 'audio',
    get samples() {
      return sound.samples();
    },
    transcript,
  };
  sounds.set(content, sound);
  return content;
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
