/**
 * Which positions are steps of replies, and what follows from that; kept for every length, so that each step costs the
 * same.
 */
export class ScriptedCache {
  readonly #isStep: boolean[] = [];
  /** Up to each position: where the last one that is no step stands, and how many replies ended before. */
  readonly #last: number[] = [];
  readonly #ended: number[] = [];

  get length(): number {
    return this.#isStep.length;
  }

  push(isStep: boolean): void {
    const { length } = this;
    const ended = this.#ended[length - 1] ?? 0;
    this.#last.push(isStep ? (this.#last[length - 1] ?? -1) : length);
    this.#ended.push(ended + (!isStep && this.#isStep[length - 1] ? 1 : 0));
    this.#isStep.push(isStep);
  }

  truncate(length: number): void {
    for (const list of [this.#isStep, this.#last, this.#ended]) list.length = length;
  }

  get stepsSince(): number {
    return this.length - 1 - (this.#last.at(-1) ?? -1);
  }

  get repliesBefore(): number {
    return this.#ended.at(-1) ?? 0;
  }
}
