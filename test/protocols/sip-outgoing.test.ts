/**
 * Calls that we make: over memory to our own door, to a peer of the test's that refuses and asks, and over real TCP and
 * TLS.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom, RealClock, silentLogger, VirtualClock } from '../../actors/core/index.ts';
import { PersonEnd } from '../../cli/sip/person-end.ts';
import type { Timers } from '../../protocols/guard/index.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { type DatagramNetwork, udpNetwork } from '../../protocols/rtp/index.ts';
import { type CallMedia, type OutgoingCall, Telephone } from '../../protocols/sip/index.ts';
import { messageBytes, parseMessage } from '../../protocols/sip/message.ts';
import { resolveUri } from '../../protocols/sip/next-hop.ts';
import { Registration } from '../../protocols/sip/registration.ts';
import { streamTransport } from '../../protocols/sip/stream-transport.ts';
import { udpTransport } from '../../protocols/sip/udp-transport.ts';
import { UserAgent } from '../../protocols/sip/user-agent.ts';
import { codeOfRejection } from '../support/code-of.ts';
import { DatagramNet } from '../support/datagram-net.ts';
import { offer, PHONE, SERVER, type Said, SipPhone, SipRig } from '../support/sip-phone.ts';

const SPEECH = CODECS.pcm16.encode(new Float32Array(24 * 600).fill(0.1));

function telephone(clock: Timers, network: DatagramNetwork, more: object = {}, host = PHONE.host) {
  let seed = 50;
  return new Telephone({
    ...{ clock, log: silentLogger, unixTimeMs: () => 0, random: createRandom('telephone'), network, host },
    randomBytes: count => Buffer.alloc(count, seed++),
    codecs: ['g722', 'pcmu', 'pcma'],
    ...more,
  });
}

/** Calls, says one thing, and hangs up when it was answered. */
async function dial(phone: Telephone, clock: Timers, target: string, more: object = {}) {
  const notes: string[] = [];
  const told: { reason: string | null } = { reason: null };
  const held: { end: PersonEnd | null; media: CallMedia | null } = { end: null, media: null };
  const call: OutgoingCall = await phone.dial({
    ...{ target, from: 'sip:ann@10.0.0.2', credentials: null },
    end: media => {
      held.media = media;
      held.end = new PersonEnd({
        ...{ clock, media, utterances: [SPEECH], keys: '', interruptAfterMs: null },
        onNote: text => void notes.push(text),
        onSpeaks: () => void notes.push('says'),
        onDone: () => call.hangUp('done'),
      });
      return held.end;
    },
    onRinging: () => void notes.push('rings'),
    onEnded: reason => void (told.reason = reason),
    ...more,
  });
  return { call, notes, told, held };
}

