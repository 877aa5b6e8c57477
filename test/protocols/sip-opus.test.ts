/** Opus over SIP (RFC 7587): what is agreed on, and a call whose telephone has a libopus of its own. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  isSameFormat,
  type LineFormat,
  lineDecoder,
  lineEncoder,
  loadOpus,
  OpusVoice,
  opusPacketMs,
  type TunableOpusLibrary,
} from '../../protocols/media/index.ts';
import { parseRtp, type RtpPacket, rtpPacket } from '../../protocols/rtp/packet.ts';
import { callCodecs } from '../../protocols/sip/call-codecs.ts';
import type { SipCodec } from '../../protocols/sip/codecs.ts';
import { answerOffer, makeOffer, type Ours, readAnswer, sdpOf } from '../../protocols/sip/offer-answer.ts';
import { offer, opusOffer, PHONE, SipRig } from '../support/sip-phone.ts';

const TICKS = 960;
const ALL: readonly SipCodec[] = ['opus', 'g722', 'pcmu', 'pcma'];
let library: TunableOpusLibrary;
let voice: OpusVoice;
beforeAll(async () => {
  library = await loadOpus();
  voice = await OpusVoice.of(library);
});

const energy = (samples: Float32Array) => samples.reduce((sum, one) => sum + one * one, 0) / samples.length;

/** Something like a voice, 24 kHz. */
const buzz = (ms: number) =>
  Float32Array.from({ length: ms * 24 }, (_, i) => {
    const pitch = (2 * Math.PI * 140 * i) / 24_000;
    return 0.15 * (Math.sin(pitch) + 0.6 * Math.sin(2 * pitch) + 0.4 * Math.sin(5 * pitch));
  });

describe('offer and answer with Opus', () => {
  const ours = (codecs: readonly SipCodec[] = ALL, opus: OpusVoice | null = voice): Ours => ({
    ...{ codecs, opus, rtp: { host: '10.0.0.1', port: 20_000 }, rtcpPort: 20_001, id: '1', version: 1 },
    master: () => Buffer.alloc(30, 1),
  });
  const answered = (text: string, mine = ours()) => answerOffer(sdpOf(Buffer.from(text))!, mine)!;

  it('takes the peer’s number for it, its clock of 48 kHz, and says what it wants itself', () => {
    const { plan, sdp } = answered(opusOffer());
    expect(plan.payloadType).toBe(111);
    expect(plan.formats.get(111)).toEqual({ format: voice.format, clockRateHz: 48_000 });
    expect(sdp).toContain('a=rtpmap:111 opus/48000/2');
    expect(sdp).toContain('a=fmtp:111 maxplaybackrate=16000;stereo=0;useinbandfec=1');
  });

  it('takes keys by the clock of 48 kHz where there are any, else by that which is offered', () => {
    const both = opusOffer({ keys: ['101 telephone-event/8000', '100 telephone-event/48000'] });
    expect(answered(both).plan.keys).toEqual({ payloadType: 100, clockRateHz: 48_000 });
    const { plan, sdp } = answered(opusOffer());
    expect(plan.keys).toEqual({ payloadType: 101, clockRateHz: 8000 });
    expect(sdp).toContain('a=rtpmap:101 telephone-event/8000');
  });

  it('reads what the far decoder wants', () => {
    const fmtp = 'minptime=10; useinbandfec=1;maxaveragebitrate=16000; maxplaybackrate=8000;cbr=1';
    expect(answered(opusOffer({ fmtp })).opusWishes).toEqual({
      ...{ maxBitrate: 16_000, fec: true, maxPlaybackHz: 8000, constantBitrate: true },
    });
    expect(answered(opusOffer({ fmtp: 'maxaveragebitrate=none' })).opusWishes).toEqual({
      ...{ maxBitrate: null, fec: false, maxPlaybackHz: 48_000, constantBitrate: false },
    });
    expect(answered(offer()).opusWishes).toBeNull();
  });

  it('is neither offered nor taken where there is none, or nobody wants it', () => {
    expect(answered(opusOffer(), ours(ALL, null)).plan.payloadType).toBe(0);
    expect(answered(opusOffer(), ours(['pcmu'])).plan.payloadType).toBe(0);
    expect(makeOffer(ours(ALL, null))).not.toContain('opus');
  });

  it('is offered with keys at both clocks, and the answer is read', () => {
    const made = makeOffer(ours());
    expect(made).toContain('RTP/AVP 96 9 0 8 100 101');
    expect(made).toContain('a=rtpmap:100 telephone-event/48000');
    const back = answered(made, { ...ours(), rtp: { host: '10.0.0.2', port: 7000 } });
    const agreed = readAnswer(sdpOf(Buffer.from(back.sdp))!, ours())!;
    expect(agreed.plan.payloadType).toBe(96);
    expect(agreed.plan.keys).toEqual({ payloadType: 100, clockRateHz: 48_000 });
    expect(agreed.opusWishes).toMatchObject({ fec: true, maxPlaybackHz: 16_000 });
  });

  it('goes on without its library, and says so; where nothing is left it is an error', async () => {
    const load = () => Promise.reject(new Error('Cannot find package'));
    const told: string[] = [];
    const { library: none, names } = await callCodecs(ALL, why => told.push(why), load);
    expect([none, names, told]).toEqual([null, ['g722', 'pcmu', 'pcma'], ['Cannot find package']]);
    await expect(callCodecs(['opus'], () => {}, load)).rejects.toMatchObject({ code: 'sip.no_codec' });
  });
});

