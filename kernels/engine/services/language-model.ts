import { LanguageModel } from '../../components/language-model/index.ts';
import { int8Ops } from '../../int8-ops.ts';
import type { LanguageModelAnswer, LanguageModelWork, StreamId } from '../engine.ts';
import { opsOf } from '../ops-of.ts';
import type { IsClosed, Service } from '../service.ts';
import type { ServiceOptions } from './options.ts';
import { Streams } from './streams.ts';

export const streamOf = (work: LanguageModelWork): StreamId => work.sequence;

export function loadService({ kind, ops = opsOf(kind), modelDirectory, ranks, weights }: ServiceOptions) {
  const used = weights === 'int8' ? int8Ops(ops) : ops;
  return new LanguageModelService(LanguageModel.load(modelDirectory, used, { ranks, storage: weights }));
}

/** The component hands out ids of its own; the caller's map onto them. */
class LanguageModelService implements Service<LanguageModelWork, LanguageModelAnswer> {
  readonly #model: LanguageModel;
  readonly #sequences = new Streams<StreamId>();

  constructor(model: LanguageModel) {
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
    return this.#model.step(works, { isCancelled });
  }
}
