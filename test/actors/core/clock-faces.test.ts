import {
  asyncScheduler,
  bufferTime,
  concat,
  debounceTime,
  delay,
  EMPTY,
  interval,
  map,
  merge,
  NEVER,
  type Observable,
  observeOn,
  of,
  range,
  repeat,
  type SchedulerAction,
  type SchedulerLike,
  take,
  throttleTime,
  throwError,
  timeout,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, test } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import { RealClock } from '../../../actors/core/real-clock.ts';
import { VirtualClock } from '../../../actors/core/virtual-clock.ts';

/** Everything an observable did and when, by the scheduler's clock. */
function diary(source: Observable<unknown>, scheduler: SchedulerLike): string[] {
  const lines: string[] = [];
  const write = (what: string) => lines.push(`${scheduler.now()} ${what}`);
  source.subscribe({
    next: value => write(JSON.stringify(value)),
    error: error => write(`error ${(error as Error).name}`),
    complete: () => write('complete'),
  });
  return lines;
}

const pipelines: Record<string, (scheduler: SchedulerLike) => Observable<unknown>> = {
  'timer once': s => timer(5, s),
  'timer with a period': s => timer(3, 4, s).pipe(take(4)),
  interval: s => interval(10, s).pipe(take(5)),
  delay: s => concat(of('a'), timer(2, s), of('b')).pipe(delay(7, s)),
  bufferTime: s => interval(3, s).pipe(take(7), bufferTime(10, s)),
  'bufferTime with overlap and a bound': s => interval(3, s).pipe(take(9), bufferTime(10, 5, 3, s)),
  debounceTime: s => merge(timer(0, s), timer(4, s), timer(20, s)).pipe(debounceTime(5, s)),
  throttleTime: s => interval(2, s).pipe(take(10), throttleTime(5, s, { leading: true, trailing: true })),
  observeOn: s => range(0, 4).pipe(observeOn(s)),
  'observeOn with delay': s => range(0, 3).pipe(observeOn(s, 6)),
  timeout: s => NEVER.pipe(timeout({ each: 9, scheduler: s })),
  'timeout that does not strike': s => interval(4, s).pipe(take(3), timeout({ each: 5, scheduler: s })),
  repeat: s => timer(2, s).pipe(repeat({ count: 3, delay: () => timer(1, s) })),
  'scheduled iterable': s => merge(of(1, 2, 3, s), of(4, 5, s)),
  'two intervals that meet': s =>
    merge(interval(4, s).pipe(map(n => `a${n}`)), interval(6, s).pipe(map(n => `b${n}`))).pipe(take(9)),
  'error after a while': s =>
    concat(
      timer(3, s),
      throwError(() => new TypeError('no')),
    ),
  'nothing at all': () => EMPTY,
};

describe('RxJS operators on the virtual clock do what they do on VirtualTimeScheduler', () => {
  test.each(Object.keys(pipelines))('%s', name => {
    const peer = new VirtualTimeScheduler();
    const expected = diary(pipelines[name](peer), peer);
    peer.flush();
    const clock = new VirtualClock();
    const lines = diary(pipelines[name](clock.scheduler), clock.scheduler);
    clock.runToCompletionSync();
    expect(lines).toEqual(expected);
    expect(clock.pending).toBe(0);
  });
});

test('unsubscribing takes the timer off the clock', () => {
  const clock = new VirtualClock();
  const subscription = interval(10, clock.scheduler).subscribe();
  clock.runUntilSync(25);
  expect(clock.pending).toBe(1);
  subscription.unsubscribe();
  expect(clock.pending).toBe(0);
});

test('an action may reschedule itself with another delay and state, also after it has run', () => {
  const clock = new VirtualClock();
  const seen: unknown[] = [];
  const action = clock.scheduler.schedule<number>(
    function (state) {
      seen.push([clock.nowMs(), state]);
      if (state! < 3) this.schedule(state! + 1, state! * 10);
      else if (state === 3) clock.setTimer(5, () => this.schedule(99, 1));
    },
    1,
    1,
  );
  clock.runToCompletionSync();
  expect(seen).toEqual([
    [1, 1],
    [11, 2],
    [31, 3],
    [37, 99],
  ]);
  expect(action.closed).toBe(false);
});

test('an action scheduled anew before it ran runs once, at the later request', () => {
  const clock = new VirtualClock();
  const seen: unknown[] = [];
  const action = clock.scheduler.schedule<string>(state => seen.push([clock.nowMs(), state]), 5, 'first');
  (action as SchedulerAction<string>).schedule('second', 8);
  clock.runToCompletionSync();
  expect(seen).toEqual([[8, 'second']]);
});

test('an action that throws is closed and the error reaches whoever runs the clock', () => {
  const clock = new VirtualClock();
  const action = clock.scheduler.schedule(() => {
    throw new Error('broken action');
  }, 1);
  expect(() => clock.runToCompletionSync()).toThrow('broken action');
  expect(action.closed).toBe(true);
});

test('a delay of Infinity never comes and keeps nothing pending', () => {
  const clock = new VirtualClock();
  timer(Number.POSITIVE_INFINITY, clock.scheduler).subscribe();
  expect(clock.pending).toBe(0);
});

const blinker = setup({
  types: { context: {} as { lit: number }, events: {} as { type: 'touched' } },
  delays: { glowMs: 30, restMs: 70 },
}).createMachine({
  context: { lit: 0 },
  initial: 'dark',
  states: {
    dark: { after: { restMs: 'lit' }, on: { touched: 'held' } },
    lit: { entry: assign({ lit: ({ context }) => context.lit + 1 }), after: { glowMs: 'dark' } },
    held: { type: 'final' },
  },
});

