/**
 * Frame units of the time in which the user does not speak (docs/spec/model.md §5.4): encoded at 0.5 fps, kept for the
 * next user turn. At the cap every second oldest unit goes, so that the buffer covers the whole wait with less detail.
 */
import type { EncodedFrameUnit } from './live.ts';

export class SparseBuffer {
  readonly #cap: number;
  #units: EncodedFrameUnit[] = [];

  constructor(cap: number) {
    this.#cap = cap;
  }

  add(unit: EncodedFrameUnit): void {
    this.#units.push(unit);
    if (this.#units.length <= this.#cap) return;
    // The newest stays: it is what the camera sees now.
    this.#units = this.#units.filter((_, index) => index % 2 === 1 || index === this.#units.length - 1);
  }

  /** Empties the buffer into the next turn, oldest first. */
  takeAll(): EncodedFrameUnit[] {
    const units = this.#units;
    this.#units = [];
    return units;
  }

  get size(): number {
    return this.#units.length;
  }
}
