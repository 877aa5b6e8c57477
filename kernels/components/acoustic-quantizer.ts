import type { Conv1d } from '../conv1d/index.ts';
import type { Ops } from '../ops.ts';
import type { VectorQuantizer } from '../vector-quantizer/index.ts';
import type { Weights } from '../weights/index.ts';
import type { QuantizerConfig } from './codec-config.ts';
import { normalizedConv1d } from './weight-norm.ts';

/** Residual quantiser with two inner codebooks a stage (AGRVQ, docs/spec/model.md §4.4). */
export interface AcousticQuantizer {
  readonly stages: number;
  /** Entries of one stage: the inner codebook's size squared. */
  readonly entries: number;
  /** Width of a latent row. */
  readonly width: number;
  /** What a stage's inner codes stand for: of half h of stage j [size × width/2] at 2·j + h. */
  readonly outputs: readonly Float32Array[];
  /** latent [frames × width] → codes [frames × stages]. */
  encode(latent: Float32Array, frames: number): Int32Array;
  /** codes [frames × stages] → latent [frames × width]; the codes must be in range. */
  decode(codes: Int32Array, frames: number): Float32Array;
}

export function loadAcousticQuantizer(
  ops: Ops,
  weights: Weights,
  config: QuantizerConfig,
): AcousticQuantizer {
  const { codec_dimension: width, codec_codebook_size: size } = config;
  const stages = Array.from({ length: config.codec_codebooks }, (_, j) =>
    ['a', 'b'].map(letter => loadHalf(ops, weights, `acoustic_quantizer.quantizers.${j}`, letter, config)),
  );
  return {
    stages: stages.length,
    entries: size * size,
    width,
    outputs: stages.flat().map(({ outputs }) => outputs),
    encode(latent, frames) {
      const residual = latent.slice(0, frames * width);
      const codes = new Int32Array(frames * stages.length);
      stages.forEach((halves, j) => {
        const chosen = halves.map(half =>
          half.quantizer.nearest(half.search.apply(residual, frames), frames),
        );
        for (let t = 0; t < frames; t++) codes[t * stages.length + j] = size * chosen[0][t] + chosen[1][t];
        addStage(residual, halves, chosen, -1);
      });
      return codes;
    },
    decode(codes, frames) {
      const latent = new Float32Array(frames * width);
      stages.forEach((halves, j) => {
        const chosen = [new Int32Array(frames), new Int32Array(frames)];
        for (let t = 0; t < frames; t++) {
          const code = codes[t * stages.length + j];
          chosen[0][t] = Math.floor(code / size);
          chosen[1][t] = code % size;
        }
        addStage(latent, halves, chosen, 1);
      });
      return latent;
    },
  };
}

/** One inner codebook: P projects into its space, Q·row + bias, precomputed for every row, comes back. */
interface Half {
  readonly search: Conv1d;
  readonly quantizer: VectorQuantizer;
  /** [size × width/2] */
  readonly outputs: Float32Array;
}

function loadHalf(ops: Ops, weights: Weights, name: string, letter: string, config: QuantizerConfig): Half {
  const { codec_dimension: width, codec_codebook_size: entries, codec_codebook_search_dim: search } = config;
  const codebook = weights.floats(`${name}.codebook_${letter}.weight`, [entries, search]);
  const half = { inputs: search, outputs: width / 2, kernel: 1 };
  return {
    search: normalizedConv1d(ops, weights, `${name}.in_proj_${letter}`, {
      inputs: width,
      outputs: search,
      kernel: 1,
    }),
    quantizer: ops.vectorQuantizer(codebook, { entries, width: search, metric: 'cosine' }),
    outputs: normalizedConv1d(ops, weights, `${name}.out_proj_${letter}`, half).apply(codebook, entries),
  };
}

/** latent += sign · [outputs of a | outputs of b], row by row. */
function addStage(latent: Float32Array, halves: Half[], chosen: Int32Array[], sign: 1 | -1): void {
  halves.forEach(({ outputs, quantizer }, side) => {
    const width = outputs.length / quantizer.entries;
    for (let t = 0; t < chosen[side].length; t++) {
      const from = chosen[side][t] * width;
      const to = (2 * t + side) * width;
      for (let i = 0; i < width; i++) latent[to + i] += sign * outputs[from + i];
    }
  });
}
