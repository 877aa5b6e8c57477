/** A peer sends the agent to somebody else (REFER): by telephones of the test's own, in virtual time. */
import { describe, expect, it } from 'vitest';
import { CODECS } from '../../protocols/media/index.ts';
import { parseRtp, rtpPacket } from '../../protocols/rtp/packet.ts';
import { offer, PHONE, type Said, type SipPhone, SipRig } from '../support/sip-phone.ts';

const DESK = { host: PHONE.host, port: 5080 };
const SPEECH = CODECS['mu-law'].encode(new Float32Array(160).fill(0.1));
const SILENCE = Buffer.alloc(160, 0xff);
const CONTACT = `Contact: <sip:desk@${DESK.host}:${DESK.port}>\r\n`;
const tagged = (said: Said): Said => ({
  ...said,
  headers: new Map([...said.headers, ['to', `${said.headers.get('to')};tag=desk`]]),
});
/** What the desk says to its INVITE; null: nothing yet. */
type Answer = 'answers' | 'refuses' | 'rings';

async function referred(answer: Answer, open: Parameters<typeof SipRig.open>[1] = {}) {
  const rig = await SipRig.open({}, open);
  const phone = await rig.phone();
  const desk = await rig.phone(DESK);
  phone.answers = said => phone.ok(said);
  desk.answers = said => {
    if (said.method !== 'INVITE') return desk.ok(said);
    if (answer === 'refuses') return desk.ok(tagged(said), '486 Busy Here');
    desk.raw(desk.ok(tagged(said), '180 Ringing'));
    return answer === 'rings' ? null : desk.ok(tagged(said), '200 OK', CONTACT, offer({ port: 7000 }));
  };
  await phone.call();
  return { rig, phone, desk, ...rig.listen() };
}

async function sound(rig: SipRig, port: number, to: () => { host: string; port: number }) {
  const heard: Buffer[] = [];
  const socket = await rig.net.bind({ host: PHONE.host, port }, bytes => {
    const packet = parseRtp(bytes);
    if (packet && !packet.payload.equals(SILENCE)) heard.push(packet.payload);
  });
  let n = 0;
  const say = async (ms: number, payload = SPEECH) => {
    for (let at = 0; at < ms; at += 20, n++) {
      const header = { payloadType: 0, marker: false, sequence: n, timestamp: 160 * n, ssrc: port };
      socket.send(rtpPacket(header, payload), to());
      await rig.clock.runFor(20);
    }
  };
  return { heard, say };
}
const portIn = (said: Said) => Number(/^m=audio (\d+)/m.exec(said.body)![1]);
const progress = (phone: SipPhone) =>
  phone.asked('NOTIFY').map(({ body, headers }) => `${body.trim()} ${headers.get('subscription-state')}`);
const ACTIVE = 'active;expires=60';
const OVER = 'terminated;reason=noresource';

