import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AudioEncoder,
  type AudioEncoderStream,
  loadAudioEncoder,
} from '../../kernels/components/audio-encoder/index.ts';
import { describeModel } from '../../kernels/engine/describe-model.ts';
import { fastestEngine } from '../../kernels/engine/index.ts';
import { opsOf } from '../../kernels/engine/ops-of.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { cutAt, joined, maxDifference, openCase, seededArray } from '../support/arrays.ts';
import { copyOf, dropTensors, editJson, replaceTensor } from '../support/model-directory.ts';

// Three layers, the last two with one vector of look-ahead.
const fixture = openCase('audio-encoder/one-second');
const fastestOps = () => opsOf(fastestEngine().kind);
const encoder = loadAudioEncoder(referenceOps, fixture.directory);

function encoded(of: AudioEncoder, pieces: readonly Float32Array[]): Float32Array {
  const stream = of.createStream();
  return joined([...pieces.map(piece => stream.push(piece).vectors), stream.finish().vectors]);
}

describe('parity', () => {
  // PyTorch's float32 filter bank differs from ours by up to 4e-5 (test/kernels/fbank.test.ts); normalisation divides
  // by a deviation near 1 and the layers keep the size, so 2e-4 on values up to 18 leaves a factor of ten.
  for (const name of ['one-second', 'odd-length', 'full-left-order']) {
    it(`equals PyTorch on ${name} at every stage, pushed in 20 ms packets`, () => {
      const { directory, floats } = openCase(`audio-encoder/${name}`);
      const loaded = loadAudioEncoder(referenceOps, directory);
      const seen: Record<string, Float32Array> = {};
      const stream = loaded.createStream({
        tap: (stage, rows) => {
          seen[stage] = joined([seen[stage] ?? new Float32Array(0), rows]);
        },
      });
      const samples = floats('input.samples');
      for (let start = 0; start < samples.length; start += 320)
        stream.push(samples.subarray(start, start + 320));
      stream.finish();
      for (const stage of ['fbank', 'spliced', 'encoder', 'projector']) {
        expect(maxDifference(seen[stage], floats(`output.${stage}`)), stage).toBeLessThan(2e-4);
      }
      const logits = loaded.captionLogits(seen.encoder, seen.encoder.length / loaded.encoderWidth);
      expect(maxDifference(logits, floats('output.ctc'))).toBeLessThan(2e-4);
    });
  }
});

describe('streaming', () => {
  it('gives the same bits however the samples are cut', () => {
    fc.assert(
      fc.property(fc.nat(20000), fc.array(fc.nat(20000), { maxLength: 12 }), (length, cuts) => {
        const samples = seededArray(length, length + 1, 0.3);
        const pieces = cutAt(
          samples,
          cuts.map(cut => Math.min(cut, length)),
        );
        expect(encoded(encoder, pieces)).toEqual(encoded(encoder, [samples]));
      }),
      { numRuns: 30 },
    );
  });

  it('gives ceil(T/8) vectors: 13, 25, 38 and 50 for one to four seconds', () => {
    const counts = [1, 2, 3, 4].map(seconds => encoded(encoder, [new Float32Array(16000 * seconds)]).length);
    expect(counts).toEqual([13, 25, 38, 50].map(count => count * encoder.projectedWidth));
  });

  it('gives nothing for an utterance shorter than a frame', () => {
    expect(encoded(encoder, [])).toHaveLength(0);
    expect(encoded(encoder, [seededArray(399, 1)])).toHaveLength(0);
    expect(encoded(encoder, [seededArray(400, 1)])).toHaveLength(encoder.projectedWidth);
  });

  it('completes a vector with the sample that the description of the model says', () => {
    const { audioVectorMs, firstAudioVectorMs, inputSampleRate } = describeModel('models/nano');
    expect(firstAudioVectorMs).toBeGreaterThan(0);
    const stream = loadAudioEncoder(referenceOps, 'models/nano').createStream({ mode: 'eager' });
    const countOf = (samples: number) => stream.push(new Float32Array(samples)).count;
    let heard = 0;
    for (let vector = 0; vector < 10; vector++) {
      const sample = ((firstAudioVectorMs! + vector * audioVectorMs) * inputSampleRate) / 1000;
      expect(countOf(sample - 1 - heard)).toBe(0);
      expect(countOf(1)).toBe(1);
      heard = sample;
    }
  });

  it('lags by the right context of the splice and one vector per look-ahead layer', () => {
    // 98 frames complete the vectors whose last frame 8k + 7 ≤ 97, that is 12; two layers hold one back each.
    expect(encoder.createStream().push(seededArray(16000, 2)).count).toBe(10);
  });

  it('accepts nothing after finish', () => {
    const stream = encoder.createStream();
    stream.finish();
    expect(() => stream.push(new Float32Array(0))).toThrow(/finished/);
    expect(() => stream.finish()).toThrow(/finished/);
  });
});