describe('the sound of a line with Opus', () => {
  const frames = (samples: Float32Array, format: LineFormat = voice.format) => {
    const encoder = lineEncoder(format, 20);
    return [...encoder.push(samples), ...encoder.finish()];
  };

  it('comes back as it went, whatever the pieces, and ends in a whole frame', () => {
    const samples = buzz(210);
    const encoder = lineEncoder(voice.format, 20);
    const packets: Buffer[] = [];
    for (let at = 0; at < samples.length; at += 333)
      packets.push(...encoder.push(samples.subarray(at, at + 333)));
    expect(encoder.isEmpty).toBe(false);
    packets.push(...encoder.finish());
    expect(encoder.isEmpty).toBe(true);
    expect(packets.map(opusPacketMs)).toEqual(Array(11).fill(20));
    const decoder = lineDecoder(voice.format);
    const heard = packets.map(packet => decoder.sound(packet)!);
    expect(heard.every(({ length }) => length === 320)).toBe(true);
    expect(energy(heard[6]) / energy(samples)).toBeGreaterThan(0.8);
    expect(energy(heard[6]) / energy(samples)).toBeLessThan(1.2);
  });

  // An encoder leans on what it sent before; a decoder that heard silence in between must not click for it.
  it('begins anew behind silence, which the decoder forgets all over', async () => {
    const silence = Buffer.from([0xf8, 0xff, 0xfe]);
    /** How far the first frame behind silence is from what the encoder meant. */
    const off = async (isFresh: boolean) => {
      const one = await OpusVoice.of(library);
      const encoder = lineEncoder(one.format, 20);
      const before = encoder.push(buzz(400));
      if (isFresh) encoder.finish();
      const [packet] = encoder.push(buzz(20));
      const [meant, heard] = await Promise.all([library.decoder(), library.decoder()]);
      for (const each of before) for (const decoder of [meant, heard]) decoder.decode(each);
      for (const decoder of [heard, heard]) decoder.decode(silence);
      const [wanted, got] = [meant.decode(packet)!, heard.decode(packet)!];
      for (const each of [one, meant, heard]) each.free();
      return energy(wanted.map((sample, i) => sample - got[i])) / energy(wanted);
    };
    const [fresh, leaning] = [await off(true), await off(false)];
    expect(fresh).toBeLessThan(leaning / 2);
  });

  it('fills a hole: the last of it from the next packet, the rest made up, and what would drone is silence', async () => {
    const one = await OpusVoice.of(library);
    one.use({ maxBitrate: null, fec: true, maxPlaybackHz: 16_000, constantBitrate: false });
    const packets = frames(buzz(600), one.format);
    const decoder = lineDecoder(one.format);
    for (const packet of packets.slice(0, 12)) decoder.sound(packet);
    const { pieces, silentMs } = decoder.lost(60, packets[15]);
    expect(silentMs).toBe(0);
    expect(pieces.map(({ lost, samples }) => [lost, samples.length])).toEqual([
      ...[
        [true, 320],
        [true, 320],
        [false, 320],
      ],
    ]);
    expect(energy(pieces[2].samples)).toBeGreaterThan(energy(buzz(20)) / 10);
    expect(decoder.lost(1000, null).silentMs).toBe(880);
    // After the call nothing sounds and nothing breaks.
    one.free();
    expect(decoder.sound(packets[0])).toBeNull();
    expect(lineEncoder(one.format, 20).push(buzz(20))).toHaveLength(1);
  });

  it('spends no more than the far end wants', async () => {
    const one = await OpusVoice.of(library);
    const spent = (maxBitrate: number | null) => {
      one.use({ maxBitrate, fec: false, maxPlaybackHz: 48_000, constantBitrate: false });
      return frames(buzz(2000), one.format).reduce((sum, { length }) => sum + length * 4, 0);
    };
    expect(spent(12_000)).toBeLessThan(14_000);
    expect(spent(null)).toBeGreaterThan(20_000);
    one.free();
  });

  it('belongs to its call: another call’s Opus is another format', async () => {
    const other = await OpusVoice.of(library);
    expect(isSameFormat(voice.format, voice.format)).toBe(true);
    expect(isSameFormat(voice.format, other.format)).toBe(false);
    other.free();
  });
});

