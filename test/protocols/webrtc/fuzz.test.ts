/** A short run of `npm run fuzz -- --webrtc`. */
import { expect, it } from 'vitest';
import { fuzzRtc } from '../../fuzz/rtc-inputs.ts';

it('nothing that comes over a call breaks it', async () => {
  const report = await fuzzRtc(1, 4000);
  expect(report.faults).toEqual([]);
  // It got somewhere.
  expect(report.offers).toBeGreaterThan(5);
  expect(report.soundMs).toBeGreaterThan(10_000);
});
