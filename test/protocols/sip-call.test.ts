/** Calls over the SIP door, by a telephone of the test's own, over a network in memory, in virtual time. */
import { describe, expect, it } from 'vitest';
import type { CallEvent } from '../../protocols/call-events.ts';
import { parseRtp, rtpPacket } from '../../protocols/rtp/packet.ts';
import { keyPackets } from '../../protocols/rtp/telephone-event.ts';
import { CODECS, keyTones } from '../../protocols/media/index.ts';
import { offer, PHONE, SERVER, type SipPhone, SipRig } from '../support/sip-phone.ts';

const SPEECH = CODECS['mu-law'].encode(new Float32Array(160).fill(0.1));
const SILENCE = Buffer.alloc(160, 0xff);

/** The telephone's sound: says something, or nothing, packet by packet; and hears. */
async function sound(rig: SipRig, phone: SipPhone, port = 6000) {
  const heard: { payload: Buffer; atMs: number; type: number }[] = [];
  const socket = await rig.net.bind({ host: PHONE.host, port }, bytes => {
    const packet = parseRtp(bytes);
    if (packet) heard.push({ payload: packet.payload, atMs: rig.clock.nowMs(), type: packet.payloadType });
  });
  let [sequence, timestamp] = [0, 0];
  const say = async (ms: number, payload = SPEECH) => {
    for (let at = 0; at < ms; at += 20) {
      const header = { payloadType: 0, marker: false, sequence: sequence++ & 0xffff, timestamp, ssrc: 7 };
      socket.send(rtpPacket(header, payload), phone.mediaAt());
      timestamp += 160;
      await rig.clock.runFor(20);
    }
  };
  const press = async (key: string) => {
    for (const { payload, marker } of keyPackets(key, 100, 8000)!) {
      const header = { payloadType: 101, marker, sequence: sequence++ & 0xffff, timestamp, ssrc: 7 };
      socket.send(rtpPacket(header, payload), phone.mediaAt());
      await rig.clock.runFor(20);
    }
    timestamp += 160;
  };
  const voiced = () => heard.filter(({ payload }) => !payload.equals(SILENCE));
  return {
    heard,
    voiced,
    say,
    press,
    skip: (ms: number) => (timestamp += ms * 8),
    quiet: (ms: number) => say(ms, SILENCE),
  };
}

