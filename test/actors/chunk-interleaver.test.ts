import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkVectors,
  type EncodedFrameUnit,
  interleaveOffline,
  LiveInterleaver,
  type Piece,
  type SequenceElement,
  SparseBuffer,
  stamp,
  systemTurn,
  toPositions,
} from '../../actors/chunk-interleaver/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { characterTokenizer } from '../support/zero-latency-engine.ts';

const seconds = (count: number) => Array.from({ length: count }, (_, i) => i);
const audioRuns = (sequence: readonly SequenceElement[]) =>
  sequence.flatMap(element => (element[0] === 'audio' ? [element[1]] : []));

describe('the offline sequence', () => {
  it('reads as spec 5.3 writes it', () => {
    expect(interleaveOffline({ audioTokens: 25, unitTokens: [8, 16], stamps: [0, 1] })).toEqual([
      ['text', 'second{0.0}:'],
      ['image', 8],
      ['audio-begin'],
      ['audio', 12],
      ['text', 'second{1.0}:'],
      ['image', 16],
      ['audio', 13],
      ['audio-end'],
    ]);
  });

  it('gives 12, 13, 12 and a last chunk of one token for 3 s of audio with four units (38 tokens count as four chunks)', () => {
    const sequence = interleaveOffline({ audioTokens: 38, unitTokens: [8, 8, 8, 8], stamps: seconds(4) });
    expect(audioRuns(sequence)).toEqual([12, 13, 12, 1]);
    expect(sequence.findIndex(([kind]) => kind === 'audio-begin')).toBe(2);
  });

  it('puts surplus video in front, without audio', () => {
    const sequence = interleaveOffline({ audioTokens: 25, unitTokens: [1, 2, 3, 4], stamps: seconds(4) });
    expect(sequence.slice(0, 4)).toEqual([
      ['text', 'second{0.0}:'],
      ['image', 1],
      ['text', 'second{1.0}:'],
      ['image', 2],
    ]);
    expect(audioRuns(sequence)).toEqual([12, 13]);
  });

  it('puts surplus audio into the last chunk', () => {
    const sequence = interleaveOffline({ audioTokens: 100, unitTokens: [8, 8], stamps: [0, 1] });
    expect(audioRuns(sequence)).toEqual([12, 88]);
  });

  it('gives floor(A/U) to each unit and the remainder to the last with the average strategy', () => {
    const sequence = interleaveOffline({
      audioTokens: 100,
      unitTokens: [8, 8, 8],
      stamps: seconds(3),
      strategy: 'average',
    });
    expect(audioRuns(sequence)).toEqual([33, 33, 34]);
  });

  it('is plain audio without video and plain video without audio', () => {
    expect(interleaveOffline({ audioTokens: 7, unitTokens: [], stamps: [] })).toEqual([
      ['audio-begin'],
      ['audio', 7],
      ['audio-end'],
    ]);
    expect(interleaveOffline({ audioTokens: 0, unitTokens: [8], stamps: [2.4] })).toEqual([
      ['text', 'second{2.4}:'],
      ['image', 8],
    ]);
  });

  it('keeps all audio, the order of images and the places of begin and end, whatever comes in', () => {
    const item = fc.record({
      audioTokens: fc.nat(400),
      unitTokens: fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 40 }),
      strategy: fc.constantFrom('sequential' as const, 'average' as const),
    });
    fc.assert(
      fc.property(item, ({ audioTokens, unitTokens, strategy }) => {
        const stamps = seconds(unitTokens.length);
        const sequence = interleaveOffline({ audioTokens, unitTokens, stamps, strategy });
        expect(audioRuns(sequence).reduce((sum, run) => sum + run, 0)).toBe(audioTokens);
        expect(sequence.flatMap(e => (e[0] === 'image' ? [e[1]] : []))).toEqual(unitTokens);
        expect(sequence.flatMap(e => (e[0] === 'text' ? [e[1]] : []))).toEqual(stamps.map(stamp));
        const kinds = sequence.map(([kind]) => kind);
        const marks = audioTokens > 0 ? 1 : 0;
        expect(kinds.filter(kind => kind === 'audio-begin')).toHaveLength(marks);
        expect(kinds.filter(kind => kind === 'audio-end')).toHaveLength(marks);
        if (marks) {
          expect(kinds.indexOf('audio-begin')).toBeLessThan(kinds.indexOf('audio'));
          expect(kinds.at(-1)).toBe('audio-end');
          if (audioTokens > 13 && unitTokens.length > 0)
            expect(kinds[kinds.indexOf('audio-begin') - 1]).toBe('image');
        }
      }),
    );
  });

  it('refuses counts that are not whole and missing stamps', () => {
    expect(() => interleaveOffline({ audioTokens: -1, unitTokens: [], stamps: [] })).toThrow(RuntimeError);
    expect(() => interleaveOffline({ audioTokens: 1, unitTokens: [8], stamps: [] })).toThrow(/stamp/);
  });
});

