/**
 * The binary heap under both clocks: events leave in the order of (time, sequence), where the sequence is the order
 * of scheduling. Keys live in typed arrays beside the heap position, so that sifting touches no object.
 *
 * A cancelled event gives its payload up at once and its place in the heap later: when it comes to the top, or when
 * more than half of the heap is dead and it is rebuilt. Cancelling is O(1) amortised and leaks nothing.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Timer } from './clock.ts';

const FIRST_CAPACITY = 64;
const MAX_PENDING = 1 << 24;

/** One scheduled event, and the caller's handle on it. */
export class HeapEvent<T extends object> implements Timer {
  /** Null once it was fired or cancelled. */
  payload: T | null;
  readonly #heap: EventHeap<T>;

  constructor(heap: EventHeap<T>, payload: T) {
    this.#heap = heap;
    this.payload = payload;
  }

  cancel(): void {
    if (this.payload === null) return;
    this.payload = null;
    this.#heap.noteCancelled();
  }
}

export class EventHeap<T extends object> {
  #times = new Float64Array(FIRST_CAPACITY);
  #sequences = new Float64Array(FIRST_CAPACITY);
  /** Where in `#events` the event at this heap position is. */
  #slots = new Int32Array(FIRST_CAPACITY);
  readonly #events: (HeapEvent<T> | null)[] = [];
  readonly #freeSlots: number[] = [];
  #length = 0;
  #dead = 0;
  #sequence = 0;

  /** Events that will still fire. */
  get size(): number {
    return this.#length - this.#dead;
  }

  /** Places in use, the dead ones included: at most twice `size` plus a constant. */
  get occupied(): number {
    return this.#length;
  }

  /** Error `clock.too-many-events` beyond 2^24 pending. */
  push(timeMs: number, payload: T): HeapEvent<T> {
    if (this.#length === this.#times.length) this.#grow();
    const event = new HeapEvent(this, payload);
    const slot = this.#freeSlots.length > 0 ? this.#freeSlots.pop()! : this.#events.length;
    this.#events[slot] = event;
    this.#siftUp(this.#length++, timeMs, this.#sequence++, slot);
    return event;
  }

  /** When the next live event is due; Infinity when there is none. */
  nextTimeMs(): number {
    while (this.#length > 0) {
      if (this.#dead === 0 || this.#events[this.#slots[0]]!.payload !== null) return this.#times[0];
      this.#removeTop();
      this.#dead--;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Live events that are due by then, but no more than `most` are counted. */
  countDue(timeMs: number, most: number, at = 0): number {
    if (at >= this.#length || most <= 0 || this.#times[at] > timeMs) return 0;
    let count = this.#events[this.#slots[at]]!.payload === null ? 0 : 1;
    count += this.countDue(timeMs, most - count, 2 * at + 1);
    return count + this.countDue(timeMs, most - count, 2 * at + 2);
  }

  /** Takes the next event's payload; null when there is none. */
  pop(): T | null {
    if (this.nextTimeMs() === Number.POSITIVE_INFINITY) return null;
    const event = this.#events[this.#slots[0]]!;
    this.#removeTop();
    const payload = event.payload;
    event.payload = null;
    return payload;
  }

  /** Called by the events themselves. */
  noteCancelled(): void {
    this.#dead++;
    if (this.#dead > FIRST_CAPACITY && this.#dead * 2 > this.#length) this.#rebuild();
  }

  /**
   * Moves the gap at the top down along the smaller children to a leaf, then puts the last event there; having been a
   * leaf, it rarely rises again. One comparison a level, and that one without a branch: which child is smaller is a
   * coin toss that no processor predicts.
   */
  #removeTop(): void {
    const slot = this.#slots[0];
    this.#events[slot] = null;
    this.#freeSlots.push(slot);
    const last = --this.#length;
    if (last === 0) return;
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      // Place `last` still holds the event to be moved, so a lone left child has a right one; if that one leads, the
      // gap ends at `last` and the event goes up from there.
      const right = child + 1;
      const leftTime = times[child];
      const rightTime = times[right];
      child += Number(rightTime === leftTime ? sequences[right] < sequences[child] : rightTime < leftTime);
      times[at] = times[child];
      sequences[at] = sequences[child];
      slots[at] = slots[child];
      at = child;
    }
    this.#siftUp(at, times[last], sequences[last], slots[last]);
  }

  #siftUp(from: number, timeMs: number, sequence: number, slot: number): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentTime = times[parent];
      if (parentTime < timeMs || (parentTime === timeMs && sequences[parent] < sequence)) break;
      times[at] = parentTime;
      sequences[at] = sequences[parent];
      slots[at] = slots[parent];
      at = parent;
    }
    times[at] = timeMs;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  #siftDown(from: number, timeMs: number, sequence: number, slot: number): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    const length = this.#length;
    let at = from;
    for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < length &&
        (times[right] < times[child] ||
          (times[right] === times[child] && sequences[right] < sequences[child]))
      ) {
        child = right;
      }
      const childTime = times[child];
      if (timeMs < childTime || (timeMs === childTime && sequence < sequences[child])) break;
      times[at] = childTime;
      sequences[at] = sequences[child];
      slots[at] = slots[child];
      at = child;
    }
    times[at] = timeMs;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  /** Drops the dead and restores the heap from the bottom up; the order of what is left does not change. */
  #rebuild(): void {
    let kept = 0;
    for (let at = 0; at < this.#length; at++) {
      const slot = this.#slots[at];
      if (this.#events[slot]!.payload === null) {
        this.#events[slot] = null;
        this.#freeSlots.push(slot);
        continue;
      }
      this.#times[kept] = this.#times[at];
      this.#sequences[kept] = this.#sequences[at];
      this.#slots[kept++] = slot;
    }
    this.#length = kept;
    this.#dead = 0;
    for (let at = (kept >> 1) - 1; at >= 0; at--) {
      this.#siftDown(at, this.#times[at], this.#sequences[at], this.#slots[at]);
    }
  }

  #grow(): void {
    const capacity = this.#times.length * 2;
    if (capacity > MAX_PENDING) {
      throw new RuntimeError(
        'clock.too-many-events',
        'Too many timers are pending.',
        { pending: this.size, limit: MAX_PENDING },
        'Something schedules faster than time passes: cancel timers that are no longer wanted.',
      );
    }
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#sequences = grown(this.#sequences, new Float64Array(capacity));
    this.#slots = grown(this.#slots, new Int32Array(capacity));
  }
}

function grown<A extends Float64Array | Int32Array>(from: A, into: A): A {
  into.set(from);
  return into;
}
