import type { LanguageModelSetup } from '../../components/language-model/config.ts';
import { DeviceLanguageModel } from '../../components/language-model/device-language-model.ts';
import { LanguageModel } from '../../components/language-model/language-model.ts';
import { RuntimeError } from '../../errors.ts';
import { int8Ops } from '../../int8-ops.ts';
import type { LanguageModelAnswer, LanguageModelWork, StreamId } from '../engine.ts';
import { cudaDevice, opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: LanguageModelWork): StreamId => work.sequence;

type Options = ServiceOptions<LanguageModelSetup>;

export function loadService(options: Options): Service<LanguageModelWork, LanguageModelAnswer> {
  return new LanguageModelService(
    options.kind === 'cuda' && !options.ops ? onDevice(options) : onHost(options),
  );
}

function onHost({ kind, ops = opsOf(kind), modelDirectory, setup, ranks, weights, cache }: Options): Model {
  const used = weights === 'int8' ? int8Ops(ops) : ops;
  const model = LanguageModel.of(modelDirectory, setup, used, { ranks, cache, storage: weights });
  return {
    open: () => model.open(),
    close: id => model.close(id),
    truncate: (id, length) => model.truncate(id, length),
    step: (batch, isCancelled) => model.step(batch, { isCancelled }),
  };
}

function onDevice({ modelDirectory, setup, ranks, weights, cache }: Options): Model {
  if (ranks === 0 && weights === 'stored')
    return new DeviceLanguageModel(modelDirectory, setup, cudaDevice(), { cache });
  throw new RuntimeError(
    'cuda.options',
    'The language model on a device has no ranks, and matrices as the checkpoint has them.',
    { ranks, weights },
    'Leave these settings out, or use the cpu engine.',
  );
}

/** What both have in common. */
interface Model {
  open(): StreamId;
  close(id: StreamId): void;
  truncate(id: StreamId, length: number): void;
  step(batch: readonly LanguageModelWork[], isCancelled: () => boolean): (LanguageModelAnswer | null)[];
}

/** The component hands out ids of its own; the caller's map onto them. */
class LanguageModelService implements Service<LanguageModelWork, LanguageModelAnswer> {
  readonly #model: Model;
  readonly #sequences = new Streams<StreamId>();

  constructor(model: Model) {
    this.#model = model;
  }

  open(stream: StreamId): void {
    this.#sequences.set(stream, this.#model.open());
  }

  close(stream: StreamId): void {
    const sequence = this.#sequences.find(stream);
    if (sequence !== undefined) this.#model.close(sequence);
    this.#sequences.delete(stream);
  }

  truncate(stream: StreamId, length: number): void {
    this.#model.truncate(this.#sequences.get(stream), length);
  }

  step(batch: readonly LanguageModelWork[], isClosed: IsClosed): (LanguageModelAnswer | null)[] {
    const works = batch.map(work => ({ ...work, sequence: this.#sequences.get(work.sequence) }));
    const isCancelled = () => batch.every(({ sequence }) => isClosed(sequence));
    return this.#model.step(works, isCancelled);
  }
}
