import { RuntimeError } from '../../errors.ts';
import type {
  AudioEncoderStream,
  AudioEncoderStreamOptions,
  EncodedAudio,
  EncodedTogether,
  EncoderWork,
} from './encoded-audio.ts';
import type { FeatureStream, Features } from './feature-stream.ts';
import type { FsmnState, LayerRun } from './fsmn-layer.ts';
import type { FsmnNetwork } from './network.ts';

const NOTHING = new Float32Array(0);

export class EncoderStream implements AudioEncoderStream {
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
    return advance([{ stream: this, samples, end: false }], this.#network).each[0];
  }

  finish(): EncodedAudio {
    return advance([{ stream: this, samples: NOTHING, end: true }], this.#network).each[0];
  }

  fork(): AudioEncoderStream {
    const copy = new EncoderStream(this.#network, this.#features.fork(), this.#states, this.#options);
    copy.#finished = this.#finished;
    return copy;
  }

  expectOpen(): void {
    if (!this.#finished) return;
    throw new RuntimeError('audio-encoder.finished', 'The utterance is finished.', {}, 'Open a new stream.');
  }

  /** For `advance`: its part of a step begins. */
  begin(samples: Float32Array, end: boolean): StreamRun {
    const features = this.#features.push(samples, end);
    this.#finished = end;
    const flush = end || this.#options.mode === 'eager';
    return { stream: this, features, flush, rows: features.count, states: [...this.#states] };
  }

  /** For `advance`: and ends. */
  end({ features, states }: StreamRun, given: EncodedAudio): void {
    this.#states = states;
    const { tap } = this.#options;
    if (!tap) return;
    const { hidden_size, proj_output_dim, input_size } = this.#network.config;
    tap('fbank', features.fbank, this.#features.bins);
    tap('spliced', features.spliced, input_size);
    tap('encoder', given.encoder, hidden_size);
    tap('projector', given.vectors, proj_output_dim);
  }
}

/** A stream's part of one step through the layers. */
interface StreamRun extends LayerRun {
  readonly stream: EncoderStream;
  readonly features: Features;
}

/**
 * The next vectors of several streams. All of them are checked before any goes on.
 * @throws RuntimeError `audio-encoder.finished`
 */
export function advance(
  works: readonly (EncoderWork & { readonly stream: EncoderStream })[],
  network: FsmnNetwork,
): Omit<EncodedTogether, 'logits'> {
  for (const { stream } of works) stream.expectOpen();
  const runs = works.map(({ stream, samples, end }) => stream.begin(samples, end));
  // Most packets complete no vector: there is nothing for the layers then, unless they shall give what waits in them.
  const moving = runs.filter(({ features, flush }) => features.count > 0 || flush);
  const x = moving.length > 0 ? throughLayers(moving, network) : NOTHING;
  const count = x.length / network.config.proj_size;
  const encoder = count > 0 ? network.after(x, count) : NOTHING;
  const vectors = count > 0 ? network.project(encoder, count) : NOTHING;
  const { hidden_size, proj_output_dim } = network.config;
  let row = 0;
  const each = runs.map(run => {
    const own = run.features.count > 0 || run.flush ? run.rows : 0;
    const part = (of: Float32Array, width: number) =>
      own === count ? of : of.slice(row * width, (row + own) * width);
    const given = {
      count: own,
      vectors: part(vectors, proj_output_dim),
      encoder: part(encoder, hidden_size),
    };
    row += own;
    run.stream.end(run, given);
    return given;
  });
  return { each, encoder, count };
}

function throughLayers(runs: readonly StreamRun[], network: FsmnNetwork): Float32Array {
  const { input_size } = network.config;
  const rows = runs.reduce((sum, { features }) => sum + features.count, 0);
  let spliced = runs[0].features.spliced;
  if (runs.length > 1) {
    spliced = network.workspace.take('spliced', rows * input_size);
    let at = 0;
    for (const { features } of runs) {
      spliced.set(features.spliced, at);
      at += features.spliced.length;
    }
  }
  let x = network.before(spliced, rows);
  network.layers.forEach((layer, i) => {
    x = layer.step(runs, i, x);
  });
  return x;
}
