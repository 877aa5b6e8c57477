import type { StreamId } from './engine.ts';

/**
 * More streams closed since than there are places: an older one is forgotten and its work computed in vain, no more.
 */
const PLACES = 1024;

/**
 * Which streams were closed, seen by both threads at once: a close overtakes the work that already waits in the
 * worker's queue or is being computed there.
 */
export class ClosedStreams {
  /** Shared memory; hand it to the other thread to make its `ClosedStreams` of it. */
  readonly places: Int32Array<SharedArrayBuffer>;

  constructor(places = new Int32Array(new SharedArrayBuffer(4 * PLACES))) {
    this.places = places;
  }

  add(stream: StreamId): void {
    Atomics.store(this.places, stream % this.places.length, stream);
  }

  has(stream: StreamId): boolean {
    return Atomics.load(this.places, stream % this.places.length) === stream;
  }
}
