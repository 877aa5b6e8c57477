import type { LanguageModelWork, StreamId } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import { checkPositions, type EmbeddingTables } from './embedding.ts';
import type { CachedSequence, PagePool } from './page-pool.ts';

/** One work item on its way through a step. */
export interface PlannedWork<Page> {
  readonly work: LanguageModelWork;
  readonly sequence: CachedSequence<Page>;
}

interface SequenceLimits {
  readonly embedding: EmbeddingTables;
  readonly maxPositions: number;
  readonly speaks: boolean;
}

/** The open sequences of a language model, and what a batch must keep to before anything of it is computed. */
export class Sequences<Page> {
  readonly #pool: PagePool<Page>;
  readonly #limits: SequenceLimits;
  readonly #open = new Map<StreamId, CachedSequence<Page>>();
  #nextId: StreamId = 1;

  constructor(pool: PagePool<Page>, limits: SequenceLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  open(): StreamId {
    const id = this.#nextId++;
    this.#open.set(id, this.#pool.openSequence());
    return id;
  }

  close(id: StreamId): void {
    this.#open.get(id)?.setLength(0);
    this.#open.delete(id);
  }

  /** @throws RuntimeError `language-model.truncate` when the sequence is shorter; a closed one is left alone */
  truncate(id: StreamId, length: number): void {
    const sequence = this.#open.get(id);
    if (!sequence) return;
    if (!Number.isInteger(length) || length < 0 || length > sequence.length) {
      const values = { sequence: id, length, positions: sequence.length };
      throw new RuntimeError(
        'language-model.truncate',
        'A sequence can only be cut to a length it has.',
        values,
      );
    }
    sequence.setLength(length);
  }

  /** @returns null for a closed sequence */
  plan(work: LanguageModelWork): PlannedWork<Page> | null {
    const sequence = this.#open.get(work.sequence);
    if (!sequence) return null;
    checkPositions(work.positions, this.#limits.embedding);
    return { work, sequence };
  }

  /** Refuses the batch as a whole, or makes room for all of it. */
  reserve(items: readonly PlannedWork<Page>[]): void {
    const { maxPositions, speaks } = this.#limits;
    if (new Set(items.map(item => item.sequence)).size !== items.length) {
      throw new RuntimeError('language-model.batch', 'A batch holds at most one item per sequence.');
    }
    for (const { work, sequence } of items) {
      const length = sequence.length + work.positions.textIds.length;
      if (work.positions.textIds.length === 0 || length > maxPositions) {
        throw new RuntimeError(
          'language-model.context-full',
          'A work item needs at least one position and the context has an end.',
          { sequence: work.sequence, length, maxPositions },
          'End the conversation or drop its oldest turns.',
        );
      }
      if (work.sample?.speech && !speaks) {
        const remedy = 'Ask for a text reply, or add audio/audio_output_layers.safetensors.';
        throw new RuntimeError('language-model.no-speech', 'This model has no code heads.', {}, remedy);
      }
    }
    const needed = items.map(({ work, sequence }) => sequence.pagesNeeded(work.positions.textIds.length));
    this.#pool.checkRoom(needed.reduce((sum, pages) => sum + pages, 0));
    for (const { work, sequence } of items) sequence.reserve(work.positions.textIds.length);
  }
}
