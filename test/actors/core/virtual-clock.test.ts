import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../../actors/core/virtual-clock.ts';
import { hostDelays } from './host-delays.ts';

test('an event due at 5 sees 5, not the target of the run', () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  for (const delayMs of [7, 5, 2.5, 5]) clock.setTimer(delayMs, () => seen.push(clock.nowMs()));
  clock.runUntilSync(100);
  expect(seen).toEqual([2.5, 5, 5, 7]);
  expect(clock.nowMs()).toBe(100);
});

test('events of one instant run in the order of scheduling, those they schedule come after them', () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  clock.setTimer(1, () => {
    order.push('a');
    clock.setTimer(0, () => order.push('a0'));
  });
  clock.setTimer(1, () => order.push('b'));
  clock.runToCompletionSync();
  expect(order).toEqual(['a', 'b', 'a0']);
});

test('a run stops at its target and the next one goes on from there', () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  for (const delayMs of [10, 20, 20.001]) clock.setTimer(delayMs, () => seen.push(delayMs));
  expect(clock.runUntilSync(20)).toBe(2);
  expect(clock.pending).toBe(1);
  clock.setTimer(0, () => seen.push(clock.nowMs()));
  clock.runForSync(1);
  expect(seen).toEqual([10, 20, 20, 20.001]);
  expect(clock.nowMs()).toBe(21);
});

test('microtasks of an event finish before the next event, at the same time', async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock.setTimer(1, async () => {
    for (let hop = 0; hop < 20; hop++) await null;
    seen.push(`chain at ${clock.nowMs()}`);
    clock.setTimer(1, () => seen.push(`its timer at ${clock.nowMs()}`));
  });
  clock.setTimer(1.5, () => seen.push(`next at ${clock.nowMs()}`));
  await clock.runFor(10);
  expect(seen).toEqual(['chain at 1', 'next at 1.5', 'its timer at 2']);
});

/** Pieces of work with virtual costs, answered by the host in another order; what happens is written down. */
async function story(costsMs: readonly number[], hostOrder: readonly number[]): Promise<string[]> {
  const clock = new VirtualClock();
  const host = hostDelays(costsMs.length, hostOrder);
  const log: string[] = [];
  costsMs.forEach((costMs, at) => {
    clock.setTimer(at % 3, async () => {
      const answering = clock.settle(host.work[at], costMs).catch((error: Error) => error.message);
      clock.setTimer(costMs, () => log.push(`${clock.nowMs()} timer ${at}`));
      const answer = await answering;
      log.push(`${clock.nowMs()} answer ${answer}`);
      clock.setTimer(1, () => log.push(`${clock.nowMs()} afterwards ${at}`));
    });
  });
  await Promise.all([clock.runToCompletion(), host.run()]);
  return log;
}

test('settled work is answered at its virtual time, however fast the host was', async () => {
  const work = fc
    .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 })
    .chain(costsMs =>
      fc.tuple(fc.constant(costsMs), fc.shuffledSubarray([...costsMs.keys()], { minLength: costsMs.length })),
    );
  await fc.assert(
    fc.asyncProperty(work, async ([costsMs, hostOrder]) => {
      const inOrder = await story(costsMs, [...costsMs.keys()]);
      expect(await story(costsMs, hostOrder)).toEqual(inOrder);
      costsMs.forEach((costMs, at) => {
        const answer = at % 4 === 3 ? `refused ${at}` : `${at}`;
        expect(inOrder).toContain(`${(at % 3) + costMs} answer ${answer}`);
      });
    }),
    { numRuns: 60 },
  );
});

test('work settled at one time is answered in the order of submission', async () => {
  const clock = new VirtualClock();
  const host = hostDelays(3, [2, 1, 0]);
  const order: number[] = [];
  host.work.forEach((work, at) => void clock.settle(work, 5).then(() => order.push(at)));
  await Promise.all([clock.runToCompletion(), host.run()]);
  expect(order).toEqual([0, 1, 2]);
});

test('a refusal arrives at its virtual time and the run goes on', async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock
    .settle(Promise.reject(new Error('no')), 30)
    .catch(error => seen.push(`${clock.nowMs()} ${error.message}`));
  clock.setTimer(40, () => seen.push('40 timer'));
  await clock.runToCompletion();
  expect(seen).toEqual(['30 no', '40 timer']);
});

test('a timer of 0 ms that schedules itself is found out', async () => {
  const clock = new VirtualClock({ maxEventsPerInstant: 1000 });
  const again = () => void clock.setTimer(0, again);
  clock.setTimer(3, again);
  expect(() => clock.runUntilSync(10)).toThrowError(expect.objectContaining({ code: 'clock.livelock' }));
  await expect(clock.runUntil(10)).rejects.toMatchObject({ code: 'clock.livelock', values: { nowMs: 3 } });
});

test('many events are no livelock while time passes', () => {
  const clock = new VirtualClock({ maxEventsPerInstant: 2 });
  for (let at = 0; at < 100; at++) clock.setTimer(at >> 1, () => {});
  expect(clock.runToCompletionSync()).toBe(100);
});

test('a simulation that never rests is stopped', async () => {
  const clock = new VirtualClock();
  const again = () => void clock.setTimer(1, again);
  again();
  expect(() => clock.runToCompletionSync({ maxEvents: 100 })).toThrow(/did not come to rest/);
  await expect(clock.runToCompletion({ maxEvents: 100 })).rejects.toMatchObject({
    code: 'clock.too-many-events',
  });
});

test('work that the host never answers is given up', async () => {
  const clock = new VirtualClock({ maxHostWaitMs: 20 });
  void clock.settle(new Promise(() => {}), 1);
  await expect(clock.runToCompletion()).rejects.toMatchObject({ code: 'clock.work-stuck' });
});

test('an error of an event ends the run; the clock can be run on', () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  clock.setTimer(1, () => {
    throw new Error('broken event');
  });
  clock.setTimer(2, () => seen.push(clock.nowMs()));
  expect(() => clock.runUntilSync(5)).toThrow('broken event');
  clock.runUntilSync(5);
  expect(seen).toEqual([2]);
});

test('misuse has a stated answer', async () => {
  const clock = new VirtualClock();
  for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => clock.setTimer(delayMs, () => {})).toThrowError(
      expect.objectContaining({ code: 'clock.bad-delay' }),
    );
  }
  clock.runUntilSync(5);
  expect(() => clock.runUntilSync(4)).toThrowError(expect.objectContaining({ code: 'clock.bad-target' }));
  clock.setTimer(0, () => clock.runForSync(1));
  expect(() => clock.runForSync(1)).toThrowError(expect.objectContaining({ code: 'clock.already-running' }));
  void clock.settle(Promise.resolve(), 0);
  expect(() => clock.runForSync(1)).toThrowError(
    expect.objectContaining({ code: 'clock.settle-in-sync-run' }),
  );
});
