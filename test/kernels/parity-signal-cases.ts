import { FBANK_DEFAULTS } from '../../kernels/fbank/index.ts';
import { chain, FILLINGS, type ParityCase, ROUNDING } from './parity.ts';

/** Sound before and after the networks, and pixels before them. */
export function* signalCases(): Generator<ParityCase> {
  for (const size of [2, 8, 512]) {
    yield {
      op: 'fft',
      label: `${size} points, the last of them missing`,
      // The same butterflies in the same order, in double.
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const fft = ops.fft(size);
        const frame = Float64Array.from(memory.input(size - 1));
        const [real, imaginary] = [0, 1].map(() => new Float64Array(size / 2 + 1));
        fft.transform(frame, real, imaginary);
        return [...real, ...imaginary, ...fft.powerSpectrum(frame)];
      },
    };
  }
  for (const rateHz of [8000, 16_000]) {
    for (const filling of FILLINGS) {
      yield {
        op: 'voiceFrame',
        label: `five frames of ${rateHz} Hz, ${filling}, then a voice and a tone`,
        // The same sums in the same order, in double.
        absolute: 0,
        relative: 0,
        filling,
        run: (ops, memory) => {
          const voice = ops.voiceFrame(rateHz);
          const samples = rateHz / 50;
          const measured = Array.from({ length: 5 }, () => [...voice.measure(memory.input(samples))]);
          for (const hz of [130, 130, 130, 697, 697, 697]) {
            const harmonics = hz < 200 ? [1, 2, 3, 5, 8] : [1, 1209 / hz];
            const sound = Float32Array.from({ length: samples }, (_, n) =>
              harmonics.reduce((sum, k) => sum + 0.1 * Math.sin((2 * Math.PI * k * hz * n) / rateHz), 0),
            );
            measured.push([...voice.measure(sound)]);
          }
          return measured.flat();
        },
      };
    }
  }
  for (const [outputs, inputs] of [
    [4, 1],
    [36, 29],
    [96, 32],
  ]) {
    yield {
      op: 'doubleLinear',
      label: `${inputs} → ${outputs}`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const [matrix, bias, x] = [outputs * inputs, outputs, inputs].map(count =>
          Float64Array.from(memory.input(count)),
        );
        return [...ops.doubleLinear(matrix, bias).apply(x, new Float64Array(outputs))];
      },
    };
  }
  for (const samples of [0, 399, 400, 1000]) {
    for (const filling of FILLINGS) {
      yield {
        op: 'fbank',
        label: `${samples} samples, ${filling}`,
        // In double like the reference; two libraries' logarithms may round differently.
        absolute: 0,
        relative: 2 * ROUNDING,
        filling,
        run: (ops, memory) => {
          const fbank = ops.fbank(FBANK_DEFAULTS);
          const out = memory.output(fbank.frameCount(samples) * fbank.bins);
          return fbank.apply(memory.input(samples), out);
        },
      };
    }
  }
  for (const metric of ['euclidean', 'cosine'] as const) {
    for (const [entries, width] of [
      [1, 1],
      [31, 3],
      [33, 8],
      [256, 8],
    ]) {
      yield {
        op: 'vectorQuantizer',
        label: `${metric}, ${entries} of ${width}`,
        absolute: 0,
        relative: 0,
        run: (ops, memory) => {
          const quantizer = ops.vectorQuantizer(memory.weights(entries * width), { entries, width, metric });
          return quantizer.nearest(memory.input(9 * width), 9);
        },
      };
    }
  }
  for (const [from, to] of [
    [8000, 16000],
    [24000, 16000],
    [48000, 24000],
    [24000, 8000],
    [16000, 16000],
  ]) {
    yield {
      op: 'resampler',
      label: `${from} → ${to}`,
      // Sums in double, in another order.
      absolute: ROUNDING,
      relative: ROUNDING,
      run: (ops, memory) => {
        const resampler = ops.resampler(from, to);
        const pieces = [0, 1, 160, 333].map(length => resampler.push(memory.input(length)));
        return [...pieces, resampler.finish()].flatMap(piece => [...piece]);
      },
    };
  }
  for (const [width, height, outWidth, outHeight] of [
    [1, 1, 5, 3],
    [17, 9, 8, 30],
    [40, 30, 40, 7],
    [9, 9, 9, 9],
    [30, 8, 7, 8],
  ]) {
    yield {
      op: 'resizeBicubic',
      label: `${width}×${height} → ${outWidth}×${outHeight}`,
      absolute: 0,
      relative: 0,
      run: (ops, memory) => {
        const pixels = Uint8Array.from({ length: width * height * 3 }, () => memory.random() * 256);
        return ops.resizeBicubic(pixels, width, height, 3, outWidth, outHeight);
      },
    };
  }
  yield {
    op: 'cmvn',
    label: '5×19',
    absolute: 0,
    relative: 0,
    run: (ops, memory) => {
      const deviation = memory.weights(19).map(value => Math.abs(value) + 0.1);
      return ops.cmvn(
        memory.input(5 * 19),
        5,
        { mean: memory.weights(19), deviation },
        memory.output(5 * 19),
      );
    },
  };
  yield {
    op: 'conv2d',
    label: '3 channels of 7 bands to 5',
    absolute: chain(27),
    relative: 0,
    run: (ops, memory) => {
      const shape = { inputs: 3, outputs: 5, kernel: 3, bands: 7, timeStride: 2 };
      const conv = ops.conv2d(memory.weights(5 * 27), memory.weights(5), shape);
      return conv.apply(memory.input(8 * 21), 8, memory.output(conv.outputRows(8) * 25));
    },
  };
}
