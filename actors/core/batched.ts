import { from, Observable, type ObservableInput, type Subscription } from 'rxjs';
import type { Delivery, Inbox } from './actor.ts';

/**
 * Adaptive batching for actors that own an engine: while a step is under way messages wait; when it ends, the next
 * takes whatever waits, at most `maxBatch`. So the first message of a quiet time goes at once and alone, and under load
 * batches grow by themselves. Emits what the steps emit, one step after the other; an error of a step is the actor's.
 */
export function batched<Ports, Out>(
  inbox: Inbox<Ports>,
  { maxBatch }: { readonly maxBatch: number },
  step: (batch: Delivery<Ports>[]) => ObservableInput<Out>,
): Observable<Out> {
  return new Observable<Out>(subscriber => {
    let stepping = false;
    let running: Subscription | undefined;

    // A loop, not a recursion: steps that answer at once must not pile up on the stack.
    const next = (): void => {
      while (!stepping && !subscriber.closed) {
        const batch = inbox.take(maxBatch);
        if (batch.length === 0) return;
        run(batch);
      }
    };

    const run = (batch: Delivery<Ports>[]): void => {
      stepping = true;
      let starting = true;
      try {
        running = from(step(batch)).subscribe({
          next: value => subscriber.next(value),
          error: error => subscriber.error(error),
          complete: () => {
            stepping = false;
            if (!starting) next();
          },
        });
      } catch (error) {
        subscriber.error(error);
      }
      starting = false;
    };

    const readable = inbox.readable$.subscribe(next);
    return () => {
      readable.unsubscribe();
      running?.unsubscribe();
    };
  });
}
