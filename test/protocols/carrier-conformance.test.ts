/**
 * Whatever a carrier's frames are, they cost themselves or their call; the rest of the call goes on
 * (docs/spec/protocols.md §7).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { AsteriskSide } from '../../cli/fake-carrier/asterisk-side.ts';
import type { Faults } from '../../cli/fake-carrier/faults.ts';
import type { CarrierSide } from '../../cli/fake-carrier/side.ts';
import { GenesysSide } from '../../cli/fake-carrier/genesys-side.ts';
import { StreamSide } from '../../cli/fake-carrier/stream-side.ts';
import { PlivoSide } from '../../cli/fake-carrier/plivo-side.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { VonageSide } from '../../cli/fake-carrier/vonage-side.ts';
import { asteriskDoor } from '../../protocols/asterisk/index.ts';
import { genesysDoor } from '../../protocols/genesys/index.ts';
import { exotelDoor, telnyxDoor } from '../../protocols/json-streams/index.ts';
import { plivoDoor } from '../../protocols/plivo/index.ts';
import { DEFAULT_DIGITS, type DigitSettings } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { vonageDoor } from '../../protocols/vonage/index.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

const REPLY = [{ text: 'One two three four five.', frames: 40 }];
const twilio = (parameters: Record<string, string> = {}) =>
  new TwilioSide({ streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1', parameters });
const CARRIERS = {
  twilio: ['/twilio', () => twilio()],
  telnyx: ['/telnyx', () => new StreamSide('telnyx')],
  exotel: ['/exotel', () => new StreamSide('exotel')],
  plivo: ['/plivo', () => new PlivoSide()],
  vonage: ['/vonage', () => new VonageSide()],
  genesys: ['/genesys', () => new GenesysSide()],
  'genesys, both voices': ['/genesys', () => new GenesysSide(true)],
  'asterisk, plain text': ['/asterisk', () => new AsteriskSide('plain-text')],
  'asterisk, JSON': ['/asterisk', () => new AsteriskSide('json')],
} satisfies Record<string, [string, () => CarrierSide]>;

async function phoneRig(digits: DigitSettings = DEFAULT_DIGITS) {
  const rig = new PhoneRig({ replies: [REPLY] });
  await rig.openDoor(twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits }));
  for (const door of [asteriskDoor, telnyxDoor, exotelDoor, vonageDoor]) await rig.openDoor(door(digits));
  await rig.openDoor(genesysDoor({ clientSecret: null, publicUrl: null, digits }));
  await rig.openDoor(plivoDoor({ authToken: null, publicUrl: null, digits }));
  return rig;
}

const started = async (path: string, side: CarrierSide) => {
  const rig = await phoneRig();
  const wire = rig.connect(path) as PhoneWire;
  for (const frame of side.opening()) wire.receive(frame);
  return { rig, wire };
};

describe.each(Object.entries(CARRIERS))('%s', (name, [path, side]) => {
  const isAsterisk = name.startsWith('asterisk');
  /** Binary frames have no numbers. */
  const isNumbered = !isAsterisk && name !== 'vonage' && !name.startsWith('genesys');
  const FAULTS: [string, Faults][] = [
    ['lost', { lose: 0.05 }],
    ['twice', { duplicate: 0.2 }],
    ['in half', { cut: 0.02 }],
    ...(isNumbered
      ? ([
          ['reordered', { swap: 0.3 }],
          ['late', { delay: 0.1, delayMs: 70 }],
        ] as [string, Faults][])
      : []),
  ];

  it.each(FAULTS)('with frames that come %s is still a conversation', async (_what, faults) => {
    const rig = await phoneRig();
    const caller = rig.call(path, side(), { faults, random: createRandom(7), networkMs: 30 });
    await caller.say(700);
    await caller.silence(4000);
    expect(caller.wire.closed).toBeNull();
    expect(caller.all('response.done').map(({ status }) => status.kind)).toContain('completed');
    expect(caller.playedMs).toBeGreaterThanOrEqual(2400);
  });

  it('before its call is begun has nothing to say: such frames are counted, and the call may still begin', async () => {
    const rig = await phoneRig();
    const wire = rig.connect(path) as PhoneWire;
    const one = side();
    const opening = one.opening();
    wire.receive(one.media(Buffer.alloc(160)));
    wire.receive(one.key('1'));
    wire.receive(one.marked('m1'));
    expect(rig.runtime.sessions.size).toBe(0);
    for (const frame of opening) wire.receive(frame);
    expect(rig.runtime.sessions.size).toBe(1);
    for (const frame of opening) wire.receive(frame);
    expect(rig.runtime.sessions.size).toBe(1);
    expect(wire.closed).toBeNull();
  });

  it('that begins no call within 10 s is closed', async () => {
    const rig = await phoneRig();
    const wire = rig.connect(path) as PhoneWire;
    await rig.clock.runFor(9999);
    expect(wire.closed).toBeNull();
    await rig.clock.runFor(1);
    expect(wire.closed).toEqual({ code: 1008, reason: 'no call was begun' });
  });

  it('whose line falls silent for a minute is ended, and with it its session', async () => {
    const { rig, wire } = await started(path, side());
    await rig.clock.runFor(60_000);
    expect(wire.closed).toEqual({ code: 1000, reason: 'the line is silent' });
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('that drops its line in the middle of a reply leaves nothing behind', async () => {
    const rig = await phoneRig();
    const caller = rig.call(path, side());
    await caller.say(600);
    await caller.silence(1500);
    caller.call.stop();
    caller.wire.drop();
    await rig.clock.runFor(10_000);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('that floods loses its connection, and no other does', async () => {
    const { rig, wire } = await started(path, side());
    const other = rig.call(path, side());
    const one = side();
    one.opening();
    for (let n = 0; n < 1500 && !wire.closed; n++) wire.receive(one.media(Buffer.alloc(160)));
    expect(wire.closed).toMatchObject({ code: 1008 });
    await other.say(600);
    await other.silence(4000);
    expect(other.all('response.done')).toHaveLength(1);
  });

  it('that does not read loses its connection', async () => {
    const { rig, wire } = await started(path, side());
    wire.unsent = 2 << 20;
    const [session] = rig.runtime.sessions.values();
    session.send({ type: 'item.add', item: { role: 'user', content: [{ type: 'text', text: 'Hello' }] } });
    session.send({ type: 'response.create' });
    await rig.clock.runFor(2000);
    expect(wire.closed).toMatchObject({ code: 1008 });
    expect(wire.closed?.reason).toMatch(/^slow reader/);
  });

  it('whose session ends is hung up on', async () => {
    const { rig, wire } = await started(path, side());
    for (const session of rig.runtime.sessions.values()) session.close('enough');
    expect(wire.closed).toEqual({ code: 1000, reason: 'enough' });
    if (isAsterisk) expect(String(wire.sent.at(-1))).toContain('HANGUP');
  });

  it('whose frames are noise, costs fifty of them and then itself', async () => {
    const NOISE = [
      '',
      '{',
      '[]',
      'null',
      '"media"',
      '{"event":"media"}',
      `${'['.repeat(5000)}`,
      '{"event":{"length":{}}}',
    ];
    const JSON_NOISE = [
      '{"event":"start"}',
      '{"event":"media","media":{"payload":7}}',
      '{"event":"mark","mark":null}',
    ];
    const { rig, wire } = await started(path, side());
    const frames = !isAsterisk ? [...NOISE, ...JSON_NOISE] : ['', '{', '[]', 'media start', 'x'.repeat(9000)];
    for (const frame of frames) wire.receive(frame);
    expect(wire.closed).toBeNull();
    expect(rig.runtime.sessions.size).toBe(1);
    for (let n = 0; n < 60 && !wire.closed; n++) wire.receive('{');
    expect(wire.closed).toEqual({ code: 1008, reason: 'too many frames that cannot be read' });
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('may send anything: no fault of ours, ever', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('m1', 'inbound', '1', '160', '//8=', -1, 1e308, null),
    );
    const event = fc.constantFrom(
      'connected',
      'start',
      'media',
      'mark',
      'dtmf',
      'stop',
      'playedStream',
      'websocket:connected',
      'websocket:dtmf',
      'MEDIA_START',
      'MEDIA_XOFF',
      'DTMF_END',
    );
    const json = fc.record({
      event,
      media: fc.oneof(value, fc.record({ chunk: value, timestamp: value, payload: value, track: value })),
      mark: fc.record({ name: value }),
      dtmf: fc.record({ digit: value }),
      start: fc.record({ callSid: value, customParameters: value, mediaFormat: value }),
      format: value,
      digit: value,
      correlation_id: value,
    });
    const frame = fc.oneof(
      json.map(one => JSON.stringify(one)),
      fc.string({ maxLength: 60 }),
      event.chain(one => fc.string({ maxLength: 40 }).map(rest => `${one} ${rest}`)),
      fc.uint8Array({ maxLength: 400 }),
    );
    const rig = await phoneRig();
    const opening = side().opening();
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 25 }), frames => {
        const wire = rig.connect(path) as PhoneWire;
        for (const one of opening) wire.receive(one);
        for (const one of frames) wire.receive(one);
        expect(wire.closed?.code).not.toBe(1011);
        wire.drop();
      }),
      { numRuns: 60 },
    );
    expect(rig.runtime.sessions.size).toBe(0);
    expect(rig.logged.filter(({ text }) => text.includes('failed'))).toEqual([]);
  });
});

