import { describe, expect, it } from 'vitest';
import { createRandom, VirtualClock } from '../../actors/core/index.ts';
import type { MediaFormat } from '../../protocols/media/index.ts';
import {
  type HostPort,
  type MediaPlan,
  type MediaSockets,
  PaceWheel,
  type PayloadFormat,
  PortPool,
  RtpSession,
} from '../../protocols/rtp/index.ts';
import { parseRtp, type RtpHeader, rtpPacket } from '../../protocols/rtp/packet.ts';
import { parseRtcp, report } from '../../protocols/rtp/rtcp.ts';
import { SrtpStream } from '../../protocols/rtp/srtp.ts';
import { KeyReader, keyPackets } from '../../protocols/rtp/telephone-event.ts';
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

  // RFC 3389: a level of one byte; RFC 3551 §4.1: what is spoken after it begins with a marker.
  it('tells its silence as noise where that was agreed on, and only there', async () => {
    const { clock, came, session } = await line();
    clock.runForSync(1000);
    const quiet = came.map(({ bytes }) => parseRtp(bytes)!);
    expect(quiet.map(({ payloadType }) => payloadType)).toEqual([...Array(10).fill(0), 13, 13, 13, 13]);
    for (const { payload } of quiet.slice(10)) expect([...payload]).toEqual([70]);
    const gaps = quiet.slice(11).map(({ timestamp }, n) => timestamp - quiet[10 + n].timestamp);
    expect(gaps).toEqual([1600, 1600, 1600]);
    expect(quiet.slice(1).every(({ sequence }, n) => sequence === quiet[n].sequence + 1)).toBe(true);
    const before = came.length;
    session.play(Buffer.alloc(160, 1));
    session.play(Buffer.alloc(160, 2));
    clock.runForSync(100);
    const spoken = came.slice(before).map(({ bytes }) => parseRtp(bytes)!);
    const sound = spoken.filter(({ payloadType }) => payloadType === 0);
    expect(sound.map(({ marker, payload }) => [marker, payload[0]])).toEqual(
      [
        [true, 1],
        [false, 2],
      ].concat(Array(sound.length - 2).fill([false, 0xff])),
    );
    const without = await line({ comfortNoise: null });
    without.clock.runForSync(1000);
    expect(without.came.length).toBeGreaterThanOrEqual(49);
  });

  it('throws away what has not left, with its marks', async () => {
    const { clock, came, session, marks } = await line({ comfortNoise: null });
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
