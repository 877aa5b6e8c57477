import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, RealClock, VirtualClock } from '../../actors/core/index.ts';
import type { MediaFormat } from '../../protocols/media/index.ts';
import {
  type HostPort,
  type MediaPlan,
  type MediaSockets,
  PaceWheel,
  type PayloadFormat,
  PortPool,
  RtpSession,
  udpNetwork,
} from '../../protocols/rtp/index.ts';
import { kindOfDatagram, parseRtp, type RtpHeader, rtpPacket } from '../../protocols/rtp/packet.ts';
import { goodbye, parseRtcp, report } from '../../protocols/rtp/rtcp.ts';
import { SrtpStream } from '../../protocols/rtp/srtp.ts';
import { KeyReader, keyPackets } from '../../protocols/rtp/telephone-event.ts';
import { codeOfRejection } from '../support/code-of.ts';
import { DatagramNet } from '../support/datagram-net.ts';

const HEADER: RtpHeader = { payloadType: 0, marker: false, sequence: 7, timestamp: 160, ssrc: 0xca110001 };
const PCMU = { format: { codec: 'mu-law', rateHz: 8000 }, clockRateHz: 8000 } as const;
const PCMA = { format: { codec: 'a-law', rateHz: 8000 }, clockRateHz: 8000 } as const;
const PEER: HostPort = { host: '10.0.0.2', port: 6000 };
const PLAN: MediaPlan = {
  remote: PEER,
  remoteRtcp: { ...PEER, port: PEER.port + 1 },
  direction: 'sendrecv',
  formats: new Map<number, PayloadFormat>([
    [0, PCMU],
    [8, PCMA],
  ]),
  payloadType: 0,
  keys: { payloadType: 101, clockRateHz: 8000 },
  comfortNoise: 13,
  rtcpMux: false,
  srtp: null,
};

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

/** One session, and a peer that is only packets. */
async function line(plan: Partial<MediaPlan> = {}) {
  const clock = new VirtualClock();
  const net = new DatagramNet(clock);
  const pool = new PortPool(net, '10.0.0.1', { first: 9000, last: 9100 });
  const got: string[] = [];
  const marks: [string, number][] = [];
  const came: { bytes: Buffer; atMs: number }[] = [];
  const reports: Buffer[] = [];
  let session: RtpSession | null = null;
  const sockets: MediaSockets = await pool.take(
    (bytes, from) => session?.onRtp(bytes, from),
    (bytes, from) => session?.onRtcp(bytes, from),
  );
  let silent = 0;
  session = new RtpSession({
    ...{ sockets, clock, unixTimeMs: () => clock.nowMs(), random: createRandom(1), cname: 'agent' },
    wheel: new PaceWheel(clock),
    sink: {
      packet: ({ sequence, mediaMs, payload }) =>
        void got.push(payload.length === 0 ? `${sequence} –` : `${sequence} ${mediaMs}`),
      key: key => void got.push(`key ${key}`),
      format: ({ codec }: MediaFormat) => void got.push(codec),
      quiet: ms => void got.push(`quiet ${ms}`),
      restarted: () => void got.push('restarted'),
    },
    onMark: name => void marks.push([name, clock.nowMs()]),
    onSilent: () => void silent++,
    onFault: error => {
      throw error;
    },
  });
  const peerAt = (at: HostPort) => net.bind(at, bytes => void came.push({ bytes, atMs: clock.nowMs() }));
  const peer = await peerAt(PEER);
  const rtcp = await net.bind({ ...PEER, port: PEER.port + 1 }, bytes => void reports.push(bytes));
  session.use({ ...PLAN, ...plan });
  const send = (over: Partial<RtpHeader>, payload: Buffer = Buffer.alloc(160), from = peer) =>
    from.send(rtpPacket({ ...HEADER, ...over }, payload), sockets.rtp.local);
  const counts = { silent: () => silent };
  return { clock, net, got, marks, came, reports, session, sockets, peerAt, peer, rtcp, send, pool, counts };
}

const SILENT = Buffer.alloc(160, 0xff);

