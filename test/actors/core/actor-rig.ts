import type { Observable } from 'rxjs';
import type { ActorContext, Inbox } from '../../../actors/core/actor.ts';
import {
  ActorSystem,
  createRandom,
  type Envelope,
  type SpawnedActor,
  silentLogger,
  spawn,
  VirtualClock,
} from '../../../actors/core/index.ts';

export interface Ports {
  media: number;
  codes: number;
  control: string;
}

type Behaviour = (inbox: Inbox<Ports>, context: ActorContext) => Observable<Envelope<string>>;

/** A system under virtual time with what it reported, and actors that have the same three ports. */
export function actorRig() {
  const clock = new VirtualClock();
  const random = createRandom(1);
  const system = new ActorSystem({ clock, random, log: silentLogger });
  const failures: string[] = [];
  const restarts: string[] = [];
  system.failures$.subscribe(({ session, actor, error }) =>
    failures.push(`${session} ${actor} ${error.code}`),
  );
  system.restarts$.subscribe(({ actor, sessions }) =>
    restarts.push(`${actor} [${sessions}] at ${clock.nowMs()}`),
  );

  const start = (behaviour: Behaviour, name = 'worker'): SpawnedActor<Ports, string> =>
    spawn(
      {
        name,
        ports: {
          media: { capacity: 50, overflow: 'fail', fenced: false },
          codes: { capacity: 50, overflow: 'fail', fenced: true },
          control: { capacity: 50, overflow: 'never-drop', fenced: false },
        },
        behaviour,
        supervision: { maxRestarts: 2, withinMs: 1000 },
      },
      system,
    );
  const envelope = <T>(body: T, session = 's'): Envelope<T> => ({
    session,
    turn: 1,
    epoch: system.epochs.current(session),
    body,
  });
  const outputs = (actor: SpawnedActor<Ports, string>): string[] => {
    const bodies: string[] = [];
    actor.output$.subscribe({
      next: ({ body }) => bodies.push(body),
      complete: () => bodies.push('complete'),
    });
    return bodies;
  };
  return { clock, system, failures, restarts, start, envelope, outputs };
}
