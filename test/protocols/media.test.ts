import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ArrivalJitter,
  bytesOfBase64,
  bytesOfMs,
  CODECS,
  type CodecName,
  createAudioDecoder,
  createAudioEncoder,
  type Heard,
  JitterBuffer,
  msOfBytes,
  type Packet,
  SequenceUnwrapper,
} from '../../protocols/media/index.ts';

describe('codecs', () => {
  // G.711 tables 1a and 2a: the loudest values, the values next to zero, and a decision value within a segment, in
  // 16-bit steps.
  it.each([
    ['mu-law', 0x80, 32_124],
    ['mu-law', 0x00, -32_124],
    ['mu-law', 0xff, 0],
    ['mu-law', 0xce, 988],
    ['a-law', 0xaa, 32_256],
    ['a-law', 0x2a, -32_256],
    ['a-law', 0xd5, 8],
    ['a-law', 0x55, -8],
  ] as const)('reads the byte of %s %i as the recommendation has it', (codec, byte, value) => {
    expect(CODECS[codec].decode(Buffer.of(byte))[0] * 32_768).toBe(value);
    expect(CODECS[codec].encode(Float32Array.of(value / 32_768))[0]).toBe(byte);
  });

  it('knows how long bytes are, and what silence is', () => {
    for (const [codec, bytes] of [
      ['pcm16', 640],
      ['mu-law', 320],
      ['a-law', 320],
      ['g722', 160],
    ] as const) {
      const format = { codec, rateHz: 16_000 };
      expect(bytesOfMs(format, 20)).toBe(bytes);
      expect(msOfBytes(format, bytes)).toBe(20);
      // For long, too: a codec with a memory must not make a tone of it.
      const silence = Buffer.alloc(50 * bytes, CODECS[codec].silenceByte);
      for (const sample of CODECS[codec].decode(silence)) expect(Math.abs(sample)).toBeLessThan(1 / 2048);
    }
  });

  it('takes base64 and nothing that only looks like it', () => {
    expect(bytesOfBase64('//8=')).toEqual(Buffer.of(255, 255));
    for (const text of ['a', 'ab!d', 'ab d', 'äb==', 'abcde']) expect(bytesOfBase64(text)).toBeNull();
  });
});

describe('streams', () => {
  const FORMATS = (['pcm16', 'mu-law', 'a-law'] as const).flatMap(codec =>
    [8000, 16_000, 24_000, 48_000].map(rateHz => [codec, rateHz] as const),
  );
  const tone = (rateHz: number, samples: number) =>
    Float32Array.from({ length: samples }, (_, n) => 0.5 * Math.sin((2 * Math.PI * 440 * n) / rateHz));
  const snrDb = (actual: Float32Array, wanted: Float32Array) => {
    let [signal, error] = [0, 0];
    for (let n = 800; n < Math.min(actual.length, wanted.length) - 800; n++) {
      signal += wanted[n] ** 2;
      error += (actual[n] - wanted[n]) ** 2;
    }
    return 10 * Math.log10(signal / error);
  };

  it.each(FORMATS)('of %s at %i Hz keep a tone in time and in shape', (codec: CodecName, rateHz) => {
    const encoder = createAudioEncoder({ codec, rateHz });
    const samples = tone(24_000, 12_000);
    const parts = [];
    for (let at = 0; at < samples.length; at += 480) parts.push(encoder.push(samples.subarray(at, at + 480)));
    const bytes = Buffer.concat([...parts, encoder.finish()]);
    expect(msOfBytes({ codec, rateHz }, bytes.length)).toBe(500);
    const decoder = createAudioDecoder({ codec, rateHz });
    const heard: number[] = [];
    for (let at = 0; at < bytes.length; at += 333) heard.push(...decoder.push(bytes.subarray(at, at + 333)));
    // G.711 has about 38 dB; 16 bits are limited by the resampler's 90 dB.
    expect(snrDb(Float32Array.from(heard), tone(16_000, 8000))).toBeGreaterThan(codec === 'pcm16' ? 75 : 34);
  });
});

