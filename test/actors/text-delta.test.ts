import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextDelta } from '../../actors/language-model/text-delta.ts';
import type { SpecialTokens, Tokenizer } from '../../kernels/engine/index.ts';

const EOS = 1;
const PAD = 2;
const PAUSE = 3;
const FIRST = 10;
const tokens = { eos: EOS, pad: PAD, pause: PAUSE } as SpecialTokens;

/**
 * Every piece is an id; bytes that are no characters become U+FFFD, once a sequence or, as byte-fallback tokenizers do,
 * once a byte of the run.
 */
function pieces(chunks: readonly Buffer[], byteFallback = false): Tokenizer {
  const hidden = (run: string) => (run.includes('\uFFFD') ? '\uFFFD'.repeat(run.length) : run);
  const text = (bytes: Buffer) => {
    const plain = bytes.toString('utf8');
    return byteFallback ? plain.replaceAll(/[^\0-\x7f]+/g, hidden) : plain;
  };
  return {
    encode: () => [],
    decode: ids => text(Buffer.concat(ids.map(id => chunks[id - FIRST]))),
  };
}

function read(chunks: readonly Buffer[], byteFallback = false) {
  const delta = new TextDelta(pieces(chunks, byteFallback), tokens);
  const shown = chunks.map((_, i) => delta.push(FIRST + i));
  return { shown, text: shown.join('') + delta.push(EOS) };
}

const hex = (...chunks: string[]) => chunks.map(chunk => Buffer.from(chunk, 'hex'));

describe('text as it becomes readable', () => {
  it('is whole where ids straddle characters, however many in a row', () => {
    const { shown, text } = read(hex('ec82', 'b4ec82', 'b4cc', '8120e7', '958c'));
    expect(text).toBe('살살́ 界');
    expect(shown).toEqual(['', '살', '살', '́', ' 界']);
  });

  it('comes at once up to the last whole character, for any split of the bytes over ids', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', ' ', '\n', 'é', '살', '\u0301', '界', '😀', '\u{10ffff}'),
      minLength: 1,
      maxLength: 30,
    });
    const cuts = fc.array(fc.nat(200), { maxLength: 40 });
    fc.assert(
      fc.property(word, cuts, fc.boolean(), (given, at, byteFallback) => {
        // A replacement character of the text itself looks like an incomplete one until the next.
        const text = given.replaceAll('\uFFFD', 'x');
        const bytes = Buffer.from(text);
        const places = [...new Set(at.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b);
        const ends = [...places.filter(place => place > 0 && place < bytes.length), bytes.length];
        const chunks = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
        const result = read(chunks, byteFallback);
        expect(result.text).toBe(text.trim());
        if (byteFallback) return; // Such a tokenizer hides whole characters too while a run is not complete.
        let seen = '';
        ends.forEach((end, i) => {
          seen += result.shown[i];
          const whole = bytes
            .subarray(0, end)
            .toString('utf8')
            .replace(/\uFFFD+$/, '');
          expect(seen).toBe(whole.trim());
        });
      }),
    );
  });

  it('never holds back more than what is no character, and says it at the end', () => {
    const { shown, text } = read(hex('61', 'ff', 'ff', 'ff', 'ff', 'ff', '62', 'e7'));
    expect(shown).toEqual(['a', '', '', '', '', '', `${'\uFFFD'.repeat(5)}b`, '']);
    expect(text).toBe(`a${'\uFFFD'.repeat(5)}b\uFFFD`);
  });
});
