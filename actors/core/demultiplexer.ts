import { Observable } from 'rxjs';
import type { Address } from './message.ts';
import { Outlet } from './outlet.ts';

/**
 * Of a stream that carries many sessions' messages, each session's own: a message costs one look-up, however many
 * sessions listen.
 */
export class Demultiplexer<T extends Address> {
  readonly #outlets = new Map<string, Outlet<T>>();

  constructor(messages$: Observable<T>) {
    messages$.subscribe(message => this.#outlets.get(message.session)?.next(message));
  }

  /** Nothing is kept of a session to which nobody listens. */
  of(session: string): Observable<T> {
    return new Observable(subscriber => {
      let outlet = this.#outlets.get(session);
      if (!outlet) {
        outlet = new Outlet();
        this.#outlets.set(session, outlet);
      }
      const listening = outlet.values$.subscribe(subscriber);
      return () => {
        listening.unsubscribe();
        if (!outlet.isHeard && this.#outlets.get(session) === outlet) this.#outlets.delete(session);
      };
    });
  }

  /** Sessions to which somebody listens. */
  get size(): number {
    return this.#outlets.size;
  }
}