describe('an RTP session', () => {
  it('sends a steady stream from the first moment: silence, and sound where there is some', async () => {
    const { clock, came, session, marks } = await line();
    clock.runForSync(100);
    session.play(Buffer.alloc(160, 1));
    session.play(Buffer.alloc(160, 2));
    session.mark('m1');
    clock.runForSync(200);
    const packets = came.map(({ bytes }) => parseRtp(bytes)!);
    expect(packets.length).toBe(15);
    const spaced = packets
      .slice(1)
      .every(
        ({ sequence, timestamp }, n) =>
          sequence === packets[n].sequence + 1 && timestamp === packets[n].timestamp + 160,
      );
    expect(spaced).toBe(true);
    expect(packets.map(({ marker }) => marker)).toEqual([true, ...Array(14).fill(false)]);
    const sound = packets.flatMap(({ payload }, n) => (payload.equals(SILENT) ? [] : [[n, payload[0]]]));
    expect(sound.map(([, value]) => value)).toEqual([1, 2]);
    expect(sound[1][0] - sound[0][0]).toBe(1);
    // Heard: sent, played for 20 ms, and 60 ms of way as long as nothing is known.
    const leftAtMs = came[sound[1][0]].atMs - 5;
    expect(marks).toHaveLength(1);
    expect(marks[0][1] - leftAtMs).toBeGreaterThanOrEqual(80);
    expect(marks[0][1] - leftAtMs).toBeLessThanOrEqual(100);
  });

  it('throws away what has not left, with its marks', async () => {
    const { clock, came, session, marks } = await line();
    for (let n = 0; n < 5; n++) session.play(Buffer.alloc(160, 3));
    session.mark('gone');
    session.clear();
    clock.runForSync(300);
    expect(came.every(({ bytes }) => parseRtp(bytes)!.payload.equals(SILENT))).toBe(true);
    expect(marks).toEqual([]);
  });

  it('takes a stream from any packet on, and never needs a marker', async () => {
    const { clock, got, send } = await line();
    send({ sequence: 500, timestamp: 80_000 });
    clock.runForSync(20);
    expect(got).toEqual(['mu-law', '500 10000']);
  });

  it('hears keys once beside the sound, whatever numbers their ends have', async () => {
    const { clock, got, send } = await line();
    send({ sequence: 1, timestamp: 0 });
    const packets = keyPackets('7', 60, 8000)!;
    packets.forEach(({ payload, marker }, n) => {
      const sequence = 2 + Math.min(n, 2);
      send({ sequence, timestamp: 160, payloadType: 101, marker }, payload);
    });
    send({ sequence: 5, timestamp: 320 });
    clock.runForSync(20);
    expect(got).toEqual(['mu-law', '1 0', '2 –', 'key 7', '3 –', '4 –', '5 40']);
  });

  it('makes silence by the clock where nothing comes, at once where the peer said so', async () => {
    const { clock, got, send } = await line();
    send({ sequence: 1, timestamp: 0 });
    clock.runForSync(300);
    expect(got.slice(2).reduce((sum, text) => sum + Number(text.split(' ')[1]), 0)).toBeGreaterThanOrEqual(
      280,
    );
    expect(got[2]).toMatch(/^quiet 2\d\d/);
    got.length = 0;
    send({ sequence: 2, timestamp: 2400 });
    send({ sequence: 3, timestamp: 2560, payloadType: 13 }, Buffer.of(60));
    clock.runForSync(100);
    expect(got.slice(0, 2)).toEqual(['2 300', '3 –']);
    expect(Number(got[2].split(' ')[1])).toBeLessThan(70);
  });

  it('sends to where sound comes from, and lets nobody else into a call that is alive', async () => {
    const { clock, came, got, peerAt, send, session } = await line();
    const stranger = await peerAt({ host: '6.6.6.6', port: 6666 });
    const behindNat = await peerAt({ host: '10.0.0.9', port: 7777 });
    send({ sequence: 1 }, Buffer.alloc(160), behindNat);
    clock.runForSync(40);
    expect(session.source).toEqual({ host: '10.0.0.9', port: 7777 });
    const before = came.length;
    clock.runForSync(40);
    expect(came.length).toBe(before + 2);
    send({ sequence: 9, ssrc: 1 }, Buffer.alloc(160), stranger);
    clock.runForSync(20);
    expect(session.stats.strangers).toBe(1);
    expect(got).not.toContain('restarted');
    // The announced address may always speak.
    send({ sequence: 2 });
    clock.runForSync(20);
    expect(session.source).toEqual(PEER);
    // And after a second of nothing, whoever comes.
    clock.runForSync(1200);
    send({ sequence: 3 }, Buffer.alloc(160), stranger);
    clock.runForSync(20);
    expect(session.source?.host).toBe('6.6.6.6');
  });

  it('begins anew with another source, also with one that was there before', async () => {
    const { clock, got, send, session } = await line();
    for (const ssrc of [5, 6, 5]) {
      send({ sequence: 0, timestamp: 0, ssrc });
      send({ sequence: 1, timestamp: 160, ssrc });
      clock.runForSync(1500);
    }
    expect(got.filter(text => !text.startsWith('quiet'))).toEqual([
      ...['mu-law', '0 0', '1 20', 'restarted', '0 0', '1 20', 'restarted', '0 0', '1 20'],
    ]);
    expect(session.stats.sources).toBe(3);
  });

  it('changes its codec when the peer does', async () => {
    const { clock, got, send } = await line();
    send({ sequence: 1 });
    send({ sequence: 2, payloadType: 8, timestamp: 320 });
    send({ sequence: 3, payloadType: 77, timestamp: 480 });
    clock.runForSync(20);
    expect(got).toEqual(['mu-law', '1 20', 'a-law', '2 40']);
  });

  it('neither sends nor listens on hold, makes silence, and begins with a marker again', async () => {
    const { clock, came, got, send, session, counts } = await line();
    send({ sequence: 1 });
    clock.runForSync(40);
    session.use({ ...PLAN, direction: 'inactive' });
    const before = came.length;
    send({ sequence: 2, timestamp: 320 });
    clock.runForSync(61_000);
    expect(came.length - before).toBeLessThanOrEqual(1);
    expect(got).not.toContain('2 40');
    expect(counts.silent()).toBe(0);
    const silence = got.flatMap(text => (text.startsWith('quiet') ? [Number(text.split(' ')[1])] : []));
    expect(silence.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(60_000);
    session.use(PLAN);
    clock.runForSync(40);
    const packets = came.map(({ bytes }) => parseRtp(bytes)!);
    expect(packets.at(-2)!.marker || packets.at(-1)!.marker).toBe(true);
    // Sequence goes on, time has jumped by as much as it stood (docs/spec/sip.md §2).
    const [last, first] = [packets[before - 1], packets.findLast(({ marker }) => marker)!];
    expect(first.sequence - last.sequence).toBeLessThanOrEqual(2);
    expect(first.timestamp - last.timestamp).toBeGreaterThan(60_000 * 8);
  });

  it('reports every few seconds, takes reports before any sound, and knows the way from them', async () => {
    const { clock, reports, rtcp, send, session, sockets } = await line();
    rtcp.send(Buffer.from('80cc000200000001', 'hex'), sockets.rtcp.local);
    for (let n = 0; n < 400; n++) {
      if (n % 10 !== 3) send({ sequence: n, timestamp: n * 160 });
      clock.runForSync(20);
    }
    const [first] = parseRtcp(reports[0])!;
    if (first.type !== 'sender') throw new Error('no sender report');
    expect(first.blocks[0].ssrc).toBe(HEADER.ssrc);
    expect(first.blocks[0].fractionLost).toBeCloseTo(0.1, 1);
    const middle = ((first.info.ntpSeconds & 0xffff) * 65_536 + (first.info.ntpFraction >>> 16)) >>> 0;
    const sentAtMs = (first.info.ntpSeconds - 2_208_988_800 + first.info.ntpFraction / 2 ** 32) * 1000;
    const block = {
      ssrc: session.sender.ssrc,
      ...{ fractionLost: 0.5, lost: 1, highestSequence: 1, jitter: 0, lastSenderReport: middle },
      delaySince: ((clock.nowMs() - sentAtMs - 85) * 65_536) / 1000,
    };
    rtcp.send(report(HEADER.ssrc, 'peer', null, [block]), sockets.rtcp.local);
    clock.runForSync(10);
    expect(session.stats.roundTripMs).toBeGreaterThan(80);
    expect(session.stats.roundTripMs).toBeLessThan(100);
    expect(session.sender.latencyMs).toBeCloseTo(session.stats.roundTripMs! / 2 + 40, 5);
    expect(session.stats.farLoss).toBe(0.5);
  });

  it('sends keys as packets of one time, and sound goes on after them', async () => {
    const { clock, came, session } = await line();
    expect(session.sender.sendKey('4')).toBe(true);
    expect(session.sender.sendKey('x')).toBe(false);
    clock.runForSync(400);
    const keys = came.map(({ bytes }) => parseRtp(bytes)!).filter(({ payloadType }) => payloadType === 101);
    expect(keys).toHaveLength(8);
    expect(new Set(keys.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(new KeyReader().read(0, keys[0].payload)).toBe('4');
  });

  it('says that the line is dead, ends a flood, and gives its ports back', async () => {
    const { clock, counts, net, pool, send, session, reports } = await line();
    const before = net.open;
    for (let n = 0; n < 1000; n++) send({ sequence: n, timestamp: n * 160 });
    clock.runForSync(10);
    expect(session.stats.floods).toBe(600);
    clock.runForSync(61_000);
    expect(counts.silent()).toBe(1);
    session.close();
    session.close();
    expect(pool.open).toBe(0);
    expect(net.open).toBe(before - 2);
    clock.runForSync(100);
    expect(parseRtcp(reports.at(-1)!)?.at(-1)?.type).toBe('bye');
    expect(clock.pending).toBe(0);
  });

  it('speaks SRTP where it was agreed on, and hears nothing else', async () => {
    const key = (byte: number) =>
      ({ suite: 'AES_CM_128_HMAC_SHA1_80', master: Buffer.alloc(30, byte) }) as const;
    const { clock, came, got, peer, send, session, sockets } = await line({
      srtp: { send: key(1), receive: key(2) },
    });
    send({ sequence: 1 });
    clock.runForSync(50);
    expect(got).toEqual([]);
    expect(session.stats.forged).toBe(1);
    const theirs = new SrtpStream('AES_CM_128_HMAC_SHA1_80', Buffer.alloc(30, 2));
    peer.send(theirs.protect(rtpPacket(HEADER, Buffer.alloc(160))), sockets.rtp.local);
    clock.runForSync(50);
    expect(got).toEqual(['mu-law', '7 20']);
    const ours = new SrtpStream('AES_CM_128_HMAC_SHA1_80', Buffer.alloc(30, 1));
    expect(came.every(({ bytes }) => parseRtp(ours.unprotect(bytes)!)!.payload.equals(SILENT))).toBe(true);
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
