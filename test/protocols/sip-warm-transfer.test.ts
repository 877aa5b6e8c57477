/** Transfers that are announced: by telephones of the test's own and a fake carrier, in virtual time. */
import { describe, expect, it } from 'vitest';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import type { CallEvent } from '../../protocols/call-events.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { parseRtp, rtpPacket } from '../../protocols/rtp/packet.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { transferTool } from '../../protocols/sip/transfer-tool.ts';
import type { WarmTransfers } from '../../protocols/sip/warm-transfer.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { offer, PHONE, type Said, type SipPhone, SipRig } from '../support/sip-phone.ts';

const DESK = { host: PHONE.host, port: 5080 };
const SERVER_HOST = '10.0.0.1';
const SPEECH = CODECS['mu-law'].encode(new Float32Array(160).fill(0.1));
const CONTACT = `Contact: <sip:desk@${DESK.host}:${DESK.port}>\r\n`;
const BESIDE = 'sip:desk@10.0.0.2:5080';
const tagged = (said: Said): Said => ({
  ...said,
  headers: new Map([...said.headers, ['to', `${said.headers.get('to')};tag=desk`]]),
});
const portIn = ({ body }: Said) => Number(/^m=audio (\d+)/m.exec(body)![1]);
const directionIn = ({ body }: Said) => /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(body)![1];

/** A line of sound: what comes there that is no silence, and a voice. */
async function sound(rig: SipRig, port: number, to: () => number) {
  const heard: Buffer[] = [];
  const keys: number[] = [];
  const socket = await rig.net.bind({ host: PHONE.host, port }, bytes => {
    const packet = parseRtp(bytes);
    if (packet?.payloadType === 101) keys.push(packet.payload[0]);
    else if (packet?.payload.some(byte => byte !== 0xff && byte !== 0x7f)) heard.push(packet.payload);
  });
  let n = 0;
  const say = async (ms: number, payload = SPEECH, payloadType = 0) => {
    for (let at = 0; at < ms; at += 20, n++) {
      const header = { payloadType, marker: false, sequence: n, timestamp: 160 * n, ssrc: port };
      socket.send(rtpPacket(header, payload), { host: SERVER_HOST, port: to() });
      await rig.clock.runFor(20);
    }
  };
  return { heard, keys, say };
}

type DeskDoes = 'answers' | 'refuses' | 'rings';

async function exchange(desk: DeskDoes, refer = '202 Accepted') {
  const told: CallEvent[] = [];
  const rig = await SipRig.open({}, {}, { tell: event => told.push(event) });
  const at = await rig.phone(DESK);
  at.answers = said => {
    if (said.method !== 'INVITE') return at.ok(said);
    if (desk === 'refuses') return at.ok(tagged(said), '486 Busy Here');
    at.raw(at.ok(tagged(said), '180 Ringing'));
    return desk === 'rings' ? null : at.ok(tagged(said), '200 OK', CONTACT, offer({ port: 7000 }));
  };
  const phone = await rig.phone();
  phone.answers = said => {
    if (said.method === 'INVITE') return phone.ok(said, '200 OK', '', offer());
    return phone.ok(said, said.method === 'REFER' ? refer : '200 OK');
  };
  return { rig, phone, desk: at, told, types: () => told.map(({ type }) => type) };
}

function transfer(rig: SipRig, id: string, order: object) {
  const request = rig.request(`/sip/calls/${id}/transfer`, {}, JSON.stringify({ to: BESIDE, ...order }));
  return rig.routes.answer(request).then(({ body, status }) => ({ status, ...JSON.parse(String(body)) }));
}

/** A request of the desk's within the call that we made to it. */
function deskSays(desk: SipPhone, method: string, n: number): void {
  const invite = desk.asked('INVITE')[0];
  const to = invite.headers.get('from');
  const from = tagged(invite).headers.get('to');
  const via = `Via: SIP/2.0/UDP 10.0.0.2:5080;branch=z9hG4bK-desk${n};rport`;
  const lines = [via, `From: ${from}`, `To: ${to}`, `Call-ID: ${invite.headers.get('call-id')}`];
  desk.talksTo({ host: SERVER_HOST, port: 5060 });
  desk.raw(
    `${method} sip:agent@10.0.0.1 SIP/2.0\r\n${lines.join('\r\n')}\r\nCSeq: ${n} ${method}\r\nContent-Length: 0\r\n\r\n`,
  );
}