describe('a stream of G.722', () => {
  it('is one stream, however it is cut, and begins anew with each', () => {
    const samples = Float32Array.from(
      { length: 24_000 },
      (_, n) => 0.4 * Math.sin(n / 7) * Math.sin(n / 900),
    );
    const format = { codec: 'g722', rateHz: 16_000 } as const;
    const encoded = (pieces: number) => {
      const encoder = createAudioEncoder(format);
      const parts = [];
      for (let at = 0; at < samples.length; at += pieces)
        parts.push(encoder.push(samples.subarray(at, at + pieces)));
      return Buffer.concat([...parts, encoder.finish()]);
    };
    const bytes = encoded(480);
    expect(msOfBytes(format, bytes.length)).toBe(1000);
    expect(encoded(1111).equals(bytes)).toBe(true);
    const decoder = createAudioDecoder(format);
    const whole = createAudioDecoder(format).push(bytes);
    const parts = [];
    for (let at = 0; at < bytes.length; at += 99) parts.push(...decoder.push(bytes.subarray(at, at + 99)));
    expect(parts).toEqual([...whole]);
  });
});

describe('numbers that wrap', () => {
  it('go on beyond 16 and 32 bits, forwards and back', () => {
    const sequence = new SequenceUnwrapper(16);
    expect([65_534, 65_535, 0, 65_535, 2, 1].map(value => sequence.unwrap(value))).toEqual([
      65_534, 65_535, 65_536, 65_535, 65_538, 65_537,
    ]);
    const timestamp = new SequenceUnwrapper(32);
    expect([4_294_967_136, 0, 160].map(value => timestamp.unwrap(value))).toEqual([
      4_294_967_136, 4_294_967_296, 4_294_967_456,
    ]);
  });

  it('are what they were, whatever the order within half a turn', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.integer({ min: -300, max: 300 }), { maxLength: 200 }),
        (start, steps) => {
          const unwrapper = new SequenceUnwrapper(10);
          const offset = start - unwrapper.unwrap(start % 1024);
          let [value, highest] = [start, start];
          for (const step of steps) {
            value = Math.max(start, highest - 511, value + step);
            highest = Math.max(highest, value);
            expect(unwrapper.unwrap(value % 1024) + offset).toBe(value);
          }
        },
      ),
    );
  });
});

describe('arrival jitter', () => {
  it('is none of a steady stream, however late', () => {
    const jitter = new ArrivalJitter();
    for (let n = 0; n < 100; n++) jitter.arrived(n * 20, 300 + n * 20);
    expect(jitter.ms).toBe(0);
  });

  // RFC 3550 §6.4.1: J(i) = J(i−1) + (|D(i−1,i)| − J(i−1)) / 16.
  it('follows the formula of RFC 3550', () => {
    const jitter = new ArrivalJitter();
    jitter.arrived(0, 0);
    jitter.arrived(20, 36);
    expect(jitter.ms).toBe(1);
    jitter.arrived(40, 40);
    expect(jitter.ms).toBe(1 + (16 - 1) / 16);
    for (let n = 3; n < 400; n++) jitter.arrived(n * 20, n * 20 + (n % 2) * 16);
    expect(jitter.ms).toBeCloseTo(16, 5);
  });
});

