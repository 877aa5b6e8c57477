import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { fastestEngine } from '../../kernels/engine/index.ts';
import { opsOf } from '../../kernels/engine/ops-of.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { cutAt, joined, maxDifference, openCase } from '../support/arrays.ts';
import { copyOf, dropTensors, editJson } from '../support/model-directory.ts';

const fixture = openCase('gan-decoder/nine-frames');
const decoder = loadGanDecoder(referenceOps, fixture.directory);

function decoded(pieces: readonly Int32Array[], of = decoder): Float32Array {
  const stream = of.createStream();
  return joined([...pieces.map(piece => stream.push(piece)), stream.finish()]);
}

const frameOfCodes = fc
  .tuple(
    fc.nat(decoder.semanticEntries - 1),
    fc.nat(decoder.acousticEntries - 1),
    fc.nat(decoder.acousticEntries - 1),
    fc.nat(decoder.acousticEntries - 1),
  )
  .map(codes => [...codes]);

describe('parity', () => {
  // Samples are in [−1, 1] after tanh; PyTorch sums in float32, ours in double: some float32 steps per layer.
  it.each(['two-frames', 'nine-frames'])(
    'equals the offline decoder in PyTorch on %s, frame by frame',
    name => {
      const { directory, integers, floats } = openCase(`gan-decoder/${name}`);
      const stream = loadGanDecoder(referenceOps, directory).createStream();
      const codes = integers('input.codes');
      const pieces = [];
      for (let frame = 0; frame < codes.length / 4; frame++)
        pieces.push(stream.push(codes.subarray(4 * frame, 4 * frame + 4)));
      expect(maxDifference(joined([...pieces, stream.finish()]), floats('output.samples'))).toBeLessThan(
        1e-5,
      );
    },
  );
});

describe('streaming', () => {
  it('gives the same bits however the frames are cut', () => {
    const frames = fc.array(frameOfCodes, { maxLength: 40 });
    fc.assert(
      fc.property(frames, fc.array(fc.nat(40), { maxLength: 6 }), (rows, cuts) => {
        const codes = Int32Array.from(rows.flat());
        const pieces = cutAt(
          codes,
          cuts.map(cut => 4 * Math.min(cut, rows.length)),
        );
        const whole = decoded([codes]);
        expect(whole).toHaveLength(rows.length * decoder.samplesPerFrame);
        expect(decoded(pieces)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  it('gives a frame of 1440 samples once three more frames are known, and the rest at the end', () => {
    const stream = decoder.createStream();
    const codes = fixture.integers('input.codes');
    const counts = [0, 1, 2, 3, 4].map(t => stream.push(codes.subarray(4 * t, 4 * t + 4)).length);
    expect(counts).toEqual([0, 0, 0, 1440, 1440]);
    expect(stream.finish()).toHaveLength(3 * 1440);
    expect(decoder.lookAheadFrames).toBe(3);
  });

  it.each([
    ['reference', decoder],
    ['native', loadGanDecoder(opsOf(fastestEngine().kind), fixture.directory)],
  ])('gives several streams in one step the bits that each gives alone, %s kernels', (_, of) => {
    // Per stream and step some frames; a block is 16 of them.
    const steps = fc.array(fc.array(frameOfCodes, { maxLength: 18 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), all => {
        const streams = all.map(() => of.createStream());
        const together: Float32Array[][] = all.map(() => []);
        for (let step = 0; step < 3; step++) {
          const going = all.flatMap((pieces, s) => (step < pieces.length ? [s] : []));
          const samples = of.decode(
            going.map(s => ({
              stream: streams[s],
              codes: Int32Array.from(all[s][step].flat()),
              finish: step === all[s].length - 1,
            })),
          );
          for (const [i, s] of going.entries()) together[s].push(samples[i]);
        }
        const alone = all.map(pieces => decoded([Int32Array.from(pieces.flat(2))], of));
        expect(together.map(joined)).toEqual(alone);
      }),
      { numRuns: 4 },
    );
  });

  it('leaves every stream as it was where one is given what is no code', () => {
    const codes = fixture.integers('input.codes');
    const [good, bad] = [decoder.createStream(), decoder.createStream()];
    const works = [good, bad].map(stream => ({
      stream,
      codes: stream === bad ? Int32Array.of(-1, 0, 0, 0) : codes,
      finish: false,
    }));
    expect(() => decoder.decode(works)).toThrow(/codebook/);
    expect(joined([good.push(codes), good.finish()])).toEqual(decoded([codes]));
  });

  it('gives nothing for nothing', () => {
    expect(decoded([])).toHaveLength(0);
    expect(decoded([new Int32Array(0)])).toHaveLength(0);
  });

  it('keeps streams apart', () => {
    const codes = fixture.integers('input.codes');
    const [one, other] = [decoder.createStream(), decoder.createStream()];
    const parts: Float32Array[] = [];
    for (let t = 0; t < 9; t++) {
      parts.push(one.push(codes.subarray(4 * t, 4 * t + 4)));
      other.push(codes.subarray(4 * (8 - t), 4 * (8 - t) + 4));
    }
    expect(joined([...parts, one.finish()])).toEqual(decoded([codes]));
  });
});

describe('bad codes', () => {
  it.each([
    [Int32Array.of(20, 0, 0, 0), /frame: 0, codebook: 0, code: 20, entries: 20/],
    [Int32Array.of(0, 0, 0, 0, 1, 0, 25, 0), /frame: 1, codebook: 2, code: 25, entries: 25/],
    [Int32Array.of(-1, 0, 0, 0), /code: -1/],
    [Int32Array.of(1, 2, 3), /codes: 3, codebooks: 4/],
  ])(
    'are refused with frame and codebook (%#), and the stream goes on as if nothing had been',
    (codes, message) => {
      const good = fixture.integers('input.codes');
      const stream = decoder.createStream();
      const before = stream.push(good.subarray(0, 20));
      expect(() => stream.push(codes)).toThrow(message);
      const after = stream.push(good.subarray(20));
      expect(joined([before, after, stream.finish()])).toEqual(decoded([good]));
    },
  );

  it('are not accepted after finish, nor good ones', () => {
    const stream = decoder.createStream();
    stream.finish();
    expect(() => stream.push(new Int32Array(4))).toThrow(/finished/);
  });
});

describe('a model directory', () => {
  it('without a tensor is refused with the names of file and tensor', () => {
    const directory = copyOf(fixture.directory);
    dropTensors(join(directory, 'audio_codec/decoder.safetensors'), 'decoder.model.3.block.2.block.0');
    expect(() => loadGanDecoder(referenceOps, directory)).toThrow(
      /decoder\.safetensors.*decoder\.model\.3\.block\.2\.block\.0\.alpha/,
    );
  });

  it('with another width or variant is refused with the reason', () => {
    const directory = copyOf(fixture.directory);
    const config = join(directory, 'audio_codec/config.json');
    const set = (key: string, value: unknown) =>
      editJson(config, content => {
        (content.codec_config as Record<string, unknown>)[key] = value;
      });
    set('decoder_dim', 34);
    expect(() => loadGanDecoder(referenceOps, directory)).toThrow(
      /decoder\.model\.0\.weight_g.*32×1×1.*34×1×1/,
    );
    set('decoder_type', '16k');
    expect(() => loadGanDecoder(referenceOps, directory)).toThrow(/codec_config\.decoder_type/);
  });
});
