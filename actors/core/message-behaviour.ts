import { Observable } from 'rxjs';
import type { ActorContext, ActorDefinition, Delivered } from './actor.ts';
import type { Address, Envelope } from './message.ts';

/** What an actor does that handles one message at a time. */
export interface MessageDesk<Ports> {
  receive(delivery: Delivered<Ports>): void;
  stop?(): void;
}

/** The next control message that waits, as `receive` gets it; null when there is none. */
export type TakeUrgent<Ports> = () => Delivered<Ports> | null;

/**
 * The behaviour of an actor of one session. What it emits is addressed as the message that it is handling, or handled
 * last when a timer makes it speak. What it throws reaches the supervisor.
 */
export function messageBehaviour<Ports, Out>(
  open: (
    context: ActorContext,
    emit: (body: Out) => void,
    takeUrgent: TakeUrgent<Ports>,
  ) => MessageDesk<Ports>,
): ActorDefinition<Ports, Out>['behaviour'] {
  return (inbox, context) =>
    new Observable<Envelope<Out>>(subscriber => {
      let address: Address = { session: '', turn: 0, epoch: 0 };
      const emit = (body: Out) => {
        const { session, turn, epoch } = address;
        subscriber.next({ session, turn, epoch, body });
      };
      const desk = open(context, emit, () => inbox.takeUrgent());
      const reading = inbox.messages$.subscribe(delivery => {
        address = delivery.message;
        try {
          desk.receive(delivery);
        } catch (error) {
          subscriber.error(error);
        }
      });
      return () => {
        reading.unsubscribe();
        desk.stop?.();
      };
    });
}

/** A session cannot be told to say its last second again: it ends with an error that its caller can read. */
export const ENDS_ITS_SESSION = { maxRestarts: 0, withinMs: 1 } as const;
