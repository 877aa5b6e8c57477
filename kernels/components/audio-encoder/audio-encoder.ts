import { join } from 'node:path';
import { RuntimeError } from '../../errors.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile } from '../../weights/index.ts';
import { CaptionReader } from './caption-reader.ts';
import type { AudioEncoderConfig } from './config.ts';
import type {
  AudioEncoderStream,
  AudioEncoderStreamOptions,
  EncodedTogether,
  EncoderWork,
} from './encoded-audio.ts';
import { advance, EncoderStream } from './encoder-stream.ts';
import { extractorOf, type FeatureExtractor, FeatureStream } from './feature-stream.ts';
import { FsmnNetwork } from './network.ts';

/** FSMN encoder and projector of a model directory (docs/spec/model.md §3); holds no stream. */
export interface AudioEncoder {
  /** Width of an encoder vector (before the projector) and of a projected one. */
  readonly encoderWidth: number;
  readonly projectedWidth: number;
  /** Entries of the CTC head, or null where the checkpoint has none. */
  readonly captionEntries: number | null;
  /** A fresh reader of the CTC head's words for one utterance; null where the checkpoint names none. */
  createCaptionReader(): CaptionReader | null;
  createStream(options?: AudioEncoderStreamOptions): AudioEncoderStream;
  /** What each stream would give by itself, to the bit; every layer goes over the vectors of all of them at once. */
  encode(works: readonly EncoderWork[]): EncodedTogether;
  /**
   * The CTC head, for live captions: encoder vectors [count × encoderWidth] → logits [count × captionEntries].
   * @throws RuntimeError `audio-encoder.no-captions`
   */
  captionLogits(encoder: Float32Array, count: number): Float32Array;
}

/**
 * Loads the weights in `audio/` of a model directory.
 * @param config what `readAudioEncoderConfig` says of it
 * @throws RuntimeError `weights.*`, naming file and tensor
 */
export function audioEncoderOf(ops: Ops, modelDirectory: string, config: AudioEncoderConfig): AudioEncoder {
  const directory = join(modelDirectory, 'audio');
  const encoder = openWeightFile(join(directory, 'audio_encoder.safetensors'));
  try {
    const projector = openWeightFile(join(directory, 'audio_projector.safetensors'));
    try {
      const network = new FsmnNetwork(ops, config.network, encoder, projector);
      return new LoadedAudioEncoder(extractorOf(ops, config), network);
    } finally {
      projector.close();
    }
  } finally {
    encoder.close();
  }
}

class LoadedAudioEncoder implements AudioEncoder {
  readonly encoderWidth: number;
  readonly projectedWidth: number;
  readonly captionEntries: number | null;
  readonly #extractor: FeatureExtractor;
  readonly #network: FsmnNetwork;

  constructor(extractor: FeatureExtractor, network: FsmnNetwork) {
    this.#extractor = extractor;
    this.#network = network;
    this.encoderWidth = network.config.hidden_size;
    this.projectedWidth = network.config.proj_output_dim;
    this.captionEntries = network.captions?.outputs ?? null;
  }

  createCaptionReader(): CaptionReader | null {
    const words = this.#network.config.ctc_words;
    return words && this.#network.captions ? new CaptionReader(words) : null;
  }

  createStream(options: AudioEncoderStreamOptions = {}): AudioEncoderStream {
    const states = this.#network.layers.map(layer => layer.initialState());
    return new EncoderStream(this.#network, new FeatureStream(this.#extractor), states, options);
  }

  encode(works: readonly EncoderWork[]): EncodedTogether {
    const { each, encoder, count } = advance(
      works as readonly (EncoderWork & { readonly stream: EncoderStream })[],
      this.#network,
    );
    return { each, encoder, count, logits: () => this.captionLogits(encoder, count) };
  }

  captionLogits(encoder: Float32Array, count: number): Float32Array {
    if (!this.#network.captions) {
      throw new RuntimeError('audio-encoder.no-captions', 'This audio encoder has no CTC head.');
    }
    return this.#network.captions.apply(encoder, count);
  }
}
