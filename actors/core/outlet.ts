import { Observable, type Subscriber } from 'rxjs';

/**
 * The sending side of a hot observable, as an RxJS Subject without its guards: every message of every actor passes two
 * of these. What a listener throws is RxJS's to report and stops nobody; a listener that joins or leaves does so from
 * the next value on.
 */
export class Outlet<T> {
  readonly values$: Observable<T>;
  /** Replaced, never changed, because listeners come and go while it is being walked. */
  #listeners: readonly Subscriber<T>[] = [];
  #isComplete = false;

  /** `onListener` is called when somebody has begun to listen. */
  constructor(onListener?: () => void) {
    this.values$ = new Observable(subscriber => {
      if (this.#isComplete) {
        subscriber.complete();
        return;
      }
      this.#listeners = [...this.#listeners, subscriber];
      subscriber.add(() => {
        this.#listeners = this.#listeners.filter(other => other !== subscriber);
      });
      onListener?.();
    });
  }

  get isHeard(): boolean {
    return this.#listeners.length > 0;
  }

  next(value: T): void {
    const listeners = this.#listeners;
    for (let i = 0; i < listeners.length; i++) listeners[i].next(value);
  }

  complete(): void {
    this.#isComplete = true;
    for (const listener of this.#listeners) listener.complete();
  }
}