describe('several streams in one step', () => {
  it.each([
    ['reference', encoder],
    ['native', loadAudioEncoder(fastestOps(), fixture.directory)],
  ])('give the bits that each gives alone, %s kernels', (_, of) => {
    const packets = fc.array(fc.nat(4000), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(packets, { minLength: 1, maxLength: 5 }), lengths => {
        const inputs = lengths.map((of, s) => of.map((length, i) => seededArray(length, 7 * s + i + 1, 0.3)));
        const streams = inputs.map(() => of.createStream());
        const together: Float32Array[][] = inputs.map(() => []);
        // Shorter utterances end while others go on.
        for (let step = 0; step <= Math.max(...inputs.map(pieces => pieces.length)); step++) {
          const going = streams.flatMap((stream, s) => (step <= inputs[s].length ? [{ stream, s }] : []));
          const works = going.map(({ stream, s }) => {
            const end = step === inputs[s].length;
            return { stream, samples: end ? new Float32Array(0) : inputs[s][step], end };
          });
          const { each, encoder: all, count } = of.encode(works);
          expect(joined(each.map(one => one.encoder))).toEqual(all);
          expect(each.reduce((sum, one) => sum + one.count, 0)).toBe(count);
          for (const [i, { s }] of going.entries()) together[s].push(each[i].vectors);
        }
        expect(together.map(joined)).toEqual(inputs.map(pieces => encoded(of, pieces)));
      }),
      { numRuns: 8 },
    );
  });

  it('leave every one of them as it was where one accepts no more', () => {
    const [open, over] = [encoder.createStream(), encoder.createStream()];
    over.finish();
    const samples = seededArray(16000, 9, 0.3);
    const works = [open, over].map(stream => ({ stream, samples, end: false }));
    expect(() => encoder.encode(works)).toThrow(/finished/);
    expect(open.push(samples).vectors).toEqual(encoder.createStream().push(samples).vectors);
  });
});

describe('fork', () => {
  const samples = seededArray(32000, 3, 0.3);

  it('lets a copy be finished while the original goes on, both with the right bits', () => {
    const original = encoder.createStream();
    const before = original.push(samples.subarray(0, 17000)).vectors;
    const copy = original.fork();
    const finished = joined([before, copy.finish().vectors]);
    const continued = joined([
      before,
      original.push(samples.subarray(17000)).vectors,
      original.finish().vectors,
    ]);
    expect(finished).toEqual(encoded(encoder, [samples.slice(0, 17000)]));
    expect(continued).toEqual(encoded(encoder, [samples]));
  });

  it('keeps copies apart when both go on differently', () => {
    const rest = (stream: AudioEncoderStream, other: Float32Array): Float32Array =>
      joined([stream.push(other).vectors, stream.finish().vectors]);
    const original = encoder.createStream();
    original.push(samples.subarray(0, 9000));
    const copy = original.fork();
    const noise = seededArray(9000, 4, 0.3);
    const ofCopy = rest(copy, noise);
    const ofOriginal = rest(original, samples.subarray(9000, 18000));
    const fresh = encoder.createStream();
    fresh.push(samples.subarray(0, 9000));
    expect(rest(fresh, samples.subarray(9000, 18000))).toEqual(ofOriginal);
    expect(ofCopy).not.toEqual(ofOriginal);
  });
});

