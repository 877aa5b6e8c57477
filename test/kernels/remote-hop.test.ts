/** What the way to a host takes, and that a turn's account says it. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { TurnAccount } from '../../actors/session/turn-account.ts';
import { ComponentFront } from '../../kernels/engine/component-front.ts';
import { ComponentHost, RemoteChannel } from '../../kernels/engine/remote/index.ts';
import { type AddingWork, streamOf } from '../support/crashing-service.js';
import { MemoryBus } from '../support/memory-bus.ts';

const MODEL = { name: 'model', hash: 'abc' };
const TOOK_MS = 40;
const WAY_MS = 3;

it('is what a step took beside the host’s own time', async () => {
  const clock = new VirtualClock();
  const bus = new MemoryBus();
  const hosted = {
    open: () => 1,
    step: () => clock.settle(Promise.resolve([{ length: 1, sampled: { text: 7 } }]), TOOK_MS),
  };
  const shared = { component: 'languageModel', model: MODEL, streamOf: streamOf as never } as const;
  new ComponentHost({ ...shared, hosted, host: 'a', bus: bus.connect(), timers: clock });
  // This side's clock runs ahead, as if what is sent had been on its way.
  let asked = 0;
  const timers = {
    nowMs: () => clock.nowMs() + (asked++ % 2) * WAY_MS,
    setTimer: (ms: number, action: () => void) => clock.setTimer(ms, action),
  };
  let ids = 0;
  const opening = RemoteChannel.open<AddingWork, unknown>({
    ...{ ...shared, bus: bus.connect(), timers, newId: () => `id${++ids}` },
  });
  await bus.settled();
  await clock.runFor(100);
  const front = new ComponentFront('model', await opening, streamOf, { maxOutstandingSteps: 4 });
  const stepping = front.step([{ stream: front.open(), value: 1 }]);
  await bus.settled();
  await clock.runFor(TOOK_MS);
  await bus.settled();
  expect(await stepping).toEqual([{ length: 1, sampled: { text: 7, hopMs: WAY_MS } }]);
});

it('is a line of the account, taken from the step’s', () => {
  const account = new TurnAccount('session', 1);
  account.speechEnded(0);
  account.markStep('decode', WAY_MS, 10);
  account.markStep('vocoder', 0, 15);
  account.firstAudio(16);
  const { waterfall } = account.trace({ text: '', interrupted: false, heardMs: 0 });
  const entries = Object.fromEntries(waterfall!.entries.map(({ cause, ms }) => [cause, ms]));
  expect(entries).toMatchObject({ decode: 10 - WAY_MS, hop: WAY_MS, vocoder: 5 });
  expect(waterfall!.totalMs).toBe(16);
});
