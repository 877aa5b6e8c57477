/** Who serves what: `/topology`, a page for people and JSON for everyone else. */
import type { Runtime } from '../../actors/session-api.ts';
import type { ServingHost } from '../../kernels/engine/index.ts';

/** Where a component is, as the operator placed it. */
export interface ServedBy {
  /** `cpu`, `reference`, `cuda`, `nats` or `sglang`. */
  readonly by: string;
  /** Of those elsewhere, without user and password. */
  readonly at?: string;
}

/** By components as `/readyz` names them. */
export type Serving = ReadonlyMap<string, ServedBy>;

export interface Topology {
  readonly model: string;
  readonly sessions: { readonly open: number; readonly most: number };
  readonly components: readonly ({
    readonly component: string;
    readonly state: string;
    /** Of a component that is elsewhere, with the streams that this server has there. */
    readonly hosts: readonly ServingHost[];
  } & Partial<ServedBy>)[];
}

export function topology({ health, limits, sessions }: Runtime, model: string, serving: Serving): Topology {
  return {
    model,
    sessions: { open: sessions.size, most: limits.maxSessions },
    components: [...health.components].map(([component, state]) => ({
      component,
      state,
      ...(state !== 'absent' && serving.get(component)),
      hosts: health.hosts?.get(component) ?? [],
    })),
  };
}
