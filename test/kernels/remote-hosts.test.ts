/** Hosts that come late, or serve no more while they are there (docs/spec/remote.md §2). */
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { ComponentFront } from '../../kernels/engine/component-front.ts';
import { ComponentHost, type HostedComponent, RemoteChannel } from '../../kernels/engine/remote/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { ADDER, adder, LIMITS, type Sum } from '../support/adding-host.ts';
import { codeOfRejection } from '../support/code-of.ts';
import { type AddingWork, streamOf } from '../support/crashing-service.js';
import { MemoryBus } from '../support/memory-bus.ts';

const component = 'languageModel';
const clock = new VirtualClock();
let ids = 0;
const newId = () => `id${++ids}`;

const openOn = (bus: MemoryBus) =>
  RemoteChannel.open<AddingWork, Sum>({
    ...{ component, model: ADDER, bus: bus.connect(), timers: clock, newId, streamOf: streamOf as never },
  });

async function opened(bus: MemoryBus) {
  const opening = openOn(bus);
  await bus.settled();
  await clock.runFor(100);
  return opening;
}

describe('a host', () => {
  it('is found while it is looked for, though it was not there when the looking began', async () => {
    const bus = new MemoryBus();
    const opening = openOn(bus);
    await clock.runFor(250);
    await bus.settled();
    adder(bus.connect(), clock, 'late');
    await clock.runFor(100);
    await bus.settled();
    await clock.runFor(30);
    expect((await opening).hosts.map(({ host }) => host)).toEqual(['late']);
  });

  it('leaves a host whose own component is down, and does not find it before it serves again', async () => {
    const bus = new MemoryBus();
    let isUp = true;
    const down = new RuntimeError('engine.component-down', 'A component of the runtime is down.');
    const step = (batch: readonly unknown[]) =>
      isUp ? Promise.resolve(batch.map(() => ({ sum: Float32Array.of(9) }))) : Promise.reject(down);
    const hosted = { open: () => 1, step } as unknown as HostedComponent;
    new ComponentHost({
      ...{ component, hosted, streamOf: streamOf as never, host: 'ill', model: ADDER },
      ...{ bus: bus.connect(), timers: clock, serves: () => isUp },
    });
    const channel = await opened(bus);
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    const stream = front.open();
    expect((await front.step([{ stream, value: 1 }]))[0]!.sum[0]).toBe(9);
    isUp = false;
    adder(bus.connect(), clock, 'well');
    expect(await codeOfRejection(front.step([{ stream, value: 1 }]))).toBe('remote.host-lost');
    channel.start();
    await bus.settled();
    await clock.runFor(100);
    expect(channel.hosts.map(({ host }) => host)).toEqual(['well']);
    isUp = true;
    await clock.runFor(2000);
    await bus.settled();
    await clock.runFor(100);
    expect(channel.hosts.map(({ host }) => host)).toEqual(['well', 'ill']);
  });
});
