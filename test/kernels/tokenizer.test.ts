import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../../kernels/errors.ts';
import { loadTokenizer, readSpecialTokens } from '../../kernels/tokenizer/index.ts';

/** Ten letters and what is given, without merges. */
function tokenizerFile(special: Record<string, number>): object {
  const letters = Object.fromEntries([...'abcdefghij'].map((letter, i) => [letter, 10 + i]));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    added_tokens: Object.entries(special).map(([content, id]) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', unk_token: null, vocab: { ...letters, ...special }, merges: [] },
  };
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  writeFileSync(join(directory, 'config.json'), '{"eos_token_id": 5}');
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (content: unknown) => writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(content));

describe('special tokens', () => {
  it('have the inferred ids 24 + k where there is no tokenizer', () => {
    expect(readSpecialTokens(directory)).toEqual({
      bos: 1,
      eos: 5,
      pad: 3,
      audioBegin: 134,
      audioEnd: 135,
      audioPad: 136,
      imagePad: 142,
      pause: 137,
      wait: null,
      toolTags: [],
    });
  });

  it('come from the vocabulary: the string itself first, then its reserved entry', () => {
    write(tokenizerFile({ '<|audio|>': 50, '<mask_110>': 51, '<mask_113>': 52 }));
    const tokens = readSpecialTokens(directory);
    expect([tokens.audioBegin, tokens.pause, tokens.imagePad]).toEqual([50, 52, 142]);
  });
});

describe('the tokenizer', () => {
  it('replaces strings that have only a reserved entry, and back', () => {
    write(tokenizerFile({ '<mask_112>': 60, '<mask_113>': 61, '<|image_pad|>': 62 }));
    const tokenizer = loadTokenizer(directory);
    const text = 'ab<|audio_pad|><|audio_pad|>c</pause><|image_pad|>';
    expect(tokenizer.encode(text)).toEqual([10, 11, 60, 60, 12, 61, 62]);
    expect(tokenizer.decode([10, 11, 60, 60, 12, 61, 62])).toBe(text);
  });

  it.each<[string, unknown, string]>([
    ['is a list', [], 'tokenizer.invalid'],
    ['has no model', {}, 'tokenizer.invalid'],
    ['has a vocabulary of texts', { model: { vocab: { a: 'b' } } }, 'tokenizer.invalid'],
    [
      'has a model nobody knows',
      { model: { type: 'Astrology', vocab: { a: 1 } }, added_tokens: [] },
      'tokenizer.invalid',
    ],
  ])('is refused when the file %s', (_, content, code) => {
    write(content);
    expect(() => loadTokenizer(directory)).toThrow(RuntimeError);
    expect(() => loadTokenizer(directory)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused when the file is missing', () => {
    expect(() => loadTokenizer(directory)).toThrow(expect.objectContaining({ code: 'tokenizer.open' }));
  });
});