describe('a timestamp', () => {
  it.each([
    [0, 'second{0.0}:'],
    [3, 'second{3.0}:'],
    [1.2, 'second{1.2}:'],
    [2.36, 'second{2.4}:'],
    [0.25, 'second{0.2}:'],
    [0.75, 'second{0.8}:'],
    [61.96, 'second{62.0}:'],
  ])('of %d s is %s', (time, text) => expect(stamp(time)).toBe(text));
});

const HIDDEN = 2;
const unit = (capturedAtMs: number, count = 4): EncodedFrameUnit => ({
  capturedAtMs,
  count,
  vectors: new Float32Array(count * HIDDEN).fill(capturedAtMs),
});
/** `count` vectors whose values are their indices, from `from` on. */
const vectors = (from: number, count: number) =>
  Float32Array.from({ length: count * HIDDEN }, (_, i) => from + Math.floor(i / HIDDEN));
const outline = (pieces: readonly Piece[]) =>
  pieces.map(piece =>
    piece.kind === 'text' || piece.kind === 'quote'
      ? piece.text
      : 'count' in piece
        ? `${piece.kind}×${piece.count}`
        : piece.kind,
  );

describe('the live turn', () => {
  it('begins with the sparse units, then sends chunks of 12 and 13 vectors with their units, as in spec 5.6', () => {
    const turn = new LiveInterleaver(HIDDEN, [unit(1000), unit(3000)]);
    expect(outline(turn.take())).toEqual(['USER:', 'second{1.0}:', 'image×4', 'second{3.0}:', 'image×4']);
    turn.expectUnit(0);
    turn.audio(vectors(0, 20), 20);
    expect(outline(turn.take())).toEqual([]);
    turn.unitEncoded(0, unit(4100));
    expect(outline(turn.take())).toEqual([]); // Its second is not over yet.
    turn.endChunk();
    expect(outline(turn.take())).toEqual(['second{4.1}:', 'image×4', 'audio-begin', 'audio×12']);
    turn.audio(vectors(20, 18), 18);
    turn.endChunk();
    turn.endChunk();
    expect(outline(turn.take())).toEqual(['audio×13', 'audio×12']);
    expect(outline(turn.tail(vectors(38, 3), 3, 38))).toEqual(['audio×4', 'audio-end', '\n']);
  });

  it('puts the unit of the chunk under way into the tail', () => {
    const turn = new LiveInterleaver(HIDDEN, []);
    turn.take();
    turn.expectUnit(0);
    turn.unitEncoded(0, unit(500));
    turn.audio(vectors(0, 3), 3);
    expect(outline(turn.tail(vectors(3, 6), 6, 3))).toEqual([
      'second{0.5}:',
      'image×4',
      'audio-begin',
      'audio×9',
      'audio-end',
      '\n',
    ]);
  });

  it('does not wait for a unit that was lost', () => {
    const turn = new LiveInterleaver(HIDDEN, []);
    turn.expectUnit(0);
    turn.audio(vectors(0, 12), 12);
    expect(turn.waitingForUnits).toBe(true);
    turn.unitLost(0);
    turn.endChunk();
    expect(outline(turn.take())).toEqual(['USER:', 'audio-begin', 'audio×12']);
  });

  it('leaves later audio out of a tail, and goes on after it as if it had not been asked for', () => {
    const turn = new LiveInterleaver(HIDDEN, []);
    turn.take();
    turn.audio(vectors(0, 4), 4);
    turn.audio(vectors(4, 9), 9); // Comes of audio after the speculation.
    turn.endChunk();
    expect(outline(turn.tail(vectors(100, 6), 6, 4))).toEqual(['audio-begin', 'audio×10', 'audio-end', '\n']);
    expect(outline(turn.take())).toEqual(['audio-begin', 'audio×12']);
  });

  it('conserves vectors and their order however they arrive, with tails taken at any moment', () => {
    const arrivals = fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 20 }),
        tail: fc.boolean(),
        end: fc.boolean(),
        unit: fc.boolean(),
      }),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(arrivals, fc.nat(8), (steps, flushed) => {
        const turn = new LiveInterleaver(HIDDEN, []);
        const pieces: Piece[] = [];
        let sent = 0;
        let chunk = 0;
        for (const step of steps) {
          if (step.unit) {
            turn.expectUnit(chunk);
            turn.unitEncoded(chunk, unit(chunk * 1000));
          }
          turn.audio(vectors(sent, step.count), step.count);
          sent += step.count;
          if (step.end) turn.endChunk();
          if (step.tail) turn.tail(vectors(sent, 2), 2, sent);
          pieces.push(...turn.take());
          chunk = pieces.filter(piece => piece.kind === 'audio').length;
        }
        const body = pieces.filter(piece => piece.kind === 'audio');
        const counts = body.map(piece => 'count' in piece && piece.count);
        expect(counts).toEqual(counts.map((_, index) => chunkVectors(index)));
        pieces.push(...turn.tail(vectors(sent, flushed), flushed, sent));
        const values = pieces.flatMap(piece => (piece.kind === 'audio' ? [...piece.vectors] : []));
        expect(values).toEqual([...vectors(0, sent + flushed)]);
        const kinds = pieces.map(piece => piece.kind);
        const expected = sent + flushed > 0 ? 1 : 0;
        expect(kinds.filter(kind => kind === 'audio-begin')).toHaveLength(expected);
        expect(kinds.filter(kind => kind === 'audio-end')).toHaveLength(expected);
      }),
    );
  });
});

