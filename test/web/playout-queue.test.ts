import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { PlayOutQueue } from '../../web/media/playout-queue.js';

const RATE_HZ = 24_000;
const QUANTUM = 128;
let queue: PlayOutQueue;
let frame: number;

beforeEach(() => {
  queue = new PlayOutQueue(RATE_HZ);
  frame = 0;
});

function render(): Float32Array {
  const output = new Float32Array(QUANTUM);
  queue.render(output, frame);
  frame += QUANTUM;
  return output;
}

const ones = (count: number) => new Float32Array(count).fill(1);

test('samples leave in order, across items, without a gap', () => {
  queue.add('a', Float32Array.of(1, 2, 3));
  queue.finish('a');
  queue.add('b', Float32Array.of(4, 5));
  expect([...render().subarray(0, 6)]).toEqual([1, 2, 3, 4, 5, 0]);
});

test('a sample is heard when the output latency has passed, and not before', () => {
  queue.add('a', ones(200));
  render();
  render();
  queue.settle(0);
  expect(queue.heard.get('a')).toBeUndefined();
  queue.settle(150);
  expect(queue.heard.get('a')).toBe(150);
  queue.settle(1000);
  expect(queue.heard.get('a')).toBe(200);
});

test('a flush silences within 5 ms, without a step, and nothing more counts as heard', () => {
  queue.add('a', ones(10_000));
  render();
  queue.clear();
  const rest = [render(), render()].flatMap(output => [...output]);
  const steps = rest.map((value, i) => Math.abs(value - (rest[i - 1] ?? 1)));
  expect(Math.max(...steps)).toBeLessThan(0.02);
  expect(rest.slice(RATE_HZ * 0.005).every(value => value === 0)).toBe(true);
  queue.settle(frame);
  expect(queue.heard.get('a')).toBe(QUANTUM);
});

test('a flush of one item leaves the others', () => {
  queue.add('a', ones(10));
  queue.add('b', Float32Array.of(7));
  queue.clear('a');
  expect(render()[0]).toBe(7);
});

test('ducking changes the level over 5 ms and counts every sample', () => {
  queue.add('a', ones(1000));
  queue.setGain(0.25);
  const output = [render(), render()].flatMap(part => [...part]);
  expect(output[0]).toBeGreaterThan(0.98);
  expect(output[RATE_HZ * 0.005]).toBe(0.25);
  queue.settle(frame);
  expect(queue.heard.get('a')).toBe(2 * QUANTUM);
});

test('an item that ran dry waits for 120 ms of sound, or for its end', () => {
  queue.add('a', ones(QUANTUM));
  render();
  queue.add('a', ones(QUANTUM));
  expect(render()[0]).toBe(0);
  queue.add('a', ones(0.12 * RATE_HZ));
  expect(render()[0]).toBe(1);

  const late = new PlayOutQueue(RATE_HZ);
  late.add('b', ones(10));
  late.render(new Float32Array(QUANTUM), 0);
  late.add('b', ones(10));
  late.finish('b');
  const output = new Float32Array(QUANTUM);
  late.render(output, QUANTUM);
  expect(output[0]).toBe(1);
});

test('whatever the order of events, no more is heard than was added or than time allows, and every item ends', () => {
  const event = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 5000 }) }),
    fc.constant({ clear: true }),
    fc.constant({ finish: true }),
    fc.record({ gain: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ quanta: fc.integer({ min: 1, max: 40 }) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), events => {
      queue = new PlayOutQueue(RATE_HZ);
      frame = 0;
      let added = 0;
      for (const step of events) {
        if ('add' in step) {
          queue.add('a', ones(step.add));
          added += step.add;
        } else if ('clear' in step) queue.clear();
        else if ('finish' in step) queue.finish('a');
        else if ('gain' in step) queue.setGain(step.gain);
        else for (let i = 0; i < step.quanta; i++) render();
        queue.settle(frame - 300);
        expect(queue.heard.get('a') ?? 0).toBeLessThanOrEqual(Math.min(added, frame));
      }
      queue.finish('a');
      for (let i = 0; i < (added + 500) / QUANTUM + 10; i++) render();
      queue.settle(frame);
      expect(queue.playing).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('an item whose end is told only when it has run dry had no gap, and what follows it waits for nothing', () => {
  queue.add('a', ones(10));
  render();
  expect(queue.gaps).toBe(1);
  queue.finish('a');
  expect(queue.gaps).toBe(0);
  queue.add('b', ones(10));
  expect(render()[0]).toBe(1);
});