describe('an agent that is sent elsewhere', () => {
  it('calls there, goes with its conversation, tells how it went, and leaves', async () => {
    const { rig, phone, desk, events, session } = await referred('answers');
    const line = await sound(rig, 6000, () => phone.mediaAt());
    await line.say(600);
    await line.say(1400, SILENCE);
    expect(line.heard.length).toBeGreaterThan(10);
    phone.within('REFER', {
      'Refer-To': '<sip:desk@10.0.0.2:5080?Replaces=abc%40pbx%3Bto-tag%3D1%3Bfrom-tag%3D2>',
      'Referred-By': '<sip:caller@10.0.0.2>',
    });
    await rig.clock.runFor(300);
    expect(phone.statuses('REFER')).toEqual([202]);
    const [invite] = desk.asked('INVITE');
    expect(invite.first).toBe('INVITE sip:desk@10.0.0.2:5080 SIP/2.0');
    expect(invite.headers.get('replaces')).toBe('abc@pbx;to-tag=1;from-tag=2');
    expect(invite.headers.get('require')).toBe('replaces');
    expect(invite.headers.get('referred-by')).toBe('<sip:caller@10.0.0.2>');
    expect(desk.asked('ACK')).toHaveLength(1);
    expect(progress(phone)).toEqual([
      `SIP/2.0 100 Trying ${ACTIVE}`,
      `SIP/2.0 180 Ringing ${ACTIVE}`,
      `SIP/2.0 200 OK ${OVER}`,
    ]);
    for (const notify of phone.asked('NOTIFY')) {
      expect(notify.headers.get('event')).toMatch(/^refer;id=\d+$/);
      expect(notify.headers.get('content-type')).toMatch(/^message\/sipfrag/);
      expect(notify.headers.get('contact')).toBeDefined();
    }
    // What it was saying was for somebody else: it stopped. Who sent it away is not heard any more.
    const [before, started] = [line.heard.length, () => events.filter(one => one.type === 'speech.started')];
    const turns = started().length;
    await line.say(800);
    expect(line.heard.length).toBe(before);
    expect(started()).toHaveLength(turns);
    await rig.clock.runFor(3000);
    expect(phone.asked('BYE')).toHaveLength(1);

    const there = await sound(rig, 7000, () => ({ host: '10.0.0.1', port: portIn(invite) }));
    await there.say(600);
    await there.say(4500, SILENCE);
    expect(started().length).toBeGreaterThan(turns);
    expect(there.heard.length * 20).toBe(2400);
    expect([...rig.runtime.sessions.values()]).toEqual([session]);

    desk.talksTo({ host: '10.0.0.1', port: 5060 });
    const bye = ['From', 'To'].map((name, n) => `${name}: ${tagged(invite).headers.get(n ? 'from' : 'to')}`);
    const via = `Via: SIP/2.0/UDP 10.0.0.2:5080;branch=z9hG4bK-bye;rport`;
    const lines = [via, ...bye, `Call-ID: ${invite.headers.get('call-id')}`, 'CSeq: 9 BYE'];
    desk.raw(`BYE sip:agent@10.0.0.1 SIP/2.0\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
    // The two telephones, and the two lines of sound of theirs.
    expect(rig.net.open).toBe(4);
  });

  it('stays where it is when nobody takes it', async () => {
    const { rig, phone, events } = await referred('refuses');
    const line = await sound(rig, 6000, () => phone.mediaAt());
    phone.within('REFER', { 'Refer-To': 'sip:desk@10.0.0.2:5080' });
    await rig.clock.runFor(300);
    expect(progress(phone)).toEqual([`SIP/2.0 100 Trying ${ACTIVE}`, `SIP/2.0 486 Busy Here ${OVER}`]);
    await line.say(600);
    await line.say(4500, SILENCE);
    expect(events.filter(({ type }) => type === 'response.done')).toHaveLength(1);
    expect(line.heard.length * 20).toBe(2400);
    phone.within('BYE');
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  // RFC 5589 §6.1: who transfers blindly may hang up at once.
  it.each<[Answer, number]>([
    ['answers', 1],
    ['refuses', 0],
  ])('is not lost where the peer hangs up at once and the other one %s', async (answer, sessions) => {
    const { rig, phone, desk } = await referred(answer);
    phone.within('REFER', { 'Refer-To': '<sip:desk@10.0.0.2:5080>' });
    phone.within('BYE');
    await rig.clock.runFor(500);
    expect([phone.statuses('REFER'), phone.statuses('BYE')]).toEqual([[202], [200]]);
    expect(desk.asked('INVITE')).toHaveLength(1);
    expect(rig.runtime.sessions.size).toBe(sessions);
    for (const session of rig.runtime.sessions.values()) session.close('enough');
    await rig.clock.runFor(500);
    expect(desk.asked('BYE')).toHaveLength(sessions);
    await rig.close();
    expect(rig.net.open).toBe(2);
  });

  it('that ends the call meanwhile calls nobody any more', async () => {
    const { rig, phone, desk, session } = await referred('rings');
    phone.within('REFER', { 'Refer-To': '<sip:desk@10.0.0.2:5080>' });
    await rig.clock.runFor(200);
    session.close('enough');
    await rig.clock.runFor(200);
    expect(desk.asked('CANCEL')).toHaveLength(1);
    expect(phone.asked('BYE')).toHaveLength(1);
    desk.raw(desk.ok(tagged(desk.asked('INVITE')[0]), '487 Request Terminated'));
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
    expect(rig.net.open).toBe(2);
  });

  it('goes to nobody but the peer and named ones, and one way at a time', async () => {
    const elsewhere = { protocol: 'UDP' as const, host: '10.0.0.9', port: 5060 };
    const { rig, phone, desk } = await referred('rings', {
      resolve: async uri =>
        uri.host.endsWith('.org') ? elsewhere : { ...elsewhere, host: uri.host, port: uri.port ?? 5060 },
    });
    for (const to of ['<sip:9001900@10.0.0.9>', '<sip:desk@10.0.0.2.example.org>']) {
      phone.within('REFER', { 'Refer-To': to });
      await rig.clock.runFor(50);
    }
    expect(phone.statuses('REFER')).toEqual([603, 603]);
    for (const to of ['', '<tel:+15005550006>', '<sip:desk@10.0.0.2:5080;method=BYE>']) {
      phone.within('REFER', { 'Refer-To': to });
      await rig.clock.runFor(50);
    }
    expect(phone.statuses('REFER').slice(2)).toEqual([400, 400, 400]);
    phone.within('REFER', { 'Refer-To': '<sip:desk@10.0.0.2:5080>' });
    await rig.clock.runFor(100);
    phone.within('REFER', { 'Refer-To': '<sip:desk@10.0.0.2:5080>' });
    await rig.clock.runFor(100);
    expect(phone.statuses('REFER').slice(5)).toEqual([202, 491]);
    expect(desk.asked('INVITE')).toHaveLength(1);
    await rig.close();
  });
});
