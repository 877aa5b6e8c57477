/**
 * What the server would hold of a sequence if it held anything: its positions, from which each reply's context is sent.
 */
import { CODEBOOKS, type Positions, slicePositions } from '../positions.ts';
import type { MadeStep } from './reply-steps.ts';

type PadTokens = Parameters<typeof slicePositions>[3];

/** Who writes runs down before they are sent. */
export interface RunWriter {
  expect(run: Positions): void;
  forget(run: Positions): void;
}

export class PositionLog {
  readonly #pads: PadTokens;
  readonly #writer: RunWriter;
  #runs: Positions[] = [];
  #length = 0;

  constructor(pads: PadTokens, writer: RunWriter) {
    this.#pads = pads;
    this.#writer = writer;
  }

  get length(): number {
    return this.#length;
  }

  append(positions: Positions): void {
    // A generated step's arrays are good until the next only.
    const { textIds, codes } = positions;
    const isDecode = positions.rule === 'decode';
    const run = isDecode
      ? { ...positions, textIds: textIds.slice(), codes: codes.slice() }
      : { ...positions };
    this.#runs.push(run);
    this.#length += textIds.length;
    this.#writer.expect(run);
  }

  /** Forgets what stands from `length` on. */
  truncate(length: number): void {
    while (this.#length > length) {
      const run = this.#runs.pop()!;
      this.#writer.forget(run);
      this.#length -= run.textIds.length;
      const kept = length - this.#length;
      if (kept > 0) this.append(slicePositions(run, 0, kept, this.#pads));
    }
  }

  /** The first `length` positions, which is the end of a run. */
  upTo(length: number): Positions[] {
    const runs: Positions[] = [];
    let at = 0;
    for (const run of this.#runs) {
      if (at >= length) break;
      runs.push(run);
      at += run.textIds.length;
    }
    return runs;
  }

  /** The generated steps at the end: what there is of the reply that is being made. */
  reply(): MadeStep[] {
    const first = this.#runs.findLastIndex(({ rule }) => rule !== 'decode') + 1;
    return this.#runs.slice(first).flatMap(({ textIds, codes }) =>
      Array.from(textIds, (text, i): MadeStep => {
        const [a, b, c, d] = codes.subarray(i * CODEBOOKS, (i + 1) * CODEBOOKS);
        return { text, codes: [a, b, c, d] };
      }),
    );
  }
}
