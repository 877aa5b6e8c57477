import type { GanDecoderConfig } from '../../components/codec-config.ts';
import type { GanDecoderStream } from '../../components/gan-decoder/decoder-parts.ts';
import { DeviceGanDecoder } from '../../components/gan-decoder/device-gan-decoder.ts';
import { type GanDecoder, ganDecoderOf } from '../../components/gan-decoder/gan-decoder.ts';
import type { GanDecoderAnswer, GanDecoderWork, StreamId } from '../engine.ts';
import { cudaDevice, opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: GanDecoderWork): StreamId => work.stream;

export function loadService({ kind, ops, modelDirectory, setup }: ServiceOptions<GanDecoderConfig>) {
  return new GanDecoderService(
    kind === 'cuda' && !ops
      ? new DeviceGanDecoder(modelDirectory, setup, cudaDevice())
      : ganDecoderOf(ops ?? opsOf(kind), modelDirectory, setup),
  );
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
    this.#streams.find(stream)?.close?.();
    this.#streams.delete(stream);
  }

  step(batch: readonly GanDecoderWork[], isClosed: IsClosed): (GanDecoderAnswer | null)[] {
    const open = batch.filter(({ stream }) => !isClosed(stream));
    const decoded = this.#decoder.decode(
      open.map(({ stream, codes, finish }) => ({ stream: this.#streams.get(stream), codes, finish })),
    );
    let next = 0;
    return batch.map(({ stream }) => (open[next]?.stream === stream ? { samples: decoded[next++] } : null));
  }
}