describe('the sparse buffer', () => {
  it('drops every second oldest unit at the cap and keeps the newest', () => {
    const buffer = new SparseBuffer(4);
    for (const second of [0, 2, 4, 6, 8]) buffer.add(unit(second * 1000));
    expect(buffer.takeAll().map(({ capturedAtMs }) => capturedAtMs)).toEqual([2000, 6000, 8000]);
    expect(buffer.size).toBe(0);
  });
});

describe('the template', () => {
  const tokens = {
    bos: 1,
    eos: 2,
    pad: 3,
    audioBegin: 134,
    audioEnd: 135,
    audioPad: 136,
    imagePad: 142,
    pause: 137,
    wait: null,
  };

  it('tokenises each piece on its own and gives every position codes 3,3,3,3', () => {
    const seen: string[] = [];
    const tokenizer = {
      ...characterTokenizer,
      encode: (text: string) => {
        seen.push(text);
        return characterTokenizer.encode(text);
      },
    };
    const { positions, count } = toPositions(systemTurn('Be kind.'), tokenizer, tokens);
    expect(seen).toEqual(['SYSTEM:', 'Be kind.', '</longcat_s>', '\n']);
    expect(new Set(positions.codes)).toEqual(new Set([3]));
    expect(positions.codes).toHaveLength(positions.textIds.length * 4);
    expect(count).toEqual({ text: positions.textIds.length, audio: 0, image: 0 });
  });

  it('lets no text from outside forge a token with a role', () => {
    const tokenizer = {
      encode: (text: string) =>
        [...text].map(character =>
          character === '#' ? tokens.audioPad : character === '$' ? tokens.eos : 900,
        ),
      decode: () => '',
    };
    const written = (kind: 'text' | 'quote') => [
      ...toPositions([{ kind, text: 'a#b$' }], tokenizer, tokens).positions.textIds,
    ];
    expect(written('text')).toEqual([900, 136, 900, 2]);
    expect(written('quote')).toEqual([900, 900]);
  });

  it('writes one pad per vector, features in the order of the pads', () => {
    const pieces: Piece[] = [
      { kind: 'image', vectors: vectors(7, 1), count: 1 },
      { kind: 'audio-begin' },
      { kind: 'audio', vectors: vectors(0, 2), count: 2 },
      { kind: 'audio-end' },
    ];
    const { positions, count } = toPositions(pieces, characterTokenizer, tokens);
    expect([...positions.textIds]).toEqual([142, 134, 136, 136, 135]);
    expect([...positions.features]).toEqual([7, 7, 0, 0, 1, 1]);
    expect(count).toEqual({ text: 2, audio: 2, image: 1 });
  });
});
