import { audioEncoderOf } from '../../components/audio-encoder/audio-encoder.ts';
import type { CaptionReader } from '../../components/audio-encoder/caption-reader.ts';
import type { AudioEncoderConfig } from '../../components/audio-encoder/config.ts';
import { DeviceAudioEncoder } from '../../components/audio-encoder/device-audio-encoder.ts';
import type {
  EncodedVectors,
  EncoderWork,
  UtteranceStream,
} from '../../components/audio-encoder/encoded-audio.ts';
import { joinRows } from '../../components/rows.ts';
import type { AudioEncoderAnswer, AudioEncoderWork, StreamId } from '../engine.ts';
import { cudaDevice, opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: AudioEncoderWork): StreamId => work.stream;

export function loadService({ kind, ops, modelDirectory, setup }: ServiceOptions<AudioEncoderConfig>) {
  return new AudioEncoderService(
    kind === 'cuda' && !ops
      ? new DeviceAudioEncoder(opsOf('auto'), modelDirectory, setup, cudaDevice())
      : audioEncoderOf(ops ?? opsOf(kind), modelDirectory, setup),
  );
}

/** What encoders have in common, wherever they compute. */
interface Encoder {
  createCaptionReader(): CaptionReader | null;
  createStream(): UtteranceStream;
  encode(works: readonly EncoderWork<UtteranceStream>[]): {
    readonly each: readonly EncodedVectors[];
    readonly count: number;
    logits(): Float32Array;
  };
}

const NOTHING = new Float32Array(0);

interface EncoderUtterance {
  readonly stream: UtteranceStream;
  readonly reader: CaptionReader | null;
}

class AudioEncoderService implements Service<AudioEncoderWork, AudioEncoderAnswer> {
  readonly #encoder: Encoder;
  readonly #utterances = new Streams<EncoderUtterance>();

  constructor(encoder: Encoder) {
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
    this.#utterances.find(stream)?.stream.close?.();
    this.#utterances.delete(stream);
  }

  step(batch: readonly AudioEncoderWork[], isClosed: IsClosed): (AudioEncoderAnswer | null)[] {
    const open = batch.filter(({ stream }) => !isClosed(stream));
    const utterances = open.map(({ stream }) => this.#utterances.get(stream));
    const pushed = this.#heard(
      utterances,
      open.map(({ samples }) => samples),
    );
    const ending = utterances.filter((_, i) => open[i].finish);
    const rest = this.#heard(ending, null);
    let [next, ended] = [0, 0];
    return batch.map(({ stream, finish }) => {
      if (open[next]?.stream !== stream) return null;
      const answer = pushed[next++];
      return finish ? joined(answer, rest[ended++]) : answer;
    });
  }

  /** The next samples of each, or null: what is left of each. */
  #heard(
    utterances: readonly EncoderUtterance[],
    samples: readonly Float32Array[] | null,
  ): AudioEncoderAnswer[] {
    if (utterances.length === 0) return [];
    const {
      each,
      count,
      logits: readLogits,
    } = this.#encoder.encode(
      utterances.map(({ stream }, i) => ({
        stream,
        samples: samples?.[i] ?? NOTHING,
        end: samples === null,
      })),
    );
    const isRead = count > 0 && utterances.some(({ reader }) => reader !== null);
    const logits = isRead ? readLogits() : NOTHING;
    const entries = count > 0 ? logits.length / count : 0;
    let row = 0;
    return each.map(({ vectors, count: own }, i) => {
      const { reader } = utterances[i];
      const part = logits.subarray(row * entries, (row + own) * entries);
      row += own;
      return reader ? { vectors, count: own, captions: reader.read(part, own) } : { vectors, count: own };
    });
  }
}

/** The captions of the second count on from the vectors of the first. */
function joined(first: AudioEncoderAnswer, second: AudioEncoderAnswer): AudioEncoderAnswer {
  const vectors = joinRows(first.vectors, second.vectors);
  const count = first.count + second.count;
  if (!first.captions || !second.captions) return { vectors, count };
  const later = second.captions.map(caption => ({ ...caption, vector: first.count + caption.vector }));
  return { vectors, count, captions: [...first.captions, ...later] };
}
