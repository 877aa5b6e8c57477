import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RealClock, VirtualClock } from '../../actors/core/index.ts';
import { PaceWheel, PortPool, udpNetwork } from '../../protocols/rtp/index.ts';
import { kindOfDatagram, parseRtp, type RtpHeader, rtpPacket } from '../../protocols/rtp/packet.ts';
import { goodbye, parseRtcp, report } from '../../protocols/rtp/rtcp.ts';
import { SrtpStream } from '../../protocols/rtp/srtp.ts';
import { KeyReader, keyPackets } from '../../protocols/rtp/telephone-event.ts';
import { codeOfRejection } from '../support/code-of.ts';
import { DatagramNet } from '../support/datagram-net.ts';

const HEADER: RtpHeader = { payloadType: 0, marker: false, sequence: 7, timestamp: 160, ssrc: 0xca110001 };

describe('RTP packets', () => {
  it('come back as they were, with extension, sources and padding left out', () => {
    const packet = rtpPacket({ ...HEADER, marker: true }, Buffer.from('abc'));
    expect(parseRtp(packet)).toEqual({ ...HEADER, marker: true, payload: Buffer.from('abc') });
    const sources = Buffer.alloc(8);
    const extension = Buffer.from([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    const long = Buffer.concat([
      packet.subarray(0, 12),
      sources,
      extension,
      Buffer.from('abc'),
      Buffer.of(0, 2),
    ]);
    long[0] = 128 | 32 | 16 | 2;
    expect(parseRtp(long)?.payload.toString()).toBe('abc');
  });

  it('are refused where they say more than there is', () => {
    const packet = rtpPacket(HEADER, Buffer.from('abc'));
    for (const [at, value] of [
      [0, 128 | 15],
      [0, 128 | 16],
      [0, 64],
      [0, 128 | 32],
    ] as const) {
      const bad = Buffer.from(packet);
      bad[at] = value;
      if (value === (128 | 32)) bad[bad.length - 1] = 200;
      expect(parseRtp(bad)).toBeNull();
    }
    expect(parseRtp(packet.subarray(0, 11))).toBeNull();
  });

  it('are told from STUN and RTCP by their first bytes', () => {
    expect(kindOfDatagram(rtpPacket(HEADER, Buffer.alloc(160)))).toBe('rtp');
    expect(kindOfDatagram(goodbye(1, 'a'))).toBe('rtcp');
    // An APP packet (type 204), and a binding request as linphone sends it.
    expect(kindOfDatagram(Buffer.from('80cc000200000001', 'hex'))).toBe('rtcp');
    expect(kindOfDatagram(Buffer.from('000100002112a442000000000000000000000000', 'hex'))).toBe('stun');
    expect(kindOfDatagram(Buffer.from('\r\n\r\n'))).toBe('other');
  });
});

describe('RTCP', () => {
  it('says what it was given, and a name', () => {
    const block = {
      ssrc: 9,
      fractionLost: 0.25,
      lost: -3,
      highestSequence: 70_000,
      jitter: 16,
      lastSenderReport: 0x12345678,
      delaySince: 65_536,
    };
    const info = { ntpSeconds: 3_900_000_000, ntpFraction: 2 ** 31, timestamp: 5, packets: 6, bytes: 7 };
    const bytes = report(1, 'me@here', info, [block]);
    expect(bytes.length % 4).toBe(0);
    expect(bytes.includes('me@here')).toBe(true);
    const [sender, name] = parseRtcp(bytes)!;
    expect(sender).toEqual({ type: 'sender', ssrc: 1, info, blocks: [block] });
    expect(name).toEqual({ type: 'other', packetType: 202 });
    expect(parseRtcp(goodbye(1, 'me'))?.at(-1)).toEqual({ type: 'bye', ssrcs: [1] });
  });

  it('is read as far as it goes, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        parseRtcp(Buffer.from(bytes));
        parseRtp(Buffer.from(bytes));
        new KeyReader().read(0, Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('keys beside the sound', () => {
  // docs/spec/sip.md §2: twelve packets, the last three with the end bit; linphone gives those one number.
  it('are told once, by any of their packets', () => {
    const reader = new KeyReader();
    const packets = keyPackets('5', 200, 8000)!;
    expect(packets).toHaveLength(12);
    expect(packets.filter(({ payload }) => payload[1] & 128)).toHaveLength(3);
    expect(packets.map(({ payload }) => payload.readUInt16BE(2))).toEqual([
      ...[160, 320, 480, 640, 800, 960, 1120, 1280, 1440, 1600, 1600, 1600],
    ]);
    expect(packets.map(({ payload }) => reader.read(800, payload))).toEqual(['5', ...Array(11).fill(null)]);
    expect(reader.read(4000, packets[11].payload)).toBe('5');
    expect(reader.read(800, packets[11].payload)).toBeNull();
    expect(reader.read(9000, Buffer.of(16, 0, 0, 0))).toBeNull();
    expect(keyPackets('x', 100, 8000)).toBeNull();
    expect(keyPackets('', 100, 8000)).toBeNull();
  });
});

describe('SRTP', () => {
  // RFC 3711 appendix B.3: the session keys of this master key and salt.
  const MASTER = Buffer.from('E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6', 'hex');

  it('protects a packet as libsrtp does', () => {
    // The packet and its protected form of libsrtp's own test (test/srtp_driver.c, srtp_validate).
    const master = Buffer.from('e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6', 'hex');
    const plain = Buffer.from('800f1234decafbadcafebabeabababababababababababababababab', 'hex');
    const coded = '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb';
    const packet = new SrtpStream('AES_CM_128_HMAC_SHA1_80', master).protect(plain);
    expect(packet.toString('hex')).toBe(coded);
    expect(new SrtpStream('AES_CM_128_HMAC_SHA1_80', master).unprotect(packet)).toEqual(plain);
  });

  it.each(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const)(
    '%s: over a wrap, out of order, once each, and nothing that was touched',
    suite => {
      const [out, back] = [new SrtpStream(suite, MASTER), new SrtpStream(suite, MASTER)];
      const packets = Array.from({ length: 40 }, (_, n) =>
        out.protect(rtpPacket({ ...HEADER, sequence: (65_520 + n) & 0xffff }, Buffer.from(`packet ${n}`))),
      );
      const order = [0, 1, 3, 2, 10, 9, 20, 19, 18, 39, 30];
      for (const n of order)
        expect(parseRtp(back.unprotect(packets[n])!)?.payload.toString()).toBe(`packet ${n}`);
      for (const n of order) expect(back.unprotect(packets[n])).toBeNull();
      for (let at = 0; at < packets[25].length; at++) {
        const touched = Buffer.from(packets[25]);
        touched[at] ^= 1;
        expect(back.unprotect(touched)).toBeNull();
      }
      expect(back.unprotect(packets[25])).not.toBeNull();
      const compound = report(5, 'me', null, []);
      const coded = out.protectRtcp(compound);
      expect(back.unprotectRtcp(coded)).toEqual(compound);
      expect(back.unprotectRtcp(coded)).toBeNull();
      expect(back.unprotectRtcp(compound)).toBeNull();
    },
  );
});

describe('ports for calls', () => {
  it('are pairs, bounded, and come back', async () => {
    const net = new DatagramNet(new VirtualClock());
    await net.bind({ host: '10.0.0.1', port: 10_003 }, () => {});
    const pool = new PortPool(net, '10.0.0.1', { first: 10_001, last: 10_008 });
    const none = () => {};
    const first = await pool.take(none, none);
    expect([first.rtp.local.port, first.rtcp.local.port]).toEqual([10_004, 10_005]);
    const second = await pool.take(none, none);
    expect(second.rtp.local.port).toBe(10_006);
    expect(await codeOfRejection(pool.take(none, none))).toBe('rtp.no_ports');
    first.release();
    first.release();
    expect(pool.open).toBe(1);
    expect((await pool.take(none, none)).rtp.local.port).toBe(10_004);
    expect(net.open).toBe(5);
  });

  it('are real ones', async () => {
    const pool = new PortPool(udpNetwork, '127.0.0.1', null, 1);
    let came: (text: string) => void = () => {};
    const heard = new Promise<string>(resolve => (came = resolve));
    const pair = await pool.take(
      bytes => came(String(bytes)),
      () => {},
    );
    pair.rtcp.send(Buffer.from('hello'), pair.rtp.local);
    expect(await heard).toBe('hello');
    expect(
      await codeOfRejection(
        pool.take(
          () => {},
          () => {},
        ),
      ),
    ).toBe('rtp.no_ports');
    pair.release();
    expect(pool.open).toBe(0);
  });
});

describe('the wheel', () => {
  it('calls each member every 20 ms by the clock, spread over its slots, and stops when nobody is left', () => {
    const clock = new VirtualClock();
    const wheel = new PaceWheel(clock);
    const dues: number[][] = [];
    const leave = Array.from({ length: 25 }, (_, n) => {
      dues.push([]);
      return wheel.join({ tick: dueAtMs => void dues[n].push(dueAtMs), fault() {} });
    });
    clock.runForSync(999);
    for (const of of dues) {
      expect(of.length).toBe(50);
      for (let n = 1; n < of.length; n++) expect(of[n] - of[n - 1]).toBe(20);
    }
    const perSlot = new Map<number, number>();
    for (const [first] of dues) perSlot.set(first, (perSlot.get(first) ?? 0) + 1);
    expect(Math.max(...perSlot.values())).toBe(3);
    for (const out of leave) out();
    expect(wheel.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('makes good what a late wake-up missed, but no old burst; one that throws costs itself', () => {
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const wheel = new PaceWheel({
      nowMs: () => nowMs,
      setTimer: (_delay, callback) => {
        timers.push(callback);
        return { cancel() {} };
      },
    });
    const dues: number[] = [];
    const faults: unknown[] = [];
    wheel.join({ tick: dueAtMs => void dues.push(dueAtMs), fault() {} });
    wheel.join({
      tick() {
        throw new Error('of this call');
      },
      fault: error => void faults.push(error),
    });
    const wakeAt = (ms: number) => {
      nowMs = ms;
      timers.shift()!();
    };
    wakeAt(0);
    wakeAt(70);
    expect(dues).toEqual([0, 20, 40, 60]);
    wakeAt(2000);
    expect(dues.slice(4).length).toBeLessThanOrEqual(2);
    expect(dues.at(-1)).toBe(2000);
    expect(faults.length).toBeGreaterThan(0);
  });
});

describe('on the real clock', () => {
  it('sends fifty packets a second', async () => {
    const clock = new RealClock();
    const wheel = new PaceWheel(clock);
    let ticks = 0;
    await new Promise<void>(resolve => {
      const leave = wheel.join({
        tick: () => {
          if (++ticks < 10) return;
          leave();
          resolve();
        },
        fault() {},
      });
    });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(178);
  });
});