describe('a call with Opus', () => {
  it('is understood and answered; lost packets are taken from the next; it may go on with another codec', async () => {
    const rig = await SipRig.open({}, { codecs: ALL });
    const phone = await rig.phone();
    await phone.call({}, opusOffer({ fmtp: 'useinbandfec=1' }));
    const { events } = rig.listen();
    expect(phone.answer().body).toContain('RTP/AVP 111 101');
    const heard: RtpPacket[] = [];
    const socket = await rig.net.bind({ host: PHONE.host, port: 6000 }, bytes => {
      const packet = parseRtp(Buffer.from(bytes));
      if (packet) heard.push(packet);
    });
    const encoder = await library.encoder();
    encoder.use({ maxBitrate: null, fec: true, maxPlaybackHz: 48_000, constantBitrate: false });
    const decoder = await library.decoder();
    let sequence = 0;
    const say = async (samples: Float32Array, isLost = (_n: number) => false) => {
      for (let at = 0; at + 480 <= samples.length; at += 480, sequence++) {
        const header = { payloadType: 111, marker: false, sequence, timestamp: sequence * TICKS, ssrc: 7 };
        const payload = encoder.encode(samples.subarray(at, at + 480));
        if (!isLost(sequence)) socket.send(rtpPacket(header, payload), phone.mediaAt());
        await rig.clock.runFor(20);
      }
    };
    await say(buzz(1000), n => n % 10 === 5);
    await say(new Float32Array(4500 * 24));
    expect(events.filter(({ type }) => type === 'speech.started')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'response.done')).toHaveLength(1);
    const gaps = heard.slice(1).map(({ timestamp }, n) => (timestamp - heard[n].timestamp) >>> 0);
    expect(new Set(gaps)).toEqual(new Set([TICKS]));
    expect(new Set(heard.map(({ payloadType }) => payloadType))).toEqual(new Set([111]));
    // 40 frames of 60 ms; between them it is silence, which is told in three bytes.
    expect(heard.filter(({ payload }) => payload.length > 3)).toHaveLength(120);
    expect(heard.every(({ payload }) => decoder.decode(payload)?.length === 320)).toBe(true);
    for (const each of [encoder, decoder]) each.free();

    phone.within('INVITE', {}, offer({ codecs: 'PCMU' }));
    await rig.clock.runFor(50);
    phone.within('ACK');
    for (let n = 0; n < 25; n++, sequence++) {
      const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 7 };
      socket.send(rtpPacket(header, Buffer.alloc(160, n % 2 ? 0x90 : 0x10)), phone.mediaAt());
      await rig.clock.runFor(20);
    }
    expect(events.filter(({ type }) => type === 'speech.started')).toHaveLength(2);
    expect(heard.at(-1)!.payloadType).toBe(0);
    phone.within('BYE');
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });
});
