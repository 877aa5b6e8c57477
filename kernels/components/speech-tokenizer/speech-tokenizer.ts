import { join } from 'node:path';
import type { CmvnStatistics } from '../../cmvn/index.ts';
import { RuntimeError } from '../../errors.ts';
import type { Fbank, FbankOptions } from '../../fbank/index.ts';
import type { Ops } from '../../ops.ts';
import type { VectorQuantizer } from '../../vector-quantizer/index.ts';
import { openWeightFile, type Weights } from '../../weights/index.ts';
import { type AcousticQuantizer, loadAcousticQuantizer } from '../acoustic-quantizer.ts';
import type { SpeechTokenizerConfig } from '../codec-config.ts';
import { padRows } from '../rows.ts';
import { AcousticEncoder } from './acoustic-encoder.ts';
import { SemanticEncoder } from './semantic-encoder.ts';

const MAX_SECONDS = 30;

/** The codec's encoder of a model directory (docs/spec/model.md §4.2–§4.4). */
export interface SpeechTokenizer {
  /** Codes of one frame: semantic, then the acoustic stages. */
  readonly codebooks: number;
  /** Samples of one frame (960 = 60 ms). */
  readonly samplesPerFrame: number;
  /**
   * A whole utterance of 16 kHz mono samples in [−1, 1], at most 30 s; the last frame is filled with silence.
   * @throws RuntimeError `speech-tokenizer.too-long`
   */
  encode(samples: Float32Array): SpeechCodes;
}

export interface SpeechCodes {
  readonly frames: number;
  /** [frames × codebooks], without the id offset */
  readonly codes: Int32Array;
}

/** What the files of `audio_codec/` say of its encoder. */
export interface SpeechTokenizerSetup {
  readonly config: SpeechTokenizerConfig;
  readonly features: FbankOptions;
  readonly statistics: CmvnStatistics;
}

/**
 * Loads the weights of the encoder in `audio_codec/`.
 * @param setup what `readSpeechTokenizerSetup` says of it
 * @throws RuntimeError `config.invalid` or `weights.*`, naming file and key or tensor
 */
export function speechTokenizerOf(
  ops: Ops,
  modelDirectory: string,
  setup: SpeechTokenizerSetup,
): SpeechTokenizer {
  const geometry = frameGeometry(ops, modelDirectory, setup);
  const weights = openWeightFile(geometry.weightsPath);
  try {
    return new LoadedSpeechTokenizer(ops, weights, setup, geometry);
  } finally {
    weights.close();
  }
}

/** How samples become frames, and where the weights are. */
interface FrameGeometry {
  readonly weightsPath: string;
  /** In time, of the convolutions over features. */
  readonly strides: readonly number[];
  readonly fbank: Fbank;
  readonly samplesPerFrame: number;
  readonly maxSamples: number;
}

/** @throws RuntimeError `config.invalid` */
export function frameGeometry(
  ops: Ops,
  modelDirectory: string,
  { config, features }: SpeechTokenizerSetup,
): FrameGeometry {
  const directory = join(modelDirectory, 'audio_codec');
  const { VGGtf_encoder: transformer } = config.semantic_tokenizer.encoder;
  const strides = transformer.conv2d_stride.split(',').map(Number);
  const fbank = ops.fbank(features);
  checkGeometry(directory, config, strides, fbank);
  const { codec_config: codec } = config;
  return {
    weightsPath: join(directory, codec.ckpt_path),
    strides,
    fbank,
    samplesPerFrame: product(codec.codec_enc_ratios),
    maxSamples: MAX_SECONDS * codec.input_sample_rate,
  };
}

/** An utterance with the silence that fills its last frame. @throws RuntimeError `speech-tokenizer.too-long` */
export function paddedUtterance(samples: Float32Array, samplesPerFrame: number, maxSamples: number) {
  if (samples.length > maxSamples) {
    throw new RuntimeError(
      'speech-tokenizer.too-long',
      'The utterance is too long to be encoded at once.',
      { samples: samples.length, most: maxSamples },
      'Cut it at a pause.',
    );
  }
  const frames = Math.ceil(samples.length / samplesPerFrame);
  return { frames, padded: padRows(samples, 1, 0, frames * samplesPerFrame - samples.length) };
}