test('delayed transitions of a machine happen at their virtual times', () => {
  const clock = new VirtualClock();
  const actor = createActor(blinker, { clock: clock.xstate });
  const seen: string[] = [];
  actor.subscribe(snapshot => seen.push(`${clock.nowMs()} ${snapshot.value}`));
  actor.start();
  clock.runUntilSync(250);
  expect(seen).toEqual(['0 dark', '70 lit', '100 dark', '170 lit', '200 dark']);
  actor.send({ type: 'touched' });
  expect(clock.pending).toBe(0);
  clock.runUntilSync(1000);
  expect(actor.getSnapshot().context.lit).toBe(2);
});

describe('the real clock', () => {
  test('is never early and keeps the order of due times, also below a millisecond', async () => {
    const clock = new RealClock();
    const fired: { afterMs: number; beforeMs: number }[] = [];
    const delaysMs = Array.from({ length: 60 }, (_, at) => ((at * 37) % 60) / 5);
    const timers = delaysMs.map(
      delayMs =>
        new Promise<void>(done => {
          const afterMs = clock.nowMs() + delayMs;
          clock.setTimer(delayMs + 0.1, () => expect.unreachable('a cancelled timer fired')).cancel();
          clock.setTimer(delayMs, () => {
            expect(clock.nowMs()).toBeGreaterThanOrEqual(afterMs);
            fired.push({ afterMs, beforeMs });
            done();
          });
          const beforeMs = clock.nowMs() + delayMs;
        }),
    );
    await Promise.all(timers);
    // Each was due between `afterMs` and `beforeMs`: none may fire before one that was certainly due earlier.
    fired.forEach((timer, at) => {
      for (const later of fired.slice(at + 1)) expect(later.beforeMs).toBeGreaterThanOrEqual(timer.afterMs);
    });
  });

  test('is not early when it was to wake for a timer that has been cancelled', async () => {
    const clock = new RealClock();
    const dueMs = clock.nowMs() + 15;
    const cancelled = clock.setTimer(2, () => expect.unreachable('a cancelled timer fired'));
    const waiting = new Promise<void>(done => void clock.setTimer(15, done));
    cancelled.cancel();
    await waiting;
    expect(clock.nowMs()).toBeGreaterThanOrEqual(dueMs);
  });

  test('wakes earlier for a timer that is due before the one it waits for', async () => {
    const clock = new RealClock();
    const late = clock.setTimer(10_000, () => {});
    await new Promise<void>(done => void clock.setTimer(1, done));
    late.cancel();
    expect(clock.nowMs()).toBeLessThan(5_000);
  });

  test('gives microtasks their turn between two timers', async () => {
    const clock = new RealClock();
    const seen: string[] = [];
    await new Promise<void>(done => {
      clock.setTimer(0, () => void Promise.resolve().then(() => seen.push('microtask')));
      clock.setTimer(0, () => {
        seen.push('timer');
        done();
      });
    });
    expect(seen).toEqual(['microtask', 'timer']);
  });

  test('calls what is due together in few turns of the host, in order, and what that sets for now in a later one', async () => {
    const clock = new RealClock();
    const seen: string[] = [];
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    await new Promise<void>(done => {
      for (let n = 0; n < 40; n++)
        clock.setTimer(1, () => {
          if (n === 0) setImmediate(count);
          seen.push(String(n));
          if (n === 3) cancelled.cancel();
          if (n === 5) clock.setTimer(0, () => seen.push('for now'));
          if (n === 39) clock.setTimer(0, done);
        });
      const cancelled = clock.setTimer(1, () => expect.unreachable('a cancelled timer fired'));
      const untilMs = clock.nowMs() + 2;
      while (clock.nowMs() < untilMs) {}
    });
    isOver = true;
    const first = Array.from({ length: 16 }, (_, n) => String(n));
    expect(seen.slice(0, 16)).toEqual(first);
    expect(seen.filter(one => one !== 'for now').map(Number)).toEqual([...Array(40).keys()]);
    expect(seen).toContain('for now');
    expect(turns).toBeLessThan(12);
  });

  test('serves RxJS and XState', async () => {
    const clock = new RealClock();
    const values: number[] = [];
    const actor = createActor(blinker, { clock: clock.xstate }).start();
    await new Promise<void>(complete =>
      interval(2, clock.scheduler)
        .pipe(take(4))
        .subscribe({ next: value => values.push(value), complete }),
    );
    await new Promise<void>(done => void actor.subscribe(snapshot => snapshot.value === 'lit' && done()));
    actor.stop();
    expect(values).toEqual([0, 1, 2, 3]);
    const work = Promise.resolve(7);
    expect(clock.settle(work)).toBe(work);
  });

  test('immediate actions are far quicker than a host interval', async () => {
    const hops = 200;
    const run = (scheduler: SchedulerLike) =>
      new Promise<number>(done => {
        const startMs = performance.now();
        scheduler.schedule<number>(
          function (left) {
            if (left! > 0) this.schedule(left! - 1, 0);
            else done(performance.now() - startMs);
          },
          0,
          hops,
        );
      });
    // The best of some: on a busy machine any one of them may be held up.
    let oursMs = Infinity;
    for (let n = 0; n < 5; n++) oursMs = Math.min(oursMs, await run(new RealClock().scheduler));
    expect(oursMs).toBeLessThan(await run(asyncScheduler));
  });
});