const notify = (phone: SipPhone, status: string) =>
  phone.within(
    'NOTIFY',
    {
      Event: 'refer',
      'Subscription-State': 'terminated;reason=noresource',
      'Content-Type': 'message/sipfrag',
    },
    `SIP/2.0 ${status}\r\n`,
  );

describe('a transfer that is announced', () => {
  it('is the agent’s own to begin, to nobody but whom the operator named', async () => {
    const orders: object[] = [];
    const begin: WarmTransfers['begin'] = async (id, order) => {
      orders.push({ id, ...order });
      return { isDone: false, by: null, reason: '486 Busy Here' };
    };
    const tool = transferTool([{ name: 'the desk', address: BESIDE }], { begin });
    const context = { key: 'k', callId: 'c', sessionId: 'call_1', signal: new AbortController().signal };
    await expect(tool.run({ to: 'sip:9001900@elsewhere' }, context)).rejects.toThrow('nobody of that name');
    expect(await tool.run({ to: 'the desk', about: 'An order is late.' }, context)).toEqual({
      ...{ transferred: false, reason: '486 Busy Here' },
    });
    const announce = 'You announce a caller to a colleague. Say: An order is late.';
    expect(orders).toEqual([
      { id: 'call_1', to: BESIDE, announce, acceptKey: null, by: null, tellsAgent: false },
    ]);
  });

  it('keeps the caller waiting, tells the desk, and sends the caller there in its place', async () => {
    const { rig, phone, desk, told, types } = await exchange('answers');
    await phone.call();
    const { session } = rig.listen();
    const line = await sound(rig, 6000, () => phone.mediaAt().port);
    const there = await sound(rig, 7000, () => portIn(desk.asked('INVITE')[0]));
    const going = transfer(rig, session.id, { announce: 'Say that a caller waits.' });
    await rig.clock.runFor(200);
    expect(phone.asked('INVITE').map(directionIn)).toEqual(['sendonly']);
    expect(desk.asked('ACK')).toHaveLength(1);
    expect([...rig.runtime.sessions.values()].at(-1)!.settings.instructions).toBe('Say that a caller waits.');
    expect(phone.asked('REFER')).toEqual([]);
    await rig.clock.runFor(3000);
    expect(there.heard.length * 20).toBe(2400);
    expect(line.heard).toEqual([]);

    const invite = desk.asked('INVITE')[0];
    const tag = /tag=(\S+)/.exec(invite.headers.get('from')!)![1];
    const replaces = encodeURIComponent(`${invite.headers.get('call-id')};to-tag=desk;from-tag=${tag}`);
    expect(phone.asked('REFER')[0].headers.get('refer-to')).toBe(`<${BESIDE}?Replaces=${replaces}>`);
    notify(phone, '200 OK');
    await rig.clock.runFor(100);
    expect(await going).toEqual({ status: 200, transferred: true, by: 'refer', reason: null });
    expect(phone.asked('BYE')).toHaveLength(1);
    // The desk would hang up on us, being taken over; where it does not, we do.
    expect(desk.asked('BYE')).toHaveLength(0);
    await rig.clock.runFor(3000);
    expect(desk.asked('BYE')).toHaveLength(1);
    expect(types().filter(type => type !== 'call.started')).toEqual([
      ...['call.transferring', 'call.ended', 'call.transferred', 'call.ended'],
    ]);
    const transferred = { type: 'call.transferred', call: session.id, to: BESIDE, by: 'refer' };
    expect(told).toContainEqual(transferred);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
    expect(rig.net.open).toBe(4);
  });

  it('brings the caller back to the agent where the desk is busy, and the agent says so', async () => {
    const { rig, phone, told } = await exchange('refuses');
    await phone.call();
    const { session, events } = rig.listen();
    const line = await sound(rig, 6000, () => phone.mediaAt().port);
    const going = transfer(rig, session.id, { warm: true });
    await rig.clock.runFor(500);
    expect(await going).toMatchObject({ status: 502, transferred: false, reason: '486 Busy Here' });
    expect(phone.asked('INVITE').map(directionIn)).toEqual(['sendonly', 'sendrecv']);
    expect(told.at(-1)).toMatchObject({ type: 'call.transfer_failed', reason: '486 Busy Here' });
    expect(JSON.stringify(session.items)).toContain(`${BESIDE}: 486 Busy Here`);
    await rig.clock.runFor(3000);
    expect(line.heard.length * 20).toBe(2400);
    await line.say(600);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(true);
    await rig.close();
  });

  it('connects both lines here where the telephone goes nowhere: voices, keys, and the end', async () => {
    const { rig, phone, desk } = await exchange('answers', '603 Decline');
    await phone.call();
    const { session } = rig.listen();
    const line = await sound(rig, 6000, () => phone.mediaAt().port);
    const there = await sound(rig, 7000, () => portIn(desk.asked('INVITE')[0]));
    const going = transfer(rig, session.id, { warm: true });
    await rig.clock.runFor(500);
    expect(await going).toMatchObject({ status: 200, transferred: true, by: 'bridge' });
    expect(phone.asked('INVITE').map(directionIn)).toEqual(['sendonly', 'sendrecv']);
    await line.say(1000);
    await rig.clock.runFor(100);
    expect(there.heard.length).toBeGreaterThanOrEqual(47);
    expect(line.heard).toEqual([]);
    await there.say(1000);
    await rig.clock.runFor(100);
    expect(line.heard.length).toBeGreaterThanOrEqual(47);
    for (const end of [0, 0, 0x80]) await line.say(20, Buffer.from([5, end | 10, 0, 160]), 101);
    await rig.clock.runFor(300);
    expect([...new Set(there.keys)]).toEqual([5]);
    // Nobody but the two is there any more.
    expect(rig.runtime.sessions.size).toBe(0);
    deskSays(desk, 'BYE', 5);
    await rig.clock.runFor(100);
    expect(phone.asked('BYE')).toHaveLength(1);
    await rig.close();
    expect(rig.net.open).toBe(4);
  });

  it('waits for the key by which the desk accepts; another one declines', async () => {
    for (const [digit, transferred] of [
      [1, true],
      [2, false],
    ] as const) {
      const { rig, phone, desk, told } = await exchange('answers', '603 Decline');
      await phone.call();
      const { session } = rig.listen();
      const there = await sound(rig, 7000, () => portIn(desk.asked('INVITE')[0]));
      const going = transfer(rig, session.id, { announce: 'Say who calls.', accept_key: '1' });
      await rig.clock.runFor(4000);
      expect(phone.asked('REFER')).toEqual([]);
      for (const end of [0, 0x80]) await there.say(20, Buffer.from([digit, end | 10, 0, 160]), 101);
      await rig.clock.runFor(300);
      expect((await going).transferred).toBe(transferred);
      expect(told.at(-1)!.type).toBe(transferred ? 'call.transferred' : 'call.transfer_failed');
      await rig.close();
    }
  });

  it('is given up with the caller, and is one at a time', async () => {
    const { rig, phone, desk } = await exchange('rings');
    await phone.call();
    const { session } = rig.listen();
    const going = transfer(rig, session.id, { warm: true });
    await rig.clock.runFor(100);
    expect(await transfer(rig, session.id, { warm: true })).toMatchObject({ status: 409 });
    expect(await transfer(rig, 'call_nobody', { warm: true })).toMatchObject({ status: 404 });
    phone.within('BYE');
    await rig.clock.runFor(100);
    expect(await going).toMatchObject({ status: 502, reason: 'the caller hung up' });
    expect(desk.asked('CANCEL')).toHaveLength(1);
    await rig.close();
  });

  it('brings a carrier’s caller and the desk together here', async () => {
    const { rig, desk } = await exchange('answers');
    await rig.openDoor(
      twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS }),
    );
    const caller = rig.call(
      '/twilio',
      new TwilioSide({ streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1', parameters: {} }),
    );
    await caller.silence(100);
    const there = await sound(rig, 7000, () => portIn(desk.asked('INVITE')[0]));
    const refer = transfer(rig, caller.session.id, { warm: true, by: 'refer' });
    await caller.silence(300);
    expect(await refer).toMatchObject({ status: 502, reason: 'the caller comes by no SIP' });
    await caller.silence(4000);
    const going = transfer(rig, caller.session.id, { warm: true });
    desk.said.length = 0;
    await caller.silence(500);
    expect(await going).toMatchObject({ status: 200, by: 'bridge' });
    const before = [there.heard.length, caller.playedMs];
    await caller.say(1000);
    expect(there.heard.length - before[0]).toBeGreaterThanOrEqual(45);
    await there.say(1000);
    await caller.silence(200);
    expect(caller.playedMs - before[1]).toBeGreaterThanOrEqual(900);
    caller.wire.drop();
    await rig.clock.runFor(100);
    expect(desk.asked('BYE')).toHaveLength(1);
    await rig.close();
  });
});
