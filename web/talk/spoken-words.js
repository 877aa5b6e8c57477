/**
 * When each word of a reply is heard. The protocol says which words there are, not when they sound: their text runs
 * ahead of their sound. So the words are laid over the loudness of the sound: each takes about the time its letters
 * want, and ends where it is quiet, above all where there is a stop. Measured on nano's speech in
 * test/web/spoken-words.test.ts.
 */

/** Time a word wants: itself, each letter or digit, and the rest after a comma or a full stop. */
const WORD_WEIGHT = 4;
const STOP_WEIGHT = 4;
/**
 * While the reply still grows its length is unknown; slower than people speak, so that no word is claimed too early.
 */
const OPEN_MS_PER_WEIGHT = 55;
/** A word is no shorter and no longer than these shares of its expected time. */
const SHORTEST = 0.3;
const LONGEST = 3;
/** How much quiet at its end counts for a word beside its length, with a stop after it and without. */
const QUIET_AFTER_STOP = 4.5;
const QUIET_AFTER_WORD = 2.1;
const QUIET = 0.1;
/** No word ends further than this from where an even pace would have it. */
const DRIFT_MS = 3000;
/** A longer sound is looked at more coarsely, so that it costs no more. */
const MAX_SLICES = 1500;
const SLICE_MS = 20;

/**
 * @param {string} text @returns {{ end: number, weight: number, stop: boolean }[]} `end`: characters up to the end of
 * the word
 */
export function wordsOf(text) {
  return [...text.matchAll(/\S+/g)].map(match => {
    const stop = /[.,;:!?…。，、；：！？]["'”’)\]]*$/u.test(match[0]);
    const letters = match[0].match(/[\p{L}\p{N}]/gu)?.length ?? 0;
    return {
      end: match.index + match[0].length,
      weight: WORD_WEIGHT + letters + (stop ? STOP_WEIGHT : 0),
      stop,
    };
  });
}

/** While the reply grows: samples after which each word has surely been heard. */
export function openWordEnds(text, rateHz) {
  let weight = 0;
  return wordsOf(text).map(word => {
    weight += word.weight;
    return (weight * OPEN_MS_PER_WEIGHT * rateHz) / 1000;
  });
}

/**
 * Of a complete reply: samples after which each word has been heard.
 *
 * @param {string} text
 * @param {Int16Array} samples its whole sound
 * @param {number} rateHz
 * @returns {number[]}
 */
export function wordEnds(text, samples, rateHz) {
  const sliceSamples = Math.max((SLICE_MS * rateHz) / 1000, Math.ceil(samples.length / MAX_SLICES));
  const drift = Math.ceil((DRIFT_MS * rateHz) / 1000 / sliceSamples);
  return alignWords(text, loudness(samples, sliceSamples), drift).map(slices => slices * sliceSamples);
}

/** Of each slice: its level beside that of the loud ones, 0 to 1. @returns {Float32Array} */
function loudness(samples, sliceSamples) {
  const levels = Float32Array.from({ length: Math.floor(samples.length / sliceSamples) }, (_, slice) => {
    let energy = 0;
    for (let i = slice * sliceSamples; i < (slice + 1) * sliceSamples; i++) energy += samples[i] * samples[i];
    return Math.sqrt(energy / sliceSamples);
  });
  const loud = [...levels].sort((a, b) => a - b)[Math.floor(levels.length * 0.9)] || 1;
  return levels.map(level => Math.min(1, level / loud));
}

/**
 * The cheapest way to cut the sound into the words, by dynamic programming over (word, slice).
 *
 * @param {string} text
 * @param {Float32Array} loud of each slice
 * @param {number} drift slices
 * @returns {number[]} for each word the slice before which it has ended
 */
export function alignWords(text, loud, drift) {
  const words = wordsOf(text);
  const slices = loud.length;
  if (words.length === 0) return [];
  if (slices < words.length) return words.map(() => slices);
  const perWeight = slices / words.reduce((sum, { weight }) => sum + weight, 0);
  let costs = new Float64Array(slices + 1).fill(Number.POSITIVE_INFINITY);
  costs[0] = 0;
  let even = 0;
  const begins = words.map((word, w) => {
    const isLast = w === words.length - 1;
    const expected = word.weight * perWeight;
    even += expected;
    const from = isLast ? slices : Math.floor(even - drift);
    const to = Math.min(slices, Math.ceil(even + drift));
    const step = endOfWord(costs, loud, { ...word, expected, from, to });
    costs = step.costs;
    return step.begins;
  });
  const ends = [];
  for (let w = words.length - 1, end = slices; w >= 0; w--) {
    ends[w] = end;
    end = begins[w][end];
  }
  return ends.map(end => lastSound(loud, end));
}

/** What it costs that this word ends before each slice from `from` to `to`, and where it then begins. */
function endOfWord(before, loud, { expected, stop, from, to }) {
  const costs = new Float64Array(before.length).fill(Number.POSITIVE_INFINITY);
  const begins = new Int32Array(before.length);
  const shortest = Math.max(1, Math.floor(expected * SHORTEST));
  const longest = Math.max(shortest, Math.ceil(expected * LONGEST));
  const lengthCosts = Float64Array.from(
    { length: longest + 1 },
    (_, length) => Math.log(length / expected) ** 2,
  );
  for (let end = Math.max(shortest, from); end <= to; end++) {
    for (let length = shortest; length <= Math.min(longest, end); length++) {
      const cost = before[end - length] + lengthCosts[length];
      if (cost >= costs[end]) continue;
      costs[end] = cost;
      begins[end] = end - length;
    }
    if (end < loud.length) costs[end] += (stop ? QUIET_AFTER_STOP : QUIET_AFTER_WORD) * loud[end];
  }
  return { costs, begins };
}

/** A word has been heard when its sound is over, not when the quiet after it is. */
function lastSound(loud, end) {
  let last = end;
  while (last > 1 && loud[last - 1] < QUIET) last--;
  return last;
}
