import { join } from 'node:path';
import { RuntimeError } from '../../errors.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile } from '../../weights/index.ts';
import { CaptionReader } from './caption-reader.ts';
import { readAudioEncoderConfig } from './config.ts';
import { type FeatureExtractor, FeatureStream, type Features } from './feature-stream.ts';
import type { FsmnState } from './fsmn-layer.ts';
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
  /**
   * The CTC head, for live captions: encoder vectors [count × encoderWidth] → logits [count × captionEntries].
   * @throws RuntimeError `audio-encoder.no-captions`
   */
  captionLogits(encoder: Float32Array, count: number): Float32Array;
}

interface AudioEncoderStreamOptions {
  /**
   * `exact` (default): vectors come once their look-ahead exists, bit-equal however the samples are cut.
   * `eager`: every push gives all its vectors at once; at its end the look-ahead layers see zeros.
   */
  readonly mode?: 'exact' | 'eager';
  /** Sees every intermediate result: `fbank` (before normalisation), `spliced`, `encoder`, `projector`. */
  readonly tap?: (name: string, rows: Float32Array, width: number) => void;
}

/** One utterance. */
export interface AudioEncoderStream {
  /** 16 kHz mono samples in [−1, 1], any number; gives what became complete. */
  push(samples: Float32Array): EncodedAudio;
  /** The rest of the utterance; the stream accepts no more. */
  finish(): EncodedAudio;
  /** An independent copy of the state. */
  fork(): AudioEncoderStream;
}

export interface EncodedAudio {
  readonly count: number;
  /** [count × projectedWidth] */
  readonly vectors: Float32Array;
  /** [count × encoderWidth]: what the projector and the CTC head read. */
  readonly encoder: Float32Array;
}

/**
 * Loads `audio/` of a model directory.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadAudioEncoder(ops: Ops, modelDirectory: string): AudioEncoder {
  const directory = join(modelDirectory, 'audio');
  const config = readAudioEncoderConfig(directory);
  const encoder = openWeightFile(join(directory, 'audio_encoder.safetensors'));
  try {
    const projector = openWeightFile(join(directory, 'audio_projector.safetensors'));
    try {
      const extractor = {
        fbank: ops.fbank(config.fbank),
        cmvn: ops.cmvn,
        splice: ops.splice,
        statistics: config.statistics,
        layout: config.splice,
      };
      return new LoadedAudioEncoder(extractor, new FsmnNetwork(ops, config.network, encoder, projector));
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

  captionLogits(encoder: Float32Array, count: number): Float32Array {
    if (!this.#network.captions) {
      throw new RuntimeError('audio-encoder.no-captions', 'This audio encoder has no CTC head.');
    }
    return this.#network.captions.apply(encoder, count);
  }
}

class EncoderStream implements AudioEncoderStream {
  readonly #network: FsmnNetwork;
  readonly #features: FeatureStream;
  readonly #options: AudioEncoderStreamOptions;
  #states: readonly FsmnState[];
  #finished = false;

  constructor(
    network: FsmnNetwork,
    features: FeatureStream,
    states: readonly FsmnState[],
    options: AudioEncoderStreamOptions,
  ) {
    this.#network = network;
    this.#features = features;
    this.#states = states;
    this.#options = options;
  }

  push(samples: Float32Array): EncodedAudio {
    return this.#advance(samples, false);
  }

  finish(): EncodedAudio {
    const rest = this.#advance(new Float32Array(0), true);
    this.#finished = true;
    return rest;
  }

  fork(): AudioEncoderStream {
    const copy = new EncoderStream(this.#network, this.#features.fork(), this.#states, this.#options);
    copy.#finished = this.#finished;
    return copy;
  }

  #advance(samples: Float32Array, end: boolean): EncodedAudio {
    if (this.#finished) {
      throw new RuntimeError(
        'audio-encoder.finished',
        'The utterance is finished.',
        {},
        'Open a new stream.',
      );
    }
    const features = this.#features.push(samples, end);
    const flush = end || this.#options.mode === 'eager';
    const { hidden_size, proj_size, proj_output_dim, input_size } = this.#network.config;
    // Most packets complete no vector: there is nothing for the layers then, unless they shall give what waits in them.
    const x = features.count > 0 || flush ? this.#throughLayers(features, flush) : new Float32Array(0);
    const count = x.length / proj_size;
    const encoder = count > 0 ? this.#network.after(x, count) : new Float32Array(0);
    const vectors = count > 0 ? this.#network.project(encoder, count) : new Float32Array(0);
    const { tap } = this.#options;
    if (tap) {
      tap('fbank', features.fbank, this.#features.bins);
      tap('spliced', features.spliced, input_size);
      tap('encoder', encoder, hidden_size);
      tap('projector', vectors, proj_output_dim);
    }
    return { count, vectors, encoder };
  }

  #throughLayers({ spliced, count }: Features, flush: boolean): Float32Array {
    const states: FsmnState[] = [];
    let x = this.#network.before(spliced, count);
    this.#network.layers.forEach((layer, i) => {
      const { y, state } = layer.step(this.#states[i], x, flush);
      states.push(state);
      x = y;
    });
    this.#states = states;
    return x;
  }
}
