/** The SIP door against what networks and peers do: loss, order, races, swapped tags (docs/spec/sip.md §2). */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { offer, PHONE, SERVER, SipRig } from '../support/sip-phone.ts';

describe('over a network that loses and swaps', () => {
  it.each([1, 2, 3])('a call comes up and ends all the same (seed %i)', async seed => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    const random = createRandom(`loss ${seed}`);
    rig.net.fate = () => {
      const copies = random.next() < 0.35 ? [] : [5 + random.next() * 400];
      return random.next() < 0.1 ? [...copies, 5 + random.next() * 400] : copies;
    };
    // The telephone says its INVITE at 0, 0.5, 1.5, 3.5 … s until it is answered, and acknowledges every 200
    // (RFC 3261 §17.1.1.2).
    let acknowledged = 0;
    let nextMs = 0;
    let waitMs = 500;
    for (let ms = 0; ms < 32_000; ms += 50) {
      const statuses = phone.statuses();
      if (statuses.length === 0 && ms >= nextMs) {
        phone.invite();
        nextMs = ms + waitMs;
        waitMs *= 2;
      }
      const answers = statuses.filter(status => status === 200).length;
      for (; acknowledged < answers; acknowledged++) phone.within('ACK');
      await rig.clock.runFor(50);
    }
    expect(phone.statuses().at(-1)).toBe(200);
    expect(
      new Set(phone.said.flatMap(({ headers, status }) => (status === 200 ? [headers.get('to')] : []))).size,
    ).toBe(1);
    expect(rig.runtime.sessions.size).toBe(1);
    phone.within('BYE');
    const { branch, sequence } = phone;
    for (let tries = 0; tries < 11 && phone.statuses('BYE').length === 0; tries++) {
      await rig.clock.runFor(3000);
      if (phone.statuses('BYE').length > 0) break;
      Object.assign(phone, { branch: branch - 1, sequence: sequence - 1 });
      phone.within('BYE');
    }
    expect(phone.statuses('BYE')[0]).toBe(200);
    expect(rig.runtime.sessions.size).toBe(0);
    rig.net.fate = () => [5];
    await rig.close();
    expect(rig.net.open).toBe(1);
  });

  it('says 200 again until it is acknowledged, and gives up after 32 s with a BYE', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.answers = request => phone.ok(request);
    phone.invite();
    await rig.clock.runFor(31_000);
    const at = phone.said
      .filter(({ status }) => status === 200)
      .map(({ atMs }) => atMs - phone.answer().atMs);
    const gaps = at.slice(1).map((ms, n) => Math.round(ms - at[n]));
    // T1 doubling up to T2 (RFC 3261 §13.3.1.4).
    expect(gaps.slice(0, 6)).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.clock.runFor(2000);
    expect(phone.asked('BYE')).toHaveLength(1);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it('says a refusal again until it is acknowledged, and a BYE until it is answered', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite(
      {},
      offer({ codecs: 'PCMU' }).replace('AVP 0', 'AVP 98').replace('rtpmap:0 PCMU', 'rtpmap:98 iLBC'),
    );
    await rig.clock.runFor(1600);
    expect(phone.statuses()).toEqual([100, 488, 488, 488]);
    phone.request('ACK', {
      To: phone.said.at(-1)!.headers.get('to')!,
      Via: `SIP/2.0/UDP ${PHONE.host}:${PHONE.port};branch=z9hG4bK-1;rport`,
    });
    await rig.clock.runFor(10_000);
    expect(phone.statuses()).toHaveLength(4);
    phone.callId = 'other';
    phone.branch = 20;
    await phone.call();
    [...rig.runtime.sessions.values()][0].close('over');
    await rig.clock.runFor(3600);
    expect(phone.asked('BYE').map(({ atMs }) => Math.round(atMs - phone.asked('BYE')[0].atMs))).toEqual([
      0, 500, 1500, 3500,
    ]);
    await rig.close();
  });
});

