/** Sound without signalling, as Asterisk's externalMedia brings it, in virtual time. */
import { describe, expect, it } from 'vitest';
import { CODECS } from '../../protocols/media/index.ts';
import { parseRtp, rtpPacket } from '../../protocols/rtp/packet.ts';
import { PHONE, SipRig } from '../support/sip-phone.ts';

async function ask(rig: SipRig, body: object) {
  const answer = await rig.routes.answer(rig.request('/rtp/calls', {}, JSON.stringify(body)));
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

describe('a call of bare sound', () => {
  it.each([
    ['ulaw', 0, 'mu-law'],
    ['alaw', 8, 'a-law'],
  ] as const)(
    'in %s is heard and answered where it comes from, and is ended by silence',
    async (format, type, codec) => {
      const rig = await SipRig.open();
      const order = { host: PHONE.host, format, from: '+15005550006', instructions: 'Be brief.' };
      const made = await ask(rig, order);
      expect(made).toMatchObject({ status: 201, body: { format } });
      const { events, session } = rig.listen();
      expect([session.id, session.settings.instructions]).toEqual([made.body.id, 'Be brief.']);
      expect(rig.context.switchboard.get(session.id)?.from).toBe('+15005550006');
      const [host, port] = made.body.external_host.split(':');
      const silence = Buffer.alloc(160, CODECS[codec].silenceByte);
      const heard: number[] = [];
      const socket = await rig.net.bind({ host: PHONE.host, port: 40_123 }, bytes => {
        const packet = parseRtp(bytes);
        if (packet && !packet.payload.equals(silence)) heard.push(packet.payloadType);
      });
      let sequence = 0;
      const say = async (ms: number, payload: Buffer) => {
        for (let at = 0; at < ms; at += 20, sequence++) {
          const header = { payloadType: type, marker: false, sequence, timestamp: 160 * sequence, ssrc: 7 };
          socket.send(rtpPacket(header, payload), { host, port: Number(port) });
          await rig.clock.runFor(20);
        }
      };
      await say(600, CODECS[codec].encode(new Float32Array(160).fill(0.1)));
      await say(4500, silence);
      expect(events.filter(one => one.type === 'response.done')).toHaveLength(1);
      expect(heard.length * 20).toBe(2400);
      expect(new Set(heard)).toEqual(new Set([type]));
      const before = rig.net.open;
      await rig.clock.runFor(61_000);
      expect(rig.runtime.sessions.size).toBe(0);
      expect(before - rig.net.open).toBe(2);
      await rig.close();
    },
  );

  it('comes from named hosts alone, is ended by order, and is bounded', async () => {
    const rig = await SipRig.open({}, { maxCalls: 1 });
    expect(await ask(rig, { host: '10.0.0.9' })).toMatchObject({ status: 403 });
    expect(await ask(rig, { host: 'pbx.example.org' })).toMatchObject({ status: 400 });
    expect(await ask(rig, { host: PHONE.host, format: 'opus' })).toMatchObject({ status: 400 });
    const { body } = await ask(rig, { host: PHONE.host });
    expect(await ask(rig, { host: PHONE.host })).toMatchObject({ status: 503 });
    const end = { ...rig.request(`/sip/calls/${body.id}`), method: 'DELETE' };
    expect((await rig.routes.answer(end)).status).toBe(200);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
    expect(rig.net.open).toBe(0);
  });
});
