import { describe, expect, it } from 'vitest';
import { withOwnBuffers } from '../../kernels/engine/worker-protocol.ts';

describe('a message to another thread', () => {
  const sent = <T>(value: T): T => structuredClone(withOwnBuffers(value));

  it('carries the part that a view shows, not the whole buffer behind it', () => {
    const samples = Float32Array.from({ length: 16_000 }, (_, i) => i);
    const batch = [
      { stream: 1, samples: samples.subarray(320, 640), positions: { ids: new Int32Array(8).subarray(2) } },
    ];
    const [work] = sent(batch);
    expect(work.samples).toEqual(samples.slice(320, 640));
    expect([work.samples.buffer.byteLength, work.positions.ids.buffer.byteLength]).toEqual([1280, 24]);
    // The sender's own stays as it was.
    expect(batch[0].samples.buffer).toBe(samples.buffer);
  });

  it('is the same where nothing is a part, and where memory is shared', () => {
    const shared = new Int32Array(new SharedArrayBuffer(16)).subarray(1);
    const whole = { a: [new Float32Array(4), null, 'text', undefined], b: { c: 1 }, shared };
    expect(withOwnBuffers(whole)).toBe(whole);
    expect(sent(new Uint8Array([1, 2, 3]).subarray(1))).toEqual(Uint8Array.of(2, 3));
  });
});