describe('races', () => {
  it('CANCEL before the answer ends it with 487, and after it changes nothing', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite();
    phone.request('CANCEL');
    await rig.clock.runFor(50);
    // Both stood in one instant: either the call was not answered yet, or it is too late and the caller hangs up.
    expect(phone.statuses('CANCEL')).toEqual([200]);
    const wasAnswered = phone.statuses().includes(200);
    expect(phone.statuses().includes(487)).toBe(!wasAnswered);
    expect(rig.runtime.sessions.size).toBe(wasAnswered ? 1 : 0);
    phone.callId = 'late';
    phone.branch = 7;
    phone.invite();
    await rig.clock.runFor(50);
    phone.request('CANCEL');
    await rig.clock.runFor(50);
    expect(phone.statuses('CANCEL')).toEqual([200, 200]);
    phone.within('ACK');
    await rig.clock.runFor(50);
    expect(rig.runtime.sessions.size).toBeGreaterThan(0);
    phone.within('BYE');
    await rig.clock.runFor(50);
    phone.request('CANCEL', { 'Call-ID': 'nobody', Via: 'SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK-x;rport' });
    await rig.clock.runFor(50);
    expect(phone.statuses('CANCEL').at(-1)).toBe(481);
    await rig.close();
  });

  it('CANCEL while ports are being opened frees them', async () => {
    const rig = await SipRig.open();
    const { net } = rig;
    const phone = await rig.phone();
    const bind = net.bind.bind(net);
    net.bind = async (...given) => {
      await new Promise<void>(resolve => rig.clock.setTimer(30, resolve));
      return bind(...given);
    };
    phone.invite();
    await rig.clock.runFor(20);
    phone.request('CANCEL');
    await rig.clock.runFor(500);
    expect(phone.statuses()).toEqual([100, 487]);
    expect(net.open).toBe(2);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it('a second INVITE before the first is acknowledged waits, an old number is refused, the same call by two ways is one', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    phone.invite();
    await rig.clock.runFor(50);
    phone.within('INVITE', {}, offer());
    await rig.clock.runFor(50);
    expect(phone.statuses().at(-1)).toBe(500);
    phone.request('ACK', { To: phone.answer().headers.get('to')!, CSeq: '1 ACK' });
    await rig.clock.runFor(50);
    phone.sequence = 0;
    phone.branch = 50;
    phone.within('INFO');
    await rig.clock.runFor(50);
    expect(phone.statuses('INFO')).toEqual([500]);
    phone.branch = 90;
    phone.sequence = 1;
    phone.invite();
    await rig.clock.runFor(50);
    expect(phone.statuses().at(-1)).toBe(482);
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.close();
  });
});

