import {
  type GanDecoder,
  type GanDecoderStream,
  loadGanDecoder,
} from '../../components/gan-decoder/index.ts';
import type { GanDecoderAnswer, GanDecoderWork, StreamId } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: GanDecoderWork): StreamId => work.stream;

export function loadService({ kind, ops = opsOf(kind), modelDirectory }: ServiceOptions) {
  return new GanDecoderService(loadGanDecoder(ops, modelDirectory));
}

class GanDecoderService implements Service<GanDecoderWork, GanDecoderAnswer> {
  readonly #decoder: GanDecoder;
  readonly #streams = new Streams<GanDecoderStream>();

  constructor(decoder: GanDecoder) {
    this.#decoder = decoder;
  }

  open(stream: StreamId): void {
    this.#streams.set(stream, this.#decoder.createStream());
  }

  close(stream: StreamId): void {
    this.#streams.delete(stream);
  }

  step(batch: readonly GanDecoderWork[], isClosed: IsClosed): (GanDecoderAnswer | null)[] {
    return batch.map(({ stream, codes, finish }) => {
      if (isClosed(stream)) return null;
      const state = this.#streams.get(stream);
      const pushed = state.push(codes);
      if (!finish) return { samples: pushed };
      const rest = state.finish();
      const samples = new Float32Array(pushed.length + rest.length);
      samples.set(pushed);
      samples.set(rest, pushed.length);
      return { samples };
    });
  }
}