describe('the jitter buffer', () => {
  const packet = (sequence: number, mediaMs = sequence * 20): Packet => ({
    ...{ sequence, mediaMs, durationMs: 20 },
    payload: Buffer.from(String(sequence)),
  });
  const shown = (heard: Heard[]) =>
    heard.map(one => (one.type === 'sound' ? String(one.payload) : `${one.type} ${one.ms}`));

  it('lets through at once what is in order', () => {
    const buffer = new JitterBuffer();
    for (let n = 5; n < 20; n++) expect(shown(buffer.push(packet(n), n * 20))).toEqual([String(n)]);
    expect(buffer.dueAtMs).toBeNull();
  });

  it('waits behind a hole as long as arrivals scatter, at least 20 ms and at most 200', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(0), 0);
    expect(buffer.push(packet(2), 40)).toEqual([]);
    expect(buffer.dueAtMs).toBe(60);
    expect(buffer.due(59)).toEqual([]);
    expect(shown(buffer.due(60))).toEqual(['lost 20', '2']);
    expect(buffer.counts).toMatchObject({ lost: 1, late: 0 });
    for (let n = 3; n < 300; n++) buffer.push(packet(n), n * 20 + (n % 2) * 90);
    expect(buffer.waitMs).toBe(200);
  });

  it('puts right what comes in time, and drops what comes late or twice', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(0), 0);
    expect(buffer.push(packet(2), 20)).toEqual([]);
    expect(buffer.push(packet(2), 21)).toEqual([]);
    expect(shown(buffer.push(packet(1), 22))).toEqual(['1', '2']);
    expect(buffer.push(packet(1), 40)).toEqual([]);
    expect(buffer.counts).toEqual({ lost: 0, late: 1, duplicate: 1, reordered: 1, overflowed: 0 });
  });

  // docs/spec/sip.md §2: a call that was held goes on with the next sequence number and a timestamp that has jumped.
  it('takes a jump of the time without a hole for silence, not for loss', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(0), 0);
    expect(shown(buffer.push(packet(1, 5020), 5020))).toEqual(['gap 5000', '1']);
    expect(buffer.counts.lost).toBe(0);
  });

  it('begins anew where the numbers do', () => {
    const buffer = new JitterBuffer();
    for (let n = 50_000; n < 50_010; n++) buffer.push(packet(n), 0);
    expect(shown(buffer.push(packet(0), 20))).toEqual(['0']);
  });

  // RFC 4733: keys share the numbers of the sound they are sent beside (docs/spec/sip.md §2, baresip).
  it('takes numbers without sound for no sound and no loss, and knows what was lost before them', () => {
    const buffer = new JitterBuffer();
    const key = (sequence: number): Packet => ({ ...packet(sequence, 20), durationMs: 0 });
    expect(shown(buffer.push(packet(0, 0), 0))).toEqual(['0']);
    expect(shown(buffer.push(key(1), 10))).toEqual([]);
    expect(shown(buffer.push(packet(2, 20), 20))).toEqual(['2']);
    // 3 is lost, 4 is a key, and what follows begins 20 ms later than it would.
    expect(shown(buffer.push(key(4), 60))).toEqual([]);
    expect(shown(buffer.due(buffer.dueAtMs!))).toEqual([]);
    expect(shown(buffer.push(packet(5, 60), 81))).toEqual(['lost 20', '5']);
    expect(buffer.counts).toMatchObject({ lost: 1, late: 0 });
  });

  it('counts silence that was made meanwhile when the stream goes on', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(0), 0);
    expect(shown(buffer.fill(300))).toEqual(['gap 300']);
    expect(shown(buffer.push(packet(1, 420), 420))).toEqual(['gap 100', '1']);
    expect(shown(buffer.fill(500))).toEqual(['gap 500']);
    // More was made than was not sent: the stream is taken as it comes.
    expect(shown(buffer.push(packet(2, 640), 950))).toEqual(['2']);
  });

  it('takes another stream from its beginning, and gives what waited first', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(7), 0);
    expect(shown(buffer.push(packet(9), 20))).toEqual([]);
    expect(shown(buffer.restart())).toEqual(['lost 20', '9']);
    expect(shown(buffer.push(packet(3), 40))).toEqual(['3']);
    expect(shown(buffer.push(packet(5), 60))).toEqual([]);
    expect(shown(buffer.push(packet(50_000), 61))).toEqual(['lost 20', '5', '50000']);
  });

  it('gives every packet once, in order, and accounts for every millisecond, whatever the network does', () => {
    const arrival = fc.record({
      lost: fc.boolean(),
      delayMs: fc.integer({ min: 0, max: 400 }),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 1, maxLength: 120 }), fates => {
        const buffer = new JitterBuffer();
        const arrivals = fates
          .flatMap(({ lost, delayMs, twice }, n) => {
            const first = { n, atMs: n * 20 + (n === 0 ? 0 : delayMs) };
            return lost && n > 0 ? [] : twice ? [first, { n, atMs: first.atMs + 5 }] : [first];
          })
          .sort((a, b) => a.atMs - b.atMs || a.n - b.n);
        const heard: Heard[] = [];
        for (const { n, atMs } of arrivals) {
          while (buffer.dueAtMs !== null && buffer.dueAtMs <= atMs) heard.push(...buffer.due(buffer.dueAtMs));
          heard.push(...buffer.push(packet(n), atMs));
        }
        heard.push(...buffer.drain());
        const order = heard.flatMap(one => (one.type === 'sound' ? [Number(String(one.payload))] : []));
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
        const first = order[0];
        const ms = heard.reduce((sum, one) => sum + (one.type === 'sound' ? 20 : one.ms), 0);
        expect(ms).toBe((order[order.length - 1] - first + 1) * 20);
        expect(order.length + buffer.counts.lost).toBe(order[order.length - 1] - first + 1);
        expect(order.length + buffer.counts.late + buffer.counts.duplicate).toBe(arrivals.length);
      }),
      { numRuns: 300 },
    );
  });

  it('holds no more than its bound behind one hole', () => {
    const buffer = new JitterBuffer();
    buffer.push(packet(0), 0);
    for (let n = 2; n < 200; n++) buffer.push(packet(n), 20);
    expect(buffer.counts.overflowed).toBe(1);
    expect(buffer.counts.lost).toBe(1);
  });
});
