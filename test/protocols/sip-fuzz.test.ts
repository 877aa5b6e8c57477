/** Short runs of `npm run fuzz -- --sip` and `-- --carriers`. */
import { expect, it } from 'vitest';
import { fuzzCarriers } from '../fuzz/carriers.ts';
import { fuzzSip } from '../fuzz/sip.ts';

it('spoilt messages and packets cost nothing but themselves, and leave nothing behind', async () => {
  const { faults, stuck, leftOver, calls, answers, probes } = await fuzzSip({ seed: 5, messages: 1000 });
  expect({ faults, stuck, leftOver }).toEqual({ faults: [], stuck: 0, leftOver: 0 });
  expect(probes).toBe(2);
  // The way of a call is among what is fuzzed, and its refusals are reached.
  expect(calls).toBeGreaterThan(10);
  for (const status of ['200', '481', '488']) expect(Object.keys(answers)).toContain(status);
}, 120_000);

it('spoilt frames of carriers cost nothing but themselves or their call', async () => {
  const { calls, closed, faults, frames, leftOver, stuck } = await fuzzCarriers({ seed: 5, frames: 3000 });
  expect({ faults, stuck, leftOver }).toEqual({ faults: [], stuck: 0, leftOver: 0 });
  expect(frames).toBeGreaterThanOrEqual(3000);
  expect(calls).toBeGreaterThan(10);
  expect(Object.keys(closed).length).toBeGreaterThan(1);
}, 120_000);
