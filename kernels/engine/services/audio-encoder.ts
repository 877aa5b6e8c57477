import {
  type AudioEncoder,
  type AudioEncoderStream,
  type CaptionReader,
  type EncodedAudio,
  loadAudioEncoder,
} from '../../components/audio-encoder/index.ts';
import type { AudioEncoderAnswer, AudioEncoderWork, StreamId } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: AudioEncoderWork): StreamId => work.stream;

export function loadService({ kind, ops = opsOf(kind), modelDirectory }: ServiceOptions) {
  return new AudioEncoderService(loadAudioEncoder(ops, modelDirectory));
}

interface EncoderUtterance {
  readonly stream: AudioEncoderStream;
  readonly reader: CaptionReader | null;
}

class AudioEncoderService implements Service<AudioEncoderWork, AudioEncoderAnswer> {
  readonly #encoder: AudioEncoder;
  readonly #utterances = new Streams<EncoderUtterance>();

  constructor(encoder: AudioEncoder) {
    this.#encoder = encoder;
  }

  open(stream: StreamId): void {
    const reader = this.#encoder.createCaptionReader();
    this.#utterances.set(stream, { stream: this.#encoder.createStream(), reader });
  }

  fork(stream: StreamId, copy: StreamId): void {
    const original = this.#utterances.get(stream);
    this.#utterances.set(copy, { stream: original.stream.fork(), reader: original.reader?.fork() ?? null });
  }

  close(stream: StreamId): void {
    this.#utterances.delete(stream);
  }

  step(batch: readonly AudioEncoderWork[], isClosed: IsClosed): (AudioEncoderAnswer | null)[] {
    return batch.map(({ stream, samples, finish }) => {
      if (isClosed(stream)) return null;
      const utterance = this.#utterances.get(stream);
      const pushed = utterance.stream.push(samples);
      const encoded = finish ? joined(pushed, utterance.stream.finish()) : pushed;
      const { vectors, count } = encoded;
      if (!utterance.reader) return { vectors, count };
      const logits = this.#encoder.captionLogits(encoded.encoder, count);
      return { vectors, count, captions: utterance.reader.read(logits, count) };
    });
  }
}

function joined(first: EncodedAudio, second: EncodedAudio): EncodedAudio {
  return {
    count: first.count + second.count,
    vectors: concat(first.vectors, second.vectors),
    encoder: concat(first.encoder, second.encoder),
  };
}

function concat(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
