import { Observable, type Subscription } from 'rxjs';
import { Outlet } from './outlet.ts';

/**
 * Of a stream that carries messages of many sessions or kinds, each one's own: a message costs one look-up, however
 * many listen.
 */
export class Demultiplexer<T> {
  readonly #outlets = new Map<string, Outlet<T>>();
  /** Of the stream. */
  readonly subscription: Subscription;

  /** @param keyOf whose a message is */
  constructor(messages$: Observable<T>, keyOf: (message: T) => string) {
    this.subscription = messages$.subscribe(message => this.#outlets.get(keyOf(message))?.next(message));
  }

  /** Nothing is kept of a key to which nobody listens. */
  of(key: string): Observable<T> {
    return new Observable(subscriber => {
      let outlet = this.#outlets.get(key);
      if (!outlet) {
        outlet = new Outlet();
        this.#outlets.set(key, outlet);
      }
      const listening = outlet.values$.subscribe(subscriber);
      return () => {
        listening.unsubscribe();
        if (!outlet.isHeard && this.#outlets.get(key) === outlet) this.#outlets.delete(key);
      };
    });
  }

  /** Keys to which somebody listens. */
  get size(): number {
    return this.#outlets.size;
  }
}
