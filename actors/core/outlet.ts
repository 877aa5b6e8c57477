import { Observable, type Observer, Subscription } from 'rxjs';

type HotListener<T> = Pick<Observer<T>, 'next' | 'complete'>;

/**
 * The sending side of a hot observable, as an RxJS Subject without its guards: every message of every actor passes two
 * of these. What a listener throws is RxJS's to report and stops nobody; a listener that joins or leaves does so from
 * the next value on.
 */
export class Outlet<T> {
  readonly values$: Observable<T>;
  /** Replaced, never changed, because listeners come and go while it is being walked. */
  #listeners: readonly HotListener<T>[] = [];
  #isComplete = false;

  /** `onListener` is called when somebody has begun to listen. */
  constructor(onListener?: () => void) {
    this.values$ = new OutletValues(listener => this.#join(listener, onListener));
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

  #join(listener: HotListener<T>, onListener?: () => void): () => void {
    if (this.#isComplete) {
      listener.complete();
      return () => {};
    }
    this.#listeners = [...this.#listeners, listener];
    onListener?.();
    return () => {
      this.#listeners = this.#listeners.filter(other => other !== listener);
    };
  }
}

/**
 * Whoever listens with a function alone is called without the four calls that RxJS puts before it; operators and whole
 * observers are RxJS's as ever.
 */
class OutletValues<T> extends Observable<T> {
  readonly #join: (listener: HotListener<T>) => () => void;

  constructor(join: (listener: HotListener<T>) => () => void) {
    super(subscriber => join(subscriber));
    this.#join = join;
  }

  override subscribe(
    listener?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (typeof listener !== 'function' || error || complete)
      return typeof listener === 'object' && listener !== null
        ? super.subscribe(listener)
        : super.subscribe(listener, error, complete);
    const listening = new FunctionListener(listener);
    listening.add(this.#join(listening));
    return listening;
  }
}

class FunctionListener<T> extends Subscription implements HotListener<T> {
  readonly #hear: (value: T) => void;

  constructor(hear: (value: T) => void) {
    super();
    this.#hear = hear;
  }

  next(value: T): void {
    if (this.closed) return;
    try {
      this.#hear(value);
    } catch (failure) {
      // RxJS reports what nobody handles.
      new Observable(subscriber => subscriber.error(failure)).subscribe();
    }
  }

  complete(): void {
    this.unsubscribe();
  }
}