describe('eager mode', () => {
  const samples = seededArray(32000, 5, 0.3);
  const width = encoder.projectedWidth;

  it('holds nothing back and differs from exact only where a look-ahead was missing', () => {
    const exact = encoded(encoder, [samples]);
    const stream = encoder.createStream({ mode: 'eager' });
    const first = stream.push(samples);
    expect(first.count).toBe(24);
    // Two look-ahead layers: the last two vectors saw zeros.
    expect(first.vectors.slice(0, 22 * width)).toEqual(exact.slice(0, 22 * width));
    expect(first.vectors.slice(22 * width)).not.toEqual(exact.slice(22 * width, 24 * width));
    expect(stream.finish().count).toBe(1);
  });

  it('goes on with the true left context after each packet', () => {
    // In a network of one layer a zero look-ahead spoils the last vector of its packet and nothing after it.
    const directory = copyOf(fixture.directory);
    editJson(join(directory, 'audio/config.json'), config => {
      config.nlayer = 1;
      config.num_right_layers = 1;
    });
    const path = join(directory, 'audio/audio_encoder.safetensors');
    replaceTensor(path, 'fsmn_layers.0.memory.weight', [12, 1, 6], seededArray(72, 6));
    const single = loadAudioEncoder(referenceOps, directory);
    const exact = encoded(single, [samples]);
    const stream = single.createStream({ mode: 'eager' });
    let from = 0;
    for (const packet of cutAt(samples, [5000, 16000, 16001, 24000])) {
      const { count, vectors } = stream.push(packet);
      const to = from + count * width;
      if (count === 0) continue;
      expect(vectors.slice(0, -width)).toEqual(exact.slice(from, to - width));
      expect(vectors.slice(-width)).not.toEqual(exact.slice(to - width, to));
      from = to;
    }
    expect(stream.finish().vectors).toEqual(exact.slice(from));
  });
});

describe('a model directory', () => {
  const weightFile = 'audio/audio_encoder.safetensors';

  it('may lack the CTC head', () => {
    const directory = copyOf(fixture.directory);
    dropTensors(join(directory, weightFile), 'output.');
    const loaded = loadAudioEncoder(referenceOps, directory);
    expect(loaded.captionEntries).toBeNull();
    expect(() => loaded.captionLogits(new Float32Array(14), 1)).toThrow(/no CTC head/);
    expect(encoder.captionEntries).toBe(10);
  });

  it('without a tensor is refused with the names of file and tensor', () => {
    const directory = copyOf(fixture.directory);
    dropTensors(join(directory, weightFile), 'fsmn_layers.1.memory.');
    expect(() => loadAudioEncoder(referenceOps, directory)).toThrow(
      /audio_encoder.*fsmn_layers\.1\.memory\.weight/,
    );
  });

  it.each([
    [
      'config.json',
      (c: Record<string, unknown>) => {
        c.proj_size = 13;
      },
      /ffn\.2\.weight.*12×14.*13×14/,
    ],
    [
      'config.json',
      (c: Record<string, unknown>) => {
        c.input_size = 1280;
      },
      /input_size: 1280, spliced: 1200/,
    ],
    [
      'config.json',
      (c: Record<string, unknown>) => {
        c.activation = 'gelu';
      },
      /config\.json.*activation/,
    ],
    [
      'preprocessor_config.json',
      (c: Record<string, unknown>) => {
        c.delta = { order: 2 };
      },
      /delta\.order/,
    ],
    [
      'preprocessor_config.json',
      (c: Record<string, unknown>) => {
        c.fbank = { dither: 1 };
      },
      /dither/,
    ],
    [
      'preprocessor_config.json',
      (c: Record<string, unknown>) => {
        c.cmvn = { file: '../../stats.json' };
      },
      /cmvn\.file/,
    ],
    [
      'global_cmvn.json',
      (c: Record<string, unknown>) => {
        c.stats = [[1], [1]];
      },
      /global_cmvn\.json.*bins: 80/,
    ],
  ])('with a %s that does not fit is refused with the key (%#)', (file, edit, message) => {
    const directory = copyOf(fixture.directory);
    editJson(join(directory, 'audio', file), edit);
    expect(() => loadAudioEncoder(referenceOps, directory)).toThrow(message);
  });

  it('takes missing keys from the defaults of the specification', () => {
    const directory = copyOf(fixture.directory);
    editJson(join(directory, 'audio/preprocessor_config.json'), content => {
      for (const key of Object.keys(content)) delete content[key];
      content.unknown = 'ignored';
    });
    const samples = fixture.floats('input.samples');
    expect(encoded(loadAudioEncoder(referenceOps, directory), [samples])).toEqual(
      encoded(encoder, [samples]),
    );
  });
});
