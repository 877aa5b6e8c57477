import type { RuntimeError } from '../errors.ts';
import type { ComponentState, EngineComponent, EngineLifecycle, ServingHost } from './lifecycle.ts';
import type { Standby } from './standby.ts';

/** Hears how the component stands; with a `down` comes why. */
export type StateListener = (state: ComponentState, error: RuntimeError | null) => void;

/** What can fail apart from its caller, and be started again: a thread of its own, or another host. */
export interface SupervisedChannel {
  readonly state: ComponentState;
  /** Where it is elsewhere: who serves. */
  readonly hosts?: readonly ServingHost[];
  /** From now on a component that is down stays down until `start`. */
  supervise(supervisor: StateListener): void;
  /** Of one that is down. */
  start(): void;
  /** Whatever it is doing: what is pending rejects with `error`, and it is down. */
  giveUp(error: RuntimeError): void;
  /** Refuses what waits for the component. */
  refuse(error: RuntimeError): void;
}

/** The lifecycle of an engine whose components fail apart from it. */
export function supervisedChannels(
  channels: ReadonlyMap<EngineComponent, SupervisedChannel>,
  standby: Standby | null,
): EngineLifecycle {
  return {
    state: component => channels.get(component)?.state ?? 'absent',
    hosts: component => channels.get(component)?.hosts ?? [],
    supervise: listener => {
      for (const [component, channel] of channels)
        channel.supervise((state, error) => listener(component, state, error));
    },
    start: component => channels.get(component)?.start(),
    giveUp: (component, error) => channels.get(component)?.giveUp(error),
    refuse: (component, error) => channels.get(component)?.refuse(error),
    prepareStandby: () => standby?.prepare(),
    releaseStandby: () => standby?.release(),
    get hasStandby() {
      return standby?.isReady ?? false;
    },
  };
}
