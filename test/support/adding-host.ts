/** Hosts of a component that adds, on a bus in memory: the way to other hosts without their arithmetic. */
import type { VirtualClock } from '../../actors/core/index.ts';
import { InlineChannel } from '../../kernels/engine/channel.ts';
import { ComponentFront } from '../../kernels/engine/component-front.ts';
import { type Bus, ComponentHost, type HostedComponent } from '../../kernels/engine/remote/index.ts';
import { type AddingWork, loadService, streamOf } from './crashing-service.js';

export const ADDER = { name: 'adder', hash: 'abc' };
export const LIMITS = { maxOutstandingSteps: 64 };
const component = 'languageModel';
export interface Sum {
  readonly sum: Float32Array;
}

/** A host that adds, and the streams that are open on it. */
export function adder(bus: Bus, clock: VirtualClock, host: string, model = ADDER) {
  const front = new ComponentFront(
    'adder',
    new InlineChannel<AddingWork, Sum>(loadService({}), streamOf),
    streamOf,
    LIMITS,
  );
  const hosted = front as unknown as HostedComponent;
  const streams = { ofWork: streamOf as unknown as (work: object) => number | null };
  return new ComponentHost({ component, hosted, streamOf: streams.ofWork, host, model, bus, timers: clock });
}
