/** The least a binary heap of (time, sequence) can do: no callbacks, no cancelling, no growth. */
export class BareHeap {
  readonly #times: Float64Array;
  readonly #sequences: Float64Array;
  #length = 0;
  #sequence = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
    this.#sequences = new Float64Array(capacity);
  }

  push(timeMs: number): void {
    const times = this.#times;
    const sequences = this.#sequences;
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // A newcomer has the highest sequence: it stays behind its equals.
      if (times[parent] <= timeMs) break;
      times[at] = times[parent];
      sequences[at] = sequences[parent];
      at = parent;
    }
    times[at] = timeMs;
    sequences[at] = this.#sequence++;
  }

  pop(): number {
    const times = this.#times;
    const sequences = this.#sequences;
    const top = times[0];
    const length = --this.#length;
    const timeMs = times[length];
    const sequence = sequences[length];
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < length && precedes(times, sequences, right, child)) child = right;
      if (timeMs < times[child] || (timeMs === times[child] && sequence < sequences[child])) break;
      times[at] = times[child];
      sequences[at] = sequences[child];
      at = child;
    }
    times[at] = timeMs;
    sequences[at] = sequence;
    return top;
  }
}

function precedes(times: Float64Array, sequences: Float64Array, a: number, b: number): boolean {
  return times[a] < times[b] || (times[a] === times[b] && sequences[a] < sequences[b]);
}
