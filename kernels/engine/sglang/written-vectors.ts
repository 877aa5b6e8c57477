/**
 * The text of a context, written while the caller still speaks and kept from reply to reply: writing a position of 6144
 * numbers takes about a third of a millisecond, which is seconds of a long context, and nobody should wait for it, or
 * for this thread.
 */
import type { Embedder } from '../../components/language-model/index.ts';
import { type Positions, slicePositions } from '../positions.ts';
import type { SglangSettings } from './settings.ts';
import { vectorText } from './vector-text.ts';

/** Positions written at a time; between two pieces that are sent this thread does other things. */
const AT_ONCE = 8;
/** Longer runs are written when they are sent first. */
const MOST_AHEAD = 32;

export class WrittenVectors {
  readonly #embedder: Embedder;
  readonly #settings: Pick<SglangSettings, 'vectors' | 'maxWrittenBytes'>;
  readonly #kept = new Map<Positions, Uint8Array[]>();
  /** Of all that is kept. */
  bytes = 0;

  constructor(embedder: Embedder, settings: Pick<SglangSettings, 'vectors' | 'maxWrittenBytes'>) {
    this.#embedder = embedder;
    this.#settings = settings;
  }

  /** A run that a reply will send. What cannot be written is told when it is. */
  expect(run: Positions): void {
    if (run.textIds.length > MOST_AHEAD) return;
    try {
      for (const _ of this.pieces(run));
    } catch {
      this.forget(run);
    }
  }

  forget(run: Positions): void {
    for (const piece of this.#kept.get(run) ?? []) this.bytes -= piece.length;
    this.#kept.delete(run);
  }

  /** @throws RuntimeError `sglang.vectors` */
  *pieces(run: Positions): Generator<Uint8Array> {
    const kept = this.#kept.get(run);
    if (kept) return yield* kept;
    const { hidden, pads } = this.#embedder;
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < run.textIds.length; from += AT_ONCE) {
      const vectors = this.#embedder.vectors(slicePositions(run, from, from + AT_ONCE, pads));
      pieces.push(vectorText(vectors, hidden, this.#settings.vectors));
      yield pieces.at(-1)!;
    }
    this.#keep(run, pieces);
  }

  #keep(run: Positions, pieces: Uint8Array[]): void {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#kept.has(run) || this.bytes + bytes > this.#settings.maxWrittenBytes) return;
    this.#kept.set(run, pieces);
    this.bytes += bytes;
  }
}
