import { map, merge, NEVER } from 'rxjs';
import { type ComponentState, ENGINE_COMPONENTS } from '../kernels/engine/index.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { type ActorSystem, nameOf } from './core/index.ts';
import type { ComponentFault, RuntimeHealth } from './health.ts';

/** The engine's components as their supervisor knows them, where there is one, and the actors that own them. */
export function runtimeHealth(system: ActorSystem, engine: RuntimeHealth | undefined): RuntimeHealth {
  const actorFaults$ = system.restarts$.pipe(
    map(
      ({ actor, cause }): ComponentFault => ({
        component: actor,
        kind: 'actor',
        code: cause instanceof RuntimeError ? cause.code : 'actor.restarted',
        message: String(cause),
        atMs: system.clock.nowMs(),
      }),
    ),
  );
  return {
    get components() {
      const states = engine?.components;
      const stateOf = (name: string): ComponentState =>
        system.paused.has(name) ? 'down' : (states?.get(name) ?? 'ready');
      return new Map(ENGINE_COMPONENTS.map(nameOf).map(name => [name, stateOf(name)]));
    },
    get hosts() {
      return engine?.hosts ?? new Map();
    },
    faults$: engine ? merge(engine.faults$, actorFaults$) : actorFaults$,
    recoveries$: engine?.recoveries$ ?? NEVER,
    mailboxes: system.mailboxes,
  };
}