describe('Asterisk', () => {
  it('that says stop gets nothing until it says go on, and then all of it', async () => {
    const rig = await phoneRig();
    const caller = rig.call('/asterisk', new AsteriskSide('json'));
    await caller.say(600);
    await caller.silence(800);
    caller.wire.receive(JSON.stringify({ event: 'MEDIA_XOFF' }));
    const before = caller.wire.sent.length;
    await caller.silence(300);
    expect(caller.wire.sent.length).toBe(before);
    caller.wire.receive(JSON.stringify({ event: 'MEDIA_XON' }));
    await caller.silence(4000);
    expect(caller.playedMs).toBeGreaterThanOrEqual(2400);
  });

  it('that offers a codec or frames we do not speak is told so and begins no call', async () => {
    for (const start of ['format:opus optimal_frame_size:160', 'format:ulaw optimal_frame_size:240']) {
      const rig = await phoneRig();
      const wire = rig.connect('/asterisk') as PhoneWire;
      wire.receive(`MEDIA_START connection_id:a channel_id:b ${start} ptime:20`);
      expect(rig.runtime.sessions.size).toBe(0);
      expect(JSON.stringify(rig.logged)).toContain('cannot be read');
    }
  });

  it('comes in with a key as the password of its client', async () => {
    const rig = new PhoneRig({}, {}, ['a key']);
    await rig.openDoor(asteriskDoor(DEFAULT_DIGITS));
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`asterisk:${password}`).toString('base64')}`,
    });
    expect(rig.connect('/asterisk')).toMatchObject({ status: 401 });
    expect(rig.connect('/asterisk', basic('another'))).toMatchObject({ status: 401 });
    const keyed = new PhoneRig({}, {}, ['akey']);
    await keyed.openDoor(asteriskDoor(DEFAULT_DIGITS));
    expect(keyed.connect('/asterisk', basic('akey'))).toBeInstanceOf(PhoneWire);
  });
});

describe('Telnyx and Exotel', () => {
  it('come in with the key of their address', async () => {
    const rig = new PhoneRig({}, {}, ['a key']);
    for (const door of [telnyxDoor, exotelDoor]) await rig.openDoor(door(DEFAULT_DIGITS));
    for (const path of ['/telnyx', '/exotel']) {
      expect(rig.connect(path)).toMatchObject({ status: 401 });
      expect(rig.connect(`${path}?key=another`)).toMatchObject({ status: 401 });
      expect(rig.connect(`${path}?key=a%20key`)).toBeInstanceOf(PhoneWire);
    }
  });

  it('that offer what we do not speak are told so and begin no call', async () => {
    const rig = await phoneRig();
    for (const [path, encoding, sample_rate] of [
      ['/telnyx', 'OPUS', 16_000],
      ['/telnyx', 'L16', 8000],
      ['/exotel', 'base64', '11025'],
    ]) {
      const wire = rig.connect(String(path)) as PhoneWire;
      const media_format = { encoding, sample_rate };
      wire.receive(
        JSON.stringify({ event: 'start', stream_id: 's', start: { call_control_id: 'c', media_format } }),
      );
      expect(rig.runtime.sessions.size).toBe(0);
      expect(JSON.stringify(rig.logged)).toContain('is not spoken here');
    }
  });
});

describe('keys in a call', () => {
  it('stop the agent, come into the conversation as one entry and are answered; no log shows them', async () => {
    const rig = await phoneRig();
    const caller = rig.call('/twilio', twilio(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(1400);
    caller.call.press('1');
    await caller.silence(300);
    expect(caller.call.clears).toBe(1);
    expect(caller.call.queue.isPlaying).toBe(false);
    for (const key of '234#') caller.call.press(key);
    await caller.silence(4000);
    const typed = caller.session.items.filter(
      ({ role, content }) => role === 'user' && content[0].type === 'text',
    );
    expect(typed.map(({ content }) => content)).toEqual([[{ type: 'text', text: '1234' }]]);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['cancelled', 'completed']);
    const [cut] = caller.all('item.truncated');
    expect(cut.audioEndMs).toBeLessThanOrEqual(caller.playedMs - 2400 + 20);
    expect(JSON.stringify(rig.logged)).not.toMatch(/1234/);
    expect(JSON.stringify(rig.logged)).toContain('••••');
  });

  it('take nothing from an answer that was heard to its end', async () => {
    const rig = await phoneRig();
    const caller = rig.call('/twilio', twilio(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(5000);
    for (const key of '7#') caller.call.press(key);
    await caller.silence(4000);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['completed', 'completed']);
    expect(caller.all('item.truncated')).toEqual([]);
    expect(caller.call.clears).toBe(0);
  });

  it('while the caller speaks belong to that turn, which answers both', async () => {
    const rig = await phoneRig();
    const caller = rig.call('/twilio', twilio());
    await caller.say(400);
    for (const key of '42#') caller.call.press(key);
    await caller.say(400);
    await caller.silence(4500);
    expect(caller.all('response.done')).toHaveLength(1);
    const users = caller.session.items
      .filter(({ role }) => role === 'user')
      .map(({ content }) => content[0].type);
    expect(users.sort()).toEqual(['audio', 'text']);
  });
});

describe('the parameters of a call', () => {
  it('may instruct the agent, as the operator wrote them', async () => {
    const rig = await phoneRig();
    const caller = rig.call('/twilio', twilio({ instructions: 'You are a taxi dispatcher.' }));
    await caller.silence(100);
    expect(caller.session.settings.instructions).toBe('You are a taxi dispatcher.');
  });

  it('do not change the policy: a telephone’s holds from the first word where the operator left it open', async () => {
    const rig = await phoneRig();
    const vad = { threshold: 0.5, prefixPaddingMs: 300, endpointSilenceMs: 650, speculateSilenceMs: 160 };
    const telephone = { threshold: 0.6, endpointSilenceMs: 700, speculateSilenceMs: 240 };
    const meaning = { floorMs: 360, ceilingMs: 2600, doneBelow: 0.001, goesOnAbove: 0.8, judgeAgainMs: 160 };
    const turnDetection = {
      ...{ mode: 'vad' as const, ...vad, createResponse: true, interruptResponse: true },
      telephone: { ...telephone, meaning },
    };
    const narrow = new PhoneRig({}, { turnDetection });
    await narrow.openDoor(
      twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS }),
    );
    await narrow.openDoor(asteriskDoor(DEFAULT_DIGITS));
    const caller = narrow.call('/twilio', twilio());
    await caller.silence(40);
    expect(caller.session.settings.turnDetection).toMatchObject({ ...telephone, telephone: null });
    const wide = narrow.call('/asterisk', new AsteriskSide('json', 'slin16'));
    await wide.silence(40);
    expect(wide.session.settings.turnDetection).toMatchObject({ ...vad, telephone });
    void rig;
  });
});
