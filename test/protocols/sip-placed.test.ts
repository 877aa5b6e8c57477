/** Calls that the agent makes, told over HTTP. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '../../cli/media/wav-format.ts';
import type { CallEvent } from '../../protocols/call-events.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { rtpPacket } from '../../protocols/rtp/packet.ts';
import { offer, PHONE, type Said, SipRig } from '../support/sip-phone.ts';

const CONTACT = `Contact: <sip:desk@${PHONE.host}:${PHONE.port}>\r\n`;
const tagged = (said: Said): Said => ({
  ...said,
  headers: new Map([...said.headers, ['to', `${said.headers.get('to')};tag=desk`]]),
});

async function ask(rig: SipRig, method: string, path: string, body: object | string = '', headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = { ...rig.request(path, headers, text), method };
  const answer = await rig.routes.answer(request);
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

describe('calls that are made', () => {
  it('ring, are answered by the agent, listed, transferred and ended', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    let rings = true;
    phone.answers = said => {
      if (said.method !== 'INVITE') return phone.ok(said);
      return rings ? phone.ok(tagged(said), '183 Session Progress', '', offer()) : null;
    };
    const made = await ask(rig, 'POST', '/sip/calls', {
      to: 'sip:desk@10.0.0.2:5070',
      instructions: 'Call the desk.',
    });
    expect(made.status).toBe(201);
    await rig.clock.runFor(100);
    expect((await ask(rig, 'GET', '/sip/calls')).body.calls).toMatchObject([
      { id: made.body.id, direction: 'out', peer: 'sip:desk@10.0.0.2:5070', state: 'ringing' },
    ]);
    // What is heard before somebody answers is not for the agent.
    const { events, session } = rig.listen();
    expect(session.settings.instructions).toBe('Call the desk.');
    const there = {
      host: '10.0.0.1',
      port: Number(/^m=audio (\d+)/m.exec(phone.asked('INVITE')[0].body)![1]),
    };
    const socket = await rig.net.bind({ host: PHONE.host, port: 6000 }, () => {});
    const speech = CODECS['mu-law'].encode(new Float32Array(160).fill(0.1));
    let sequence = 0;
    const say = async (ms: number) => {
      for (let at = 0; at < ms; at += 20, sequence++) {
        const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 7 };
        socket.send(rtpPacket(header, speech), there);
        await rig.clock.runFor(20);
      }
    };
    await say(500);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(false);
    rings = false;
    phone.raw(phone.ok(tagged(phone.asked('INVITE')[0]), '200 OK', CONTACT, offer()));
    await rig.clock.runFor(50);
    expect(phone.asked('ACK')).toHaveLength(1);
    await say(500);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(true);
    expect((await ask(rig, 'GET', '/sip/calls')).body.calls[0].state).toBe('up');

    const passed = ask(rig, 'POST', `/sip/calls/${made.body.id}/transfer`, { to: 'sip:other@10.0.0.3' });
    phone.answers = said => phone.ok(said, said.method === 'REFER' ? '603 Decline' : '200 OK');
    await rig.clock.runFor(100);
    expect(await passed).toEqual({ status: 502, body: { transferred: false, status: 603 } });
    expect((await ask(rig, 'DELETE', `/sip/calls/${made.body.id}`)).status).toBe(200);
    await rig.clock.runFor(100);
    expect(phone.asked('BYE')).toHaveLength(1);
    expect((await ask(rig, 'GET', '/sip/calls')).body.calls).toEqual([]);
    expect((await ask(rig, 'DELETE', `/sip/calls/${made.body.id}`)).status).toBe(404);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
    expect(rig.net.open).toBe(2);
  });

  it('leave a message where a machine answers: the agent hears nothing of it, and speaks behind its beep', async () => {
    const told: CallEvent[] = [];
    const rig = await SipRig.open({}, {}, { tell: event => told.push(event) });
    const phone = await rig.phone();
    phone.answers = said =>
      said.method === 'INVITE' ? phone.ok(tagged(said), '200 OK', CONTACT, offer()) : phone.ok(said);
    const order = { to: 'sip:desk@10.0.0.2:5070', on_machine: 'leave_message' };
    expect((await ask(rig, 'POST', '/sip/calls', order)).status).toBe(201);
    await rig.clock.runFor(100);
    const { events } = rig.listen();
    const there = {
      host: '10.0.0.1',
      port: Number(/^m=audio (\d+)/m.exec(phone.asked('INVITE')[0].body)![1]),
    };
    const socket = await rig.net.bind({ host: PHONE.host, port: 6000 }, () => {});
    let sequence = 0;
    const say = async (sound: Float32Array) => {
      for (let at = 0; at + 160 <= sound.length; at += 160, sequence++) {
        const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 7 };
        const payload = CODECS['mu-law'].encode(sound.subarray(at, at + 160));
        socket.send(rtpPacket(header, payload), there);
        await rig.clock.runFor(20);
      }
    };
    const greeting = decodeWav(readFileSync('test/fixtures/talk/where-stopped.wav')).channels[0];
    const narrow = greeting.filter((_, n) => n % 2 === 0);
    await say(narrow);
    await say(narrow);
    expect(told.at(-1)).toMatchObject({ type: 'call.answered_by', by: 'machine' });
    expect((await ask(rig, 'GET', '/sip/calls')).body.calls[0].answered_by).toBe('machine');
    const isSpoken = () => events.some(({ type }) => type === 'response.created');
    await say(Float32Array.from({ length: 4000 }, (_, n) => 0.1 * Math.sin((2 * Math.PI * 1000 * n) / 8000)));
    expect(isSpoken()).toBe(false);
    await say(new Float32Array(1600));
    expect(told.at(-1)).toMatchObject({ type: 'call.recording' });
    expect(isSpoken()).toBe(true);
    expect(events.some(({ type }) => type === 'speech.started')).toBe(false);
    await rig.close();
  });

  it('are refused with a reason, to whom has no key, and leave nothing behind', async () => {
    const rig = await SipRig.open({}, { maxCalls: 1 });
    const phone = await rig.phone();
    phone.answers = said => (said.method === 'INVITE' ? phone.ok(tagged(said), '486 Busy Here') : null);
    for (const [body, code] of [
      ['{', 'sip.bad_body'],
      [{ to: 'tel:1' }, 'sip.bad_address'],
      [{ to: 'sip:a@10.0.0.2;transport=tcp' }, 'sip.no_transport'],
    ] as const) {
      const answer = await ask(rig, 'POST', '/sip/calls', body);
      expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    }
    expect((await ask(rig, 'POST', '/sip/calls', { to: 'sip:desk@10.0.0.2:5070' })).status).toBe(201);
    expect((await ask(rig, 'POST', '/sip/calls', { to: 'sip:desk@10.0.0.2:5070' })).status).toBe(503);
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
    expect((await ask(rig, 'POST', '/sip/calls/x/transfer', { to: 'sip:a@10.0.0.2' })).status).toBe(404);
    await rig.close();
    const foreign = await ask(rig, 'GET', '/sip/calls', '', { host: 'evil.example' });
    expect(foreign.status).toBe(421);
  });
});