describe('a call by SIP', () => {
  it('of a fax machine is ended, and told', async () => {
    const told: CallEvent[] = [];
    const rig = await SipRig.open({}, {}, { tell: event => told.push(event) });
    const phone = await rig.phone();
    phone.invite();
    await rig.clock.runFor(50);
    phone.within('ACK');
    const line = await sound(rig, phone);
    await line.quiet(400);
    const tone = Float32Array.from(
      { length: 160 },
      (_, n) => 0.1 * Math.sin((2 * Math.PI * 1100 * n) / 8000),
    );
    await line.say(600, CODECS['mu-law'].encode(tone));
    expect(phone.asked('BYE')).toHaveLength(1);
    expect(told.map(({ type }) => type)).toEqual(['call.started', 'call.fax', 'call.ended']);
    expect(told.at(-1)).toMatchObject({ reason: 'a fax called' });
    await rig.close();
  });

  it('is tried, rung, answered with our sound, and ended', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite();
    await rig.clock.runFor(50);
    expect(phone.statuses()).toEqual([100, 180, 200]);
    const { headers, body } = phone.answer();
    expect(headers.get('to')).toMatch(/;tag=\w+/);
    expect(headers.get('contact')).toBe('<sip:agent@10.0.0.1:5060>');
    expect(body).toContain('m=audio 20000 RTP/AVP 0 101');
    expect(body).toContain('a=rtpmap:101 telephone-event/8000');
    phone.within('ACK');
    await rig.clock.runFor(2000);
    // Heard: it is not said again.
    expect(phone.statuses()).toEqual([100, 180, 200]);
    expect(rig.runtime.sessions.size).toBe(1);
    phone.within('BYE');
    await rig.clock.runFor(100);
    expect(phone.statuses('BYE')).toEqual([200]);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it('holds a conversation: what is said is answered, all of it is heard, and a word stops it', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    const { events } = rig.listen();
    const line = await sound(rig, phone);
    await line.say(600);
    await line.quiet(4500);
    const all = <T extends string>(type: T) => events.filter(event => event.type === type) as never[];
    expect(all('response.done')).toHaveLength(1);
    expect(line.voiced().length * 20).toBe(2400);
    const gaps = line.heard.slice(1).map(({ atMs }, n) => atMs - line.heard[n].atMs);
    expect(new Set(gaps)).toEqual(new Set([20]));
    const trace = (all('turn.trace') as unknown as { trace: { heardMs: number } }[]).at(-1)!.trace;
    expect(trace.heardMs).toBe(2400);

    await line.say(600);
    await line.quiet(1400);
    rig.word = 'stop';
    await line.say(600);
    const before = line.voiced().length;
    await line.quiet(300);
    // What is on its way is a packet or two; nothing more leaves.
    expect(line.voiced().length - before).toBeLessThanOrEqual(1);
    const cut = (all('turn.trace') as unknown as { trace: { heardMs: number; interrupted: boolean } }[]).at(
      -1,
    )!.trace;
    expect(cut.interrupted).toBe(true);
    const playedMs = line.voiced().length * 20 - 2400;
    expect(cut.heardMs).toBeLessThanOrEqual(playedMs);
    expect(cut.heardMs).toBeGreaterThanOrEqual(playedMs - 200);
    await rig.close();
  });

  // docs/spec/sip.md §2: baresip speaks before the call is up, sipp in bunches of up to 121 ms, neither with markers
  // after the first.
  it('is heard before it is acknowledged, and in bunches, without a loss', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    rig.net.fate = (_from, to) => [to.port >= 20_000 ? 126 - (rig.clock.nowMs() % 121) : 5];
    phone.invite();
    await rig.clock.runFor(50);
    const { events } = rig.listen();
    const line = await sound(rig, phone);
    await line.say(600);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(true);
    phone.within('ACK');
    await line.quiet(4500);
    expect(line.voiced().length).toBe(120);
    phone.within('BYE');
    await rig.clock.runFor(200);
    const ended = rig.logged.find(({ text }) => text === 'A call ended.');
    expect(ended?.values).toMatchObject({ lost: 0, late: 0, duplicate: 0 });
    await rig.close();
  });

  it('knows keys: beside the sound, and by INFO', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    const { events } = rig.listen();
    const line = await sound(rig, phone);
    await line.quiet(200);
    for (const key of '42#') await line.press(key);
    await line.quiet(200);
    const entered = () =>
      events.flatMap(event =>
        event.type === 'item.added' && event.item.role === 'user' && event.item.content[0]?.type === 'text'
          ? [event.item.content[0].text]
          : [],
      );
    expect(entered()).toEqual(['42']);
    for (const [type, body] of [
      ['application/dtmf-relay', 'Signal=7\r\nDuration=160\r\n'],
      ['application/dtmf', '8'],
      ['application/dtmf-relay', 'Signal= #\r\n'],
    ]) {
      phone.within('INFO', { 'Content-Type': type }, body);
      await rig.clock.runFor(50);
    }
    expect(phone.statuses('INFO')).toEqual([200, 200, 200]);
    expect(entered()).toEqual(['42', '78']);
    phone.within('INFO', { 'Content-Type': 'application/media_control+xml' }, '<x/>');
    await rig.clock.runFor(50);
    expect(phone.statuses('INFO').at(-1)).toBe(415);
    await rig.close();
  });

  it('knows keys in the sound where they come in no other way, and one that INFO tells too is one', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call({}, offer({ keys: false }));
    const { events } = rig.listen();
    const line = await sound(rig, phone);
    await line.quiet(200);
    const press = async (key: string, info = '') => {
      const tones = keyTones(key, 80, 8000)!;
      for (let at = 0; at < tones.length; at += 160)
        await line.say(20, CODECS['mu-law'].encode(tones.subarray(at, at + 160)));
      if (info) phone.within('INFO', { 'Content-Type': 'application/dtmf-relay' }, `Signal=${info}\r\n`);
      await line.quiet(60);
    };
    for (const key of ['4', '4', '2']) await press(key);
    await press('7', '7');
    await press('#');
    const entered = events.flatMap(event =>
      event.type === 'item.added' && event.item.content[0]?.type === 'text'
        ? [event.item.content[0].text]
        : [],
    );
    expect(entered).toEqual(['4427']);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(false);
    await rig.close();
  });

  // docs/spec/sip.md §2, baresip: recvonly, no RTP, then the next number and a jump of the time.
  it('is put on hold, kept without a timer, and goes on', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    const line = await sound(rig, phone);
    const { events } = rig.listen();
    await line.quiet(200);
    phone.within('INVITE', {}, offer({ lines: 'a=sendonly' }));
    await rig.clock.runFor(50);
    expect(phone.answer().body).toContain('a=recvonly');
    phone.within('ACK');
    await rig.clock.runFor(50);
    const before = line.heard.length;
    // Music on hold is no speech.
    await line.say(2000);
    await rig.clock.runFor(180_000);
    expect(line.heard.length - before).toBeLessThanOrEqual(1);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(false);
    expect(rig.runtime.sessions.size).toBe(1);
    phone.within('INVITE', {}, offer({ lines: 'a=sendrecv' }));
    await rig.clock.runFor(50);
    phone.within('ACK');
    line.skip(180_000);
    await line.quiet(500);
    expect(line.heard.length - before).toBeGreaterThan(20);
    await line.say(600);
    await line.quiet(3000);
    expect(line.voiced().length).toBeGreaterThan(100);
    await rig.close();
  });

  it('changes its address and its codec', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    const there = await sound(rig, phone, 6000);
    const here = await sound(rig, phone, 7000);
    await there.quiet(100);
    phone.within('INVITE', {}, offer({ port: 7000, codecs: 'G722 PCMU' }));
    await rig.clock.runFor(50);
    phone.within('ACK');
    expect(phone.answer().body).toContain('RTP/AVP 9 101');
    await rig.clock.runFor(200);
    const before = there.heard.length;
    await rig.clock.runFor(200);
    expect(there.heard.length).toBe(before);
    expect(here.heard.length).toBeGreaterThan(8);
    expect(new Set(here.heard.slice(-5).map(({ type }) => type))).toEqual(new Set([9]));
    // What nobody knows changes nothing.
    phone.within(
      'INVITE',
      {},
      offer({ codecs: 'PCMU' })
        .replaceAll('PCMU', 'iLBC')
        .replace('AVP 0', 'AVP 97')
        .replace('rtpmap:0', 'rtpmap:97'),
    );
    await rig.clock.runFor(50);
    expect(phone.statuses().at(-1)).toBe(488);
    await rig.clock.runFor(200);
    expect(here.heard.at(-1)!.type).toBe(9);
    await rig.close();
  });

  it('is refreshed by who asked for it, and ends where that stops', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite({ Supported: 'timer', 'Session-Expires': '30' });
    await rig.clock.runFor(50);
    expect(phone.statuses()).toEqual([100, 422]);
    expect(phone.said.at(-1)?.headers.get('min-se')).toBe('90');
    phone.request('ACK', { To: phone.said.at(-1)!.headers.get('to')! });
    phone.branch += 1;
    phone.sequence += 1;
    await phone.call({ Supported: 'timer', 'Session-Expires': '120;refresher=uac' });
    expect(phone.answer().headers.get('session-expires')).toBe('120;refresher=uac');
    await sound(rig, phone).then(line => line.quiet(60_000));
    phone.within('UPDATE', { Supported: 'timer', 'Session-Expires': '120;refresher=uac' });
    await sound(rig, phone, 6002).then(line => line.quiet(80_000));
    expect(phone.statuses('UPDATE')).toEqual([200]);
    expect(phone.asked('INVITE')).toEqual([]);
    expect(rig.runtime.sessions.size).toBe(1);
    phone.answers = request => phone.ok(request);
    await sound(rig, phone, 6004).then(line => line.quiet(15_000));
    expect(phone.asked('BYE').length).toBe(1);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it('is refreshed by us where the caller asks us to', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call({ Supported: 'timer', 'Session-Expires': '100;refresher=uas' });
    const line = await sound(rig, phone);
    phone.answers = request => phone.ok(request, '200 OK', 'Session-Expires: 100;refresher=uac\r\n', offer());
    await line.quiet(52_000);
    expect(phone.asked('INVITE')).toHaveLength(1);
    expect(phone.asked('ACK')).toHaveLength(1);
    expect(phone.asked('INVITE')[0].body).toContain('m=audio 20000');
    await line.quiet(52_000);
    expect(phone.asked('INVITE')).toHaveLength(2);
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.close();
  });

  it('brings its offer in the ACK where ours stood in the answer', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite({}, '');
    await rig.clock.runFor(50);
    expect(phone.answer().body).toContain('RTP/AVP 9 0 8 101');
    phone.within('ACK', { 'Content-Type': 'application/sdp' }, offer());
    const line = await sound(rig, phone);
    await line.say(600);
    await line.quiet(4500);
    expect(line.heard.every(({ type }) => type === 0)).toBe(true);
    expect(line.voiced().length).toBe(120);
    await rig.close();
  });

  it('is encrypted where the caller offers it', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    const crypto = `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 9).toString('base64')}`;
    await phone.call({}, offer({ protocol: 'RTP/SAVP', lines: crypto }));
    expect(phone.answer().body).toMatch(/m=audio \d+ RTP\/SAVP 0 101/);
    expect(phone.answer().body).toMatch(/a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:/);
    const line = await sound(rig, phone);
    await rig.clock.runFor(100);
    expect(line.heard.length).toBeGreaterThan(3);
    expect(line.heard.every(({ payload }) => payload.length === 170 && !payload.equals(SILENCE))).toBe(true);
    phone.within('BYE');
    await rig.clock.runFor(50);
    phone.callId = 'call-2';
    phone.invite({}, offer({ protocol: 'RTP/SAVP', lines: 'a=crypto:1 AEAD_AES_256_GCM inline:AAAA' }));
    await rig.clock.runFor(50);
    expect(phone.statuses().at(-1)).toBe(488);
    await rig.close();
  });

  it('ends when the agent ends it, and is told why not when there is no room', async () => {
    const rig = await SipRig.open({ limits: { maxSessions: 1 } });
    const phone = await rig.phone();
    await phone.call();
    phone.callId = 'call-2';
    phone.branch += 1;
    phone.invite();
    await rig.clock.runFor(50);
    expect(phone.statuses().at(-1)).toBe(503);
    expect(phone.said.at(-1)?.headers.get('retry-after')).toBe('5');
    phone.answers = request => phone.ok(request);
    [...rig.runtime.sessions.values()][0].close('the agent says goodbye');
    await rig.clock.runFor(100);
    expect(phone.asked('BYE')).toHaveLength(1);
    expect(rig.net.open).toBe(2);
    await rig.close();
    expect(SERVER.port).toBe(5060);
  });
});
