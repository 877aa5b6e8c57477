import type { TurnState } from '../session-api.ts';
import type { TurnEffects, TurnEvent } from './machine.ts';

/**
 * Turn-taking: edges of what the user and the reply do, in; decisions, out. One per session. Edges only, never frames,
 * and every one of them counts: control.
 */
export interface TurnTakingPorts {
  readonly edges: TurnEvent;
}

export type TurnTakingOutput =
  /** To be carried out at once; what it causes comes back as an edge. */
  { readonly type: keyof TurnEffects } | { readonly type: 'state'; readonly state: TurnState };