describe('a call of ours', () => {
  it.each([false, true])('to our own door is answered, heard and ended (SRTP: %s)', async isSecure => {
    const rig = await SipRig.open();
    const phone = telephone(rig.clock, rig.net, { isSecure });
    const { notes, told, held } = await dial(phone, rig.clock, 'sip:agent@10.0.0.1:5060');
    await rig.clock.runFor(12_000);
    expect(notes).toEqual(['rings', 'says', 'the agent speaks', 'the agent is silent']);
    expect(told.reason).toBe('done');
    expect(held.end!.counts.lost).toBe(0);
    expect(held.media!.format.codec).toBe('g722');
    // 2400 ms of the agent, give or take what a codec smears.
    const loudMs =
      held.end!.heard.flatMap(part => [...part]).filter(sample => Math.abs(sample) > 0.01).length / 16;
    expect(loudMs).toBeGreaterThan(2000);
    expect(rig.runtime.sessions.size).toBe(0);
    await phone.close();
    await rig.close();
    expect(rig.net.open).toBe(0);
  });

  it('with a password, to a door that asks for it', async () => {
    const rig = await SipRig.open({}, { peers: [], users: [{ user: 'ann', password: 's3cret' }] });
    for (const [password, reason] of [
      ['s3cret', 'done'],
      ['wrong', '403 Forbidden'],
    ]) {
      const phone = telephone(rig.clock, rig.net);
      const { told } = await dial(phone, rig.clock, 'sip:agent@10.0.0.1', {
        credentials: { user: 'ann', password },
      });
      await rig.clock.runFor(12_000);
      expect(told.reason).toBe(reason);
      await phone.close();
    }
    await rig.close();
  });

  /** What a peer of the test's says to each request. */
  async function withPeer(answers: (said: Said, peer: SipPhone) => string[]) {
    const clock = new VirtualClock();
    const net = new DatagramNet(clock);
    const peer = await SipPhone.at(net, clock, SERVER, PHONE);
    const phone = telephone(clock, net);
    const dialled = await dial(phone, clock, 'sip:agent@10.0.0.1');
    await clock.runFor(20);
    const flow = /:(\d+);branch/.exec(peer.said[0].headers.get('via')!)![1];
    peer.talksTo({ host: PHONE.host, port: Number(flow) });
    const answerAll = async (ms: number) => {
      for (let at = 0; at < ms; at += 20) {
        while (peer.unanswered.length > 0) {
          const said = peer.unanswered.shift()!;
          for (const text of answers(said, peer)) peer.raw(text);
        }
        await clock.runFor(20);
      }
    };
    return { clock, net, peer, phone, answerAll, ...dialled };
  }

  const tagged = (said: Said): Said => ({
    ...said,
    headers: new Map([...said.headers, ['to', `${said.headers.get('to')};tag=peer`]]),
  });

  it('that is busy is acknowledged and over', async () => {
    const { answerAll, peer, told, phone, clock } = await withPeer((said, peer) =>
      said.method === 'INVITE' ? [peer.ok(tagged(said), '486 Busy Here')] : [],
    );
    await answerAll(1000);
    expect(told.reason).toBe('486 Busy Here');
    expect(peer.asked('ACK')).toHaveLength(1);
    expect(peer.asked('ACK')[0].headers.get('via')).toBe(peer.asked('INVITE')[0].headers.get('via'));
    await phone.close();
    await clock.runFor(40_000);
    expect(clock.pending).toBe(0);
  });

  it('that nobody hears is said again and given up after 32 s', async () => {
    const { answerAll, peer, told } = await withPeer(() => []);
    await answerAll(33_000);
    const at = peer.asked('INVITE').map(({ atMs }) => Math.round(atMs - peer.said[0].atMs));
    expect(at).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(told.reason).toBe('nobody answers');
  });

  it('is cancelled while it rings, and hung up where the answer was faster', async () => {
    for (const isFaster of [false, true]) {
      const { answerAll, peer, told, call } = await withPeer((said, peer) => {
        if (said.method === 'INVITE') return [peer.ok(tagged(said), '180 Ringing')];
        if (said.method === 'CANCEL') {
          const [invite] = peer.asked('INVITE');
          const outcome = isFaster
            ? peer.ok(
                tagged(invite),
                '200 OK',
                'Contact: <sip:agent@10.0.0.1>\r\n',
                offer({ host: SERVER.host }),
              )
            : peer.ok(tagged(invite), '487 Request Terminated');
          return [peer.ok(said), outcome];
        }
        return said.method === 'BYE' ? [peer.ok(said)] : [];
      });
      await answerAll(500);
      call.hangUp('I changed my mind');
      await answerAll(2000);
      expect(peer.asked('CANCEL')).toHaveLength(1);
      expect(peer.asked('CANCEL')[0].headers.get('cseq')).toBe('1 CANCEL');
      expect(peer.asked('ACK')).toHaveLength(1);
      expect(peer.asked('BYE')).toHaveLength(isFaster ? 1 : 0);
      expect(told.reason).toBe('I changed my mind');
    }
  });

  it('sends the caller elsewhere and hangs up when that was done', async () => {
    const { answerAll, peer, call, told } = await withPeer((said, peer) => {
      if (said.method === 'INVITE')
        return [
          peer.ok(tagged(said), '200 OK', 'Contact: <sip:agent@10.0.0.1>\r\n', offer({ host: SERVER.host })),
        ];
      if (said.method === 'REFER') {
        const body = 'SIP/2.0 200 OK\r\n';
        const notify = [
          `NOTIFY sip:ann@10.0.0.2 SIP/2.0`,
          `Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-n;rport`,
          `From: ${said.headers.get('to')}`,
          `To: ${said.headers.get('from')}`,
          `Call-ID: ${said.headers.get('call-id')}`,
          ...[
            'CSeq: 1 NOTIFY',
            'Event: refer',
            'Subscription-State: terminated',
            'Content-Type: message/sipfrag',
          ],
        ];
        return [
          peer.ok(said, '202 Accepted'),
          `${notify.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ];
      }
      return said.method === 'BYE' ? [peer.ok(said)] : [];
    });
    await answerAll(300);
    const transferred = call.call!.transfer('sip:desk@10.0.0.77');
    await answerAll(1000);
    expect(await transferred).toEqual({ isDone: true, status: 200 });
    expect(peer.asked('REFER')[0].headers.get('refer-to')).toBe('<sip:desk@10.0.0.77>');
    expect(peer.statuses('NOTIFY')).toEqual([200]);
    expect(told.reason).toBe('the call was transferred');
  });

  it('refuses an address that is none', async () => {
    const clock = new VirtualClock();
    const phone = telephone(clock, new DatagramNet(clock));
    expect(await codeOfRejection(dial(phone, clock, 'tel:123'))).toBe('sip.bad_address');
  });
});

describe('a registration', () => {
  it('answers the challenge, comes again in time, and is taken back', async () => {
    const clock = new VirtualClock();
    const net = new DatagramNet(clock);
    const registrar = await SipPhone.at(net, clock, SERVER, { host: PHONE.host, port: 5062 });
    registrar.answers = said => {
      if (said.method !== 'REGISTER') return null;
      const challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"\r\n';
      if (!said.headers.has('authorization')) return registrar.ok(said, '401 Unauthorized', challenge);
      return registrar.ok(said, '200 OK', `Contact: ${said.headers.get('contact')};expires=100\r\n`);
    };
    const agent = new UserAgent({
      ...{ clock, random: createRandom(1), log: silentLogger, resolve: resolveUri },
      hostFor: async () => PHONE.host,
      admit: () => ({ ok: true }),
      onInvite: () => {},
    });
    agent.addTransport(await udpTransport(net, { host: PHONE.host, port: 5062 }, agent));
    const registration = new Registration({
      agent,
      address: 'sip:bot@10.0.0.1',
      credentials: { user: 'bot', password: 'x' },
    });
    await clock.runFor(1000);
    expect(registration.isRegistered).toBe(true);
    const asked = () => registrar.asked('REGISTER');
    expect(asked()).toHaveLength(2);
    expect(asked()[1].headers.get('authorization')).toContain('username="bot"');
    expect(asked()[1].headers.get('contact')).toBe('<sip:bot@10.0.0.2:5062>');
    await clock.runFor(80_000);
    expect(asked()).toHaveLength(4);
    registrar.answers = null;
    await clock.runFor(80_000 + 33_000);
    expect(registration.isRegistered).toBe(false);
    registrar.answers = said =>
      said.method === 'REGISTER' ? registrar.ok(said, '200 OK', 'Expires: 60\r\n') : null;
    await clock.runFor(31_000);
    expect(registration.isRegistered).toBe(true);
    await Promise.all([registration.close(), clock.runFor(1000)]);
    expect(asked().at(-1)?.headers.get('expires')).toBe('0');
    await agent.close();
    expect(clock.pending).toBe(0);
  });
});

describe('streams', () => {
  it.each([false, true])('carry a call as datagrams do (TLS: %s)', async isTls => {
    const clock = new RealClock();
    const file = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
    const got: string[] = [];
    const server = await streamTransport(
      {
        at: { host: '127.0.0.1', port: 0 },
        tls: isTls ? { cert: file('cert'), key: file('key') } : null,
        ...{ isTls, clock, admits: () => true },
      },
      {
        message(message, flow) {
          if (!('method' in message)) return;
          got.push(`${flow.protocol} ${message.method}`);
          const text = messageBytes(message).toString();
          const answer = text
            .replace(/^.*\r\n/, 'SIP/2.0 486 Busy Here\r\n')
            .replace(/(\r\nTo: [^\r]*)/, '$1;tag=x');
          if (message.method === 'INVITE') flow.send(messageBytes(parseMessage(Buffer.from(answer))));
        },
        unreadable: (_flow, error) => void got.push(String(error)),
      },
    );
    const phone = telephone(clock, udpNetwork, { trustAll: true }, '127.0.0.1');
    const target = `sip:agent@127.0.0.1:${server.local.port};transport=${isTls ? 'tls' : 'tcp'}`;
    const { told } = await dial(phone, clock, target);
    for (let n = 0; n < 200 && got.length < 2; n++)
      await new Promise<void>(resolve => clock.setTimer(10, resolve));
    expect(told.reason).toBe('486 Busy Here');
    expect(got).toEqual(isTls ? ['TLS INVITE', 'TLS ACK'] : ['TCP INVITE', 'TCP ACK']);
    await phone.close();
    await server.close();
  });
});
