import {
  type AudioEncoder,
  type AudioEncoderStream,
  loadAudioEncoder,
} from '../../components/audio-encoder/index.ts';
import type { AudioEncoderAnswer, AudioEncoderWork, StreamId } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: AudioEncoderWork): StreamId => work.stream;

export function loadService({ kind, modelDirectory }: ServiceOptions) {
  return new AudioEncoderService(loadAudioEncoder(opsOf(kind), modelDirectory));
}

class AudioEncoderService implements Service<AudioEncoderWork, AudioEncoderAnswer> {
  readonly #encoder: AudioEncoder;
  readonly #streams = new Streams<AudioEncoderStream>();

  constructor(encoder: AudioEncoder) {
    this.#encoder = encoder;
  }

  open(stream: StreamId): void {
    this.#streams.set(stream, this.#encoder.createStream());
  }

  fork(stream: StreamId, copy: StreamId): void {
    this.#streams.set(copy, this.#streams.get(stream).fork());
  }

  close(stream: StreamId): void {
    this.#streams.delete(stream);
  }

  step(batch: readonly AudioEncoderWork[]): AudioEncoderAnswer[] {
    return batch.map(({ stream, samples, finish }) => {
      const state = this.#streams.get(stream);
      const pushed = state.push(samples);
      if (!finish) return { vectors: pushed.vectors, count: pushed.count };
      const rest = state.finish();
      const vectors = new Float32Array(pushed.vectors.length + rest.vectors.length);
      vectors.set(pushed.vectors);
      vectors.set(rest.vectors, pushed.vectors.length);
      return { vectors, count: pushed.count + rest.count };
    });
  }
}
