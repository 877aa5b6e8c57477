import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventHeap, type HeapEvent } from '../../../actors/core/event-heap.ts';

interface Modelled {
  readonly timeMs: number;
  readonly id: number;
  readonly event: HeapEvent<{ id: number }>;
}

type Step = { type: 'push'; timeMs: number } | { type: 'cancel'; which: number } | { type: 'pop' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('push' as const), timeMs: fc.integer({ min: 0, max: 20 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pop' as const) }) },
);

/** The same steps on the heap and on a sorted list; compares what comes out at every step. */
function compareWithSortedList(steps: readonly Step[]): void {
  const heap = new EventHeap<{ id: number }>();
  const model: Modelled[] = [];
  let id = 0;
  for (const step of steps) {
    if (step.type === 'push') {
      const entry = { timeMs: step.timeMs, id, event: heap.push(step.timeMs, { id: id++ }) };
      const behind = model.findIndex(other => other.timeMs > entry.timeMs);
      model.splice(behind < 0 ? model.length : behind, 0, entry);
    } else if (step.type === 'cancel' && model.length > 0) {
      const [cancelled] = model.splice(step.which % model.length, 1);
      cancelled.event.cancel();
      cancelled.event.cancel();
    } else if (step.type === 'pop') {
      const expected = model.shift();
      expect(heap.nextTimeMs()).toBe(expected?.timeMs ?? Number.POSITIVE_INFINITY);
      expect(heap.pop()?.id).toBe(expected?.id);
      expected?.event.cancel();
    }
    expect(heap.size).toBe(model.length);
    if (model.length > 40) continue;
    const due = model.filter(({ timeMs }) => timeMs <= 10).length;
    expect([heap.countDue(10, 3), heap.countDue(10, 1000)]).toEqual([Math.min(3, due), due]);
  }
  expect(model.map(() => heap.pop()?.id)).toEqual(model.map(entry => entry.id));
  expect(heap.pop()).toBeNull();
}

test('whatever is scheduled, cancelled and fired, events leave in the order of (time, sequence)', () => {
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 300 }), compareWithSortedList), { numRuns: 300 });
});

test('the order survives growth and mass cancellation', () => {
  const steps: Step[] = [];
  for (let at = 0; at < 2000; at++) steps.push({ type: 'push', timeMs: (at * 7919) % 101 });
  for (let at = 0; at < 1500; at++) steps.push({ type: 'cancel', which: at * 31 });
  for (let at = 0; at < 300; at++) steps.push({ type: 'pop' }, { type: 'push', timeMs: 200 + (at % 7) });
  compareWithSortedList(steps);
});

test('cancelled events take no room for long', () => {
  const heap = new EventHeap<() => void>();
  heap.push(5, () => {});
  for (let at = 0; at < 100_000; at++) heap.push(1e9, () => {}).cancel();
  expect(heap.size).toBe(1);
  expect(heap.occupied).toBeLessThan(200);
});
