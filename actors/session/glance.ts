/**
 * What the camera has shown when a reply is asked for without a spoken turn: a typed question, or nothing but the
 * request. Its pictures go the way of a spoken turn's, as a turn without sound; where a question was typed they become
 * part of it.
 */
import { type ChunkInterleaverPorts, NEWLINE, type Piece, USER_HEADER } from '../chunk-interleaver/index.ts';
import type { SampledUnit } from '../perceive/index.ts';
import type { ContextQueue, Ticket } from './context-queue.ts';
import type { Line } from './line.ts';

export interface GlanceDeps {
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly encodeUnit: (unitId: string, unit: SampledUnit) => void;
  /** The pictures with their stamps, when all of them are encoded; not called where there are none. */
  readonly onSeen: (pictures: readonly Piece[]) => void;
}

const TAIL = 0;
const NO_VECTORS = new Float32Array(0);

export class Glance {
  readonly id: string;
  readonly #deps: GlanceDeps;
  readonly #ticket: Ticket;
  #pictures: readonly Piece[] = [];

  /** Takes its place in the context now. */
  constructor(id: string, deps: GlanceDeps) {
    this.id = id;
    this.#deps = deps;
    this.#ticket = deps.queue.defer(() => {
      if (this.#pictures.length > 0) deps.onSeen(this.#pictures);
    });
  }

  /**
   * Asks for the pictures; where all are encoded the answer comes within this call.
   *
   * @param encoding sparse units on their way
   * @param newest one that is not
   */
  begin(encoding: Iterable<string>, newest: SampledUnit | null): void {
    const { id } = this;
    this.#command({ type: 'begin', turnId: id, prefills: false });
    for (const unitId of encoding) this.#expect(unitId);
    if (newest) {
      this.#expect(`${id}.0`);
      this.#deps.encodeUnit(`${id}.0`, newest);
    }
    this.#command({ type: 'tail', turnId: id, tailId: TAIL });
    this.#command({ type: 'over', turnId: id });
    const silence = { turnId: id, tailId: TAIL, vectors: NO_VECTORS, count: 0, firstIndex: 0 };
    this.#deps.line.chunkInterleaver('vectors', silence);
  }

  get unfinished(): boolean {
    return !this.#ticket.done;
  }

  /** The turn without its header and newline. */
  interleaved(tail: readonly Piece[]): void {
    this.#pictures = tail.filter(piece => piece !== USER_HEADER && piece !== NEWLINE);
    this.#ticket.ready();
  }

  #expect(unitId: string): void {
    this.#command({ type: 'unit.expected', turnId: this.id, unitId, chunk: 0 });
  }

  #command(command: ChunkInterleaverPorts['control']): void {
    this.#deps.line.chunkInterleaver('control', command);
  }
}
