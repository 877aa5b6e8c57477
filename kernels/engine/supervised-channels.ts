import type { EngineComponent, EngineLifecycle } from './lifecycle.ts';
import type { Standby } from './standby.ts';
import type { WorkerChannel } from './worker-channel.ts';

/** The lifecycle of an engine whose components have a thread each. */
export function supervisedChannels(
  channels: ReadonlyMap<EngineComponent, WorkerChannel<never, never>>,
  standby: Standby | null,
): EngineLifecycle {
  return {
    state: component => channels.get(component)?.state ?? 'absent',
    supervise: listener => {
      for (const [component, channel] of channels)
        channel.supervise((state, error) => listener(component, state, error));
    },
    start: component => channels.get(component)?.start(),
    giveUp: (component, error) => channels.get(component)?.giveUp(error),
    refuse: (component, error) => channels.get(component)?.refuse(error),
    get hasStandby() {
      return standby?.isReady ?? false;
    },
  };
}
