import { describe, expect, it } from 'vitest';
import { CaptionReader } from '../../kernels/components/audio-encoder/index.ts';

const WORDS = ['what', 'is', 'two'];

/** Logits in which `entries[k]` wins at vector k; 0 is the blank. */
function logitsOf(entries: readonly number[]): Float32Array {
  const logits = new Float32Array(entries.length * (WORDS.length + 1)).fill(-1);
  entries.forEach((entry, vector) => {
    logits[vector * (WORDS.length + 1) + entry] = 1;
  });
  return logits;
}

describe('CaptionReader', () => {
  it('reads a word where it begins, once however long it lasts, and again after a blank', () => {
    const entries = [0, 1, 1, 0, 2, 3, 3, 0, 3];
    expect(new CaptionReader(WORDS).read(logitsOf(entries), entries.length)).toMatchObject([
      { vector: 1, text: 'what' },
      { vector: 4, text: 'is' },
      { vector: 5, text: 'two' },
      { vector: 8, text: 'two' },
    ]);
  });

  it('says how sure it is of a word, by the softmax of where it begins', () => {
    const logits = logitsOf([0, 2, 2]);
    logits[4 + 2] = 3; // Against three of −1.
    logits[8 + 2] = 9; // Later it may be surer.
    const [{ confidence }] = new CaptionReader(WORDS).read(logits, 3);
    expect(confidence).toBeCloseTo(1 / (1 + 3 * Math.exp(-4)), 12);
  });

  it('goes on over the cut between two answers', () => {
    const reader = new CaptionReader(WORDS);
    expect(reader.read(logitsOf([1]), 1)).toMatchObject([{ vector: 0, text: 'what' }]);
    expect(reader.read(logitsOf([1, 2]), 2)).toMatchObject([{ vector: 1, text: 'is' }]);
  });

  it('forks: what the copy reads is not read by the original', () => {
    const reader = new CaptionReader(WORDS);
    const copy = reader.fork();
    copy.read(logitsOf([3]), 1);
    expect(reader.read(logitsOf([3]), 1)).toMatchObject([{ vector: 0, text: 'two' }]);
  });
});
