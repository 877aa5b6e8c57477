/**
 * One user turn as it happens (docs/spec/model.md §5.3, §5.4, §5.6):
 *
 *   USER: [sparse units]  second{t0}: IMG <|audio|> AUD×12  second{t1}: IMG AUD×13  …  AUD×rest <|/audio|> \n
 *   └───────────────── take(): prefilled while the user speaks ─────────────────┘  └─ tail(): at speculation ─┘
 *
 * A chunk leaves when its second is over, its vectors are complete and its frame unit, if it has one, is encoded. The
 * tail is computed without being consumed: a rollback needs nothing here.
 */
import { chunkVectors } from './offline.ts';
import { concatVectors, type Piece, stamp } from './piece.ts';
import { NEWLINE, USER_HEADER } from './template.ts';

/** One encoded frame unit. */
export interface EncodedFrameUnit {
  readonly capturedAtMs: number;
  /** [count × hidden]. */
  readonly vectors: Float32Array;
  readonly count: number;
}

/** A unit still being encoded is `null`; a unit that was dropped or failed is removed. */
interface ChunkUnit {
  readonly chunk: number;
  unit: EncodedFrameUnit | null;
}

export class LiveInterleaver {
  readonly #hidden: number;
  readonly #leading: EncodedFrameUnit[];
  readonly #units: ChunkUnit[] = [];
  readonly #vectors: Float32Array[] = [];
  #queued = 0;
  /** Vectors that `take` has given away. */
  #taken = 0;
  #chunk = 0;
  #endedChunks = 0;
  #opened = false;
  #audioOpen = false;

  /** `leading`: the buffered sparse units, oldest first. */
  constructor(hiddenSize: number, leading: readonly EncodedFrameUnit[]) {
    this.#hidden = hiddenSize;
    this.#leading = [...leading];
  }

  /** Announces that a chunk has a unit; the chunk waits for `unitEncoded` or `unitLost`. */
  expectUnit(chunk: number): void {
    this.#units.push({ chunk, unit: null });
  }

  unitEncoded(chunk: number, unit: EncodedFrameUnit): void {
    const expected = this.#units.find(entry => entry.chunk === chunk && entry.unit === null);
    if (expected) expected.unit = unit;
  }

  unitLost(chunk: number): void {
    const at = this.#units.findIndex(entry => entry.chunk === chunk && entry.unit === null);
    if (at >= 0) this.#units.splice(at, 1);
  }

  /** The next chunk's second is over: no unit of it will be announced any more. */
  endChunk(): void {
    this.#endedChunks += 1;
  }

  /** [count × hidden] vectors in order. */
  audio(vectors: Float32Array, count: number): void {
    if (count === 0) return;
    this.#vectors.push(vectors);
    this.#queued += count;
  }

  /** True while the tail would lack a unit that is still being encoded. */
  get waitingForUnits(): boolean {
    return this.#units.some(entry => entry.unit === null);
  }

  /** The pieces that are complete; calling it again gives what came since. */
  take(): Piece[] {
    const pieces = this.#opening();
    this.#opened = true;
    this.#leading.length = 0;
    while (this.#chunkComplete()) {
      const vectors = this.#takeVectors(chunkVectors(this.#chunk));
      pieces.push(...this.#unitPieces(this.#chunk));
      if (!this.#audioOpen) pieces.push({ kind: 'audio-begin' });
      this.#audioOpen = true;
      pieces.push({ kind: 'audio', vectors, count: chunkVectors(this.#chunk) });
      this.#forgetUnits(this.#chunk);
      this.#chunk += 1;
    }
    return pieces;
  }

  /**
   * What ends the turn: chunks that are left, the flushed vectors, `<|/audio|>` and the newline. `firstIndex` is the
   * place of the first flushed vector; vectors from there on that came of later audio are not part of this tail.
   */
  tail(flushed: Float32Array, flushedCount: number, firstIndex: number): Piece[] {
    const pieces = this.#opening();
    const before = firstIndex - this.#taken;
    let vectors = concatVectors([concatVectors(this.#vectors).subarray(0, before * this.#hidden), flushed]);
    let left = before + flushedCount;
    let audioOpen = this.#audioOpen;
    const lastUnit = Math.max(this.#chunk, ...this.#units.map(entry => entry.chunk));
    for (let chunk = this.#chunk; chunk <= lastUnit; chunk++) {
      const last = chunk === lastUnit;
      pieces.push(...this.#unitPieces(chunk));
      const count = last ? left : Math.min(left, chunkVectors(chunk));
      if (count === 0) continue;
      if (!audioOpen) pieces.push({ kind: 'audio-begin' });
      audioOpen = true;
      pieces.push({ kind: 'audio', vectors: vectors.subarray(0, count * this.#hidden), count });
      vectors = vectors.subarray(count * this.#hidden);
      left -= count;
    }
    if (audioOpen) pieces.push({ kind: 'audio-end' });
    pieces.push(NEWLINE);
    return pieces;
  }

  #opening(): Piece[] {
    if (this.#opened) return [];
    return [USER_HEADER, ...this.#leading.flatMap(unitPieces)];
  }

  #chunkComplete(): boolean {
    if (this.#chunk >= this.#endedChunks || this.#queued < chunkVectors(this.#chunk)) return false;
    return !this.#units.some(entry => entry.chunk === this.#chunk && entry.unit === null);
  }

  #unitPieces(chunk: number): Piece[] {
    return this.#units.flatMap(entry => (entry.chunk === chunk && entry.unit ? unitPieces(entry.unit) : []));
  }

  #forgetUnits(chunk: number): void {
    for (let i = this.#units.length - 1; i >= 0; i--)
      if (this.#units[i].chunk === chunk) this.#units.splice(i, 1);
  }

  #takeVectors(count: number): Float32Array {
    const all = concatVectors(this.#vectors);
    const cut = count * this.#hidden;
    this.#vectors.length = 0;
    if (all.length > cut) this.#vectors.push(all.subarray(cut));
    this.#queued -= count;
    this.#taken += count;
    return all.subarray(0, cut);
  }
}

function unitPieces(unit: EncodedFrameUnit): Piece[] {
  return [
    { kind: 'text', text: stamp(unit.capturedAtMs / 1000) },
    { kind: 'image', vectors: unit.vectors, count: unit.count },
  ];
}
