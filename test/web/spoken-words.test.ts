import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignWords, openWordEnds, wordEnds, wordsOf } from '../../web/talk/spoken-words.js';

const SLICE_MS = 20;
const RATE_HZ = 24_000;
const DRIFT_SLICES = 150;

/**
 * Eighteen replies of nano: the text, the loudness of each 20 ms of its sound in hundredths, and the beginning and end
 * of each word in milliseconds as pocketsphinx's forced alignment has them.
 */
const replies: { text: string; loudness: number[]; words: [number, number][] }[] = JSON.parse(
  readFileSync('test/fixtures/web/spoken-words.json', 'utf8'),
);

const endsMs = ({ text, loudness }: (typeof replies)[number]) =>
  alignWords(
    text,
    Float32Array.from(loudness, value => value / 100),
    DRIFT_SLICES,
  ).map(slice => slice * SLICE_MS);

test('no word of nano darkens before it sounds, and half of them within 50 ms of their end (n 164)', () => {
  const ends = replies.flatMap(reply =>
    endsMs(reply).map((ms, i) => ({ ms, begin: reply.words[i][0], end: reply.words[i][1] })),
  );
  expect(ends).toHaveLength(164);
  expect(ends.filter(({ ms, begin }) => ms <= begin)).toEqual([]);
  const late = ends.map(({ ms, end }) => ms - end).sort((a, b) => a - b);
  expect(late[0]).toBeGreaterThan(-250);
  expect(Math.abs(late[82])).toBeLessThan(50);
  expect(late[Math.floor(0.9 * 164)]).toBeLessThan(400);
});

test('of a reply that still grows words are claimed later than they sound', () => {
  const early = replies.flatMap(({ text, words }) =>
    openWordEnds(text, 1000).filter((ms, i) => ms <= words[i][0] + SLICE_MS),
  );
  expect(early).toEqual([]);
});

test('words and their ends are in order, within the sound, whatever text and sound are', () => {
  const text = fc
    .array(fc.stringMatching(/^[a-z0-9',.!¿한]{1,9}$/), { maxLength: 30 })
    .map(words => words.join(' '));
  const sound = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 40 });
  fc.assert(
    fc.property(text, sound, fc.integer({ min: 1, max: 900 }), (words, levels, samplesEach) => {
      const samples = Int16Array.from(levels.flatMap(level => new Array(samplesEach).fill(level)));
      const ends = wordEnds(words, samples, RATE_HZ);
      expect(ends).toHaveLength(wordsOf(words).length);
      ends.forEach((end, i) => {
        expect(end).toBeGreaterThanOrEqual(ends[i - 1] ?? 0);
        expect(end).toBeLessThanOrEqual(samples.length);
      });
    }),
    { numRuns: 200 },
  );
});

test('two minutes of speech are laid out within bounds of work', () => {
  const text = 'One, two, three, four, five. '.repeat(44);
  const samples = Int16Array.from({ length: 120 * RATE_HZ }, (_, i) =>
    i % (RATE_HZ / 2) < RATE_HZ / 3 ? 8000 * Math.sin(i / 9) : 0,
  );
  const ends = wordEnds(text, samples, RATE_HZ);
  expect(ends).toHaveLength(220);
  const offMs = ends.map((end, i) => Math.abs(end / (samples.length / 220) - (i + 1)) * 545);
  expect(Math.max(...offMs)).toBeLessThan(4000);
});