/** Both encoders must give one vector per code frame, and the widths must fit each other. */
function checkGeometry(
  directory: string,
  config: SpeechTokenizerConfig,
  strides: readonly number[],
  fbank: Fbank,
): void {
  const { VGGtf_encoder: transformer } = config.semantic_tokenizer.encoder;
  const { codec_config: codec, semantic_tokenizer_config: semantic } = config;
  const samplesPerFrame = product(codec.codec_enc_ratios);
  const fits =
    strides.length === transformer.num_conv_layers &&
    fbank.frameShift * product(strides) === samplesPerFrame &&
    fbank.bins === transformer.feat_dim &&
    semantic.codebook_dim === transformer.d_model &&
    transformer.d_model % transformer.nhead === 0 &&
    semantic.select_layer <= transformer.num_encoder_layers;
  if (fits) return;
  throw new RuntimeError('config.invalid', 'The parts of the speech tokenizer do not fit each other.', {
    file: join(directory, 'config.json'),
    conv2d_stride: transformer.conv2d_stride,
    codec_enc_ratios: codec.codec_enc_ratios.join(','),
    feat_dim: transformer.feat_dim,
    num_mel_bins: fbank.bins,
    codebook_dim: semantic.codebook_dim,
    d_model: transformer.d_model,
    nhead: transformer.nhead,
    select_layer: semantic.select_layer,
  });
}

const product = (factors: readonly number[]): number => factors.reduce((value, factor) => value * factor, 1);

class LoadedSpeechTokenizer implements SpeechTokenizer {
  readonly codebooks: number;
  readonly samplesPerFrame: number;
  readonly #ops: Ops;
  readonly #maxSamples: number;
  readonly #fbank: Fbank;
  readonly #statistics: CmvnStatistics;
  readonly #semantic: SemanticEncoder;
  readonly #kmeans: VectorQuantizer;
  readonly #acoustic: AcousticEncoder;
  readonly #quantizer: AcousticQuantizer;

  constructor(
    ops: Ops,
    weights: Weights,
    { config, statistics }: SpeechTokenizerSetup,
    { strides, fbank, samplesPerFrame, maxSamples }: FrameGeometry,
  ) {
    const { codec_config: codec, semantic_tokenizer_config: semantic } = config;
    const { VGGtf_encoder: transformer } = config.semantic_tokenizer.encoder;
    this.#ops = ops;
    this.#maxSamples = maxSamples;
    this.#fbank = fbank;
    this.#statistics = statistics;
    this.#semantic = new SemanticEncoder(ops, weights, transformer, strides, semantic.select_layer);
    const { codebook_size: entries, codebook_dim: width } = semantic;
    const kmeans = readKmeans(weights, entries, width);
    this.#kmeans = ops.vectorQuantizer(kmeans, { entries, width, metric: 'euclidean' });
    this.#acoustic = new AcousticEncoder(ops, weights, codec);
    this.#quantizer = loadAcousticQuantizer(ops, weights, codec);
    this.codebooks = 1 + this.#quantizer.stages;
    this.samplesPerFrame = samplesPerFrame;
  }

  encode(samples: Float32Array): SpeechCodes {
    const { frames, padded } = paddedUtterance(samples, this.samplesPerFrame, this.#maxSamples);
    if (frames === 0) return { frames, codes: new Int32Array(0) };
    const energies = this.#fbank.apply(padded);
    const features = this.#ops.cmvn(energies, energies.length / this.#fbank.bins, this.#statistics, energies);
    const semantic = this.#kmeans.nearest(this.#semantic.apply(features), frames);
    const acoustic = this.#quantizer.encode(this.#acoustic.apply(padded), frames);

    const { codebooks } = this;
    const codes = new Int32Array(frames * codebooks);
    for (let t = 0; t < frames; t++) {
      codes[t * codebooks] = semantic[t];
      codes.set(acoustic.subarray(t * (codebooks - 1), (t + 1) * (codebooks - 1)), t * codebooks + 1);
    }
    return { frames, codes };
  }
}

/** The checkpoint stores the k-means codebook as [width, entries]; here it is [entries × width]. */
export function readKmeans(weights: Weights, entries: number, width: number): Float32Array {
  const columns = weights.floats('semantic_tokenizer.kmeans.codebook', [width, entries]);
  const codebook = new Float32Array(columns.length);
  for (let i = 0; i < width; i++) {
    for (let entry = 0; entry < entries; entry++) codebook[entry * width + i] = columns[i * entries + entry];
  }
  return codebook;
}
