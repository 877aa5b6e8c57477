/** How the components of a runtime are, for a health check, metrics and whoever decides about new sessions. */
import type { Observable } from 'rxjs';
import type { ComponentState, ServingHost } from '../kernels/engine/index.ts';
import type { PortCounters } from './core/mailbox.ts';

/**
 * What went wrong in a component that all sessions share.
 * `crash`: its thread died. `overdue`: a step did not end within its deadline, its thread was given up. `error`: a step
 * failed. `slow`: a step took more than half its deadline. `load`: it could not be started again. `actor`: a defect in
 * its actor, which was restarted.
 */
export const FAULT_KINDS = ['crash', 'overdue', 'error', 'slow', 'load', 'actor'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface ComponentFault {
  /**
   * `language-model`, `audio-encoder`, `vision-encoder`, `speech-tokenizer` or `gan-decoder`; for `actor` whichever it
   * was.
   */
  readonly component: string;
  readonly kind: FaultKind;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
}

export interface ComponentRecovery {
  readonly component: string;
  /** From the fault until it served again. */
  readonly downMs: number;
}

export interface RuntimeHealth {
  /** By component, as named in a fault. */
  readonly components: ReadonlyMap<string, ComponentState>;
  /** Who serves those that are elsewhere, by the same names. */
  readonly hosts?: ReadonlyMap<string, readonly ServingHost[]>;
  readonly faults$: Observable<ComponentFault>;
  readonly recoveries$: Observable<ComponentRecovery>;
  /** What became of the messages between actors since the start, by actor and port; absent: not counted. */
  readonly mailboxes?: ReadonlyMap<string, ReadonlyMap<string, Readonly<PortCounters>>>;
}

/** Components that do not serve now; none: sessions can be held. */
export function notServing({ components }: RuntimeHealth): string[] {
  return [...components].flatMap(([name, state]) => (state === 'ready' || state === 'absent' ? [] : [name]));
}