describe('peers as they are', () => {
  // sipp's built-in scenario, when something unexpected comes to it.
  it('sipp: a BYE whose tags are swapped and whose address is its own ends the call', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    const { headers } = phone.answer();
    phone.sequence += 1;
    phone.branch += 1;
    phone.request(
      'BYE',
      { From: headers.get('to')!, To: headers.get('from')! },
      '',
      'sip:sipp@10.0.0.2:5070',
    );
    await rig.clock.runFor(50);
    expect(phone.statuses('BYE')).toEqual([200]);
    expect(rig.runtime.sessions.size).toBe(0);
    await rig.close();
  });

  it('a peer that asked for nothing is asked for nothing within its call', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call({ Supported: 'timer, replaces' });
    await rig.clock.runFor(50_000);
    expect(phone.said.filter(({ method }) => method !== '')).toEqual([]);
    await rig.close();
  });

  it('linphone: keys at the clock of the sound, a BYE without a length, an address of IPv6 that it does not use', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    const lines = [
      'a=rtpmap:99 telephone-event/48000',
      'a=rtpmap:100 telephone-event/16000',
      'a=rtcp-fb:* trr-int 1000',
    ];
    await phone.call(
      {},
      offer({ lines: lines.join('\r\n') })
        .replace('AVP 0 101', 'AVP 0 99 100 101')
        .replace('c=IN IP4 10.0.0.2', 'c=IN IP6 ::1'),
    );
    expect(phone.answer().body).toContain('a=rtpmap:101 telephone-event/8000');
    expect(phone.answer().body).not.toContain('48000');
    const answer = phone.answer();
    phone.raw(
      [
        'BYE sip:agent@10.0.0.1 SIP/2.0',
        'v: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK-bye;rport',
        'f: <sip:caller@10.0.0.2>;tag=phone-tag',
        `t: ${answer.headers.get('to')}`,
        `i: ${phone.callId}`,
        'CSeq: 9 BYE',
        '',
        '',
      ].join('\n'),
    );
    await rig.clock.runFor(50);
    expect(phone.statuses('BYE')).toEqual([200]);
    await rig.close();
  });

  it('answers to where it came from with rport, to the named port without, and says where it saw the peer', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    const other = await rig.phone({ host: PHONE.host, port: 5999 });
    phone.request('OPTIONS', { Via: 'SIP/2.0/UDP 192.168.1.9:5999;branch=z9hG4bK-a;rport' });
    phone.request('OPTIONS', { Via: 'SIP/2.0/UDP 10.0.0.2:5999;branch=z9hG4bK-b' });
    await rig.clock.runFor(50);
    expect(phone.said.map(({ status }) => status)).toEqual([200]);
    expect(phone.said[0].headers.get('via')).toBe(
      'SIP/2.0/UDP 192.168.1.9:5999;branch=z9hG4bK-a;rport=5070;received=10.0.0.2',
    );
    expect(other.said.map(({ status }) => status)).toEqual([200]);
    expect(phone.said[0].headers.get('allow')).toContain('INVITE');
    await rig.close();
  });

  it('keeps the way of a proxy: Record-Route comes back, and our requests take it', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    const proxy = await rig.phone({ host: '10.0.0.5', port: 5060 });
    const route = '<sip:10.0.0.5;lr>';
    await phone.call({ 'Record-Route': `${route}, <sip:10.0.0.6;lr>` });
    expect(phone.answer().headers.get('record-route')).toBe(`${route}, <sip:10.0.0.6;lr>`);
    [...rig.runtime.sessions.values()][0].close('over');
    await rig.clock.runFor(100);
    expect(proxy.asked('BYE')[0].headers.get('route')).toBe(`${route}, <sip:10.0.0.6;lr>`);
    expect(proxy.asked('BYE')[0].first).toBe('BYE sip:caller@10.0.0.2:5070 SIP/2.0');
    expect(phone.asked('BYE')).toEqual([]);
    await rig.close();
  });

  it('goes nowhere that a caller names, and refuses what it does not know with a reason', async () => {
    const rig = await SipRig.open();
    const phone = await rig.phone();
    await phone.call();
    phone.within('REFER', { 'Refer-To': '<sip:9001900@10.0.0.9>' });
    phone.within('PUBLISH');
    phone.within('NOTIFY', { Event: 'refer' }, 'SIP/2.0 200 OK');
    await rig.clock.runFor(50);
    expect([phone.statuses('REFER'), phone.statuses('PUBLISH'), phone.statuses('NOTIFY')]).toEqual([
      [603],
      [405],
      [489],
    ]);
    phone.callId = 'outside';
    for (const [method, over, status] of [
      ['REGISTER', {}, 405],
      ['SUBSCRIBE', {}, 405],
      ['FOO', {}, 501],
      ['INVITE', { Require: '100rel' }, 420],
      ['INVITE', { 'Content-Type': 'text/plain' }, 415],
      ['INVITE', { CSeq: '1 OPTIONS' }, 400],
      ['BYE', { To: '<sip:agent@10.0.0.1>;tag=nobody' }, 481],
    ] as const) {
      phone.branch += 1;
      phone.callId = `outside ${phone.branch}`;
      phone.request(method, over, method === 'INVITE' ? offer() : '');
      await rig.clock.runFor(50);
      expect([method, phone.said.at(-1)?.status]).toEqual([method, status]);
    }
    await rig.close();
  });
});

it('calls one after the other leave nothing behind', async () => {
  const rig = await SipRig.open({}, { callsPerSecond: 1000 });
  const phone = await rig.phone();
  const before = rig.net.open;
  for (let n = 0; n < 40; n++) {
    Object.assign(phone, { callId: `call ${n}`, branch: 10 * n, sequence: 1, tag: `t${n}` });
    phone.invite();
    await rig.clock.runFor(15);
    phone.within('ACK');
    phone.within('BYE');
    await rig.clock.runFor(15);
    phone.said.length = 0;
  }
  await rig.clock.runFor(40_000);
  expect(rig.runtime.sessions.size).toBe(0);
  expect(rig.net.open).toBe(before);
  expect(rig.clock.pending).toBeLessThan(20);
  await rig.close();
  expect(SERVER.host).toBe('10.0.0.1');
});
