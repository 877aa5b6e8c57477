/** What is Plivo's and Vonage's own; what they share with the other carriers is in `carrier-conformance.test.ts`. */
import { describe, expect, it } from 'vitest';
import { PlivoSide } from '../../cli/fake-carrier/plivo-side.ts';
import { VonageSide } from '../../cli/fake-carrier/vonage-side.ts';
import { type PlivoOptions, plivoDoor } from '../../protocols/plivo/index.ts';
import { plivoSignature } from '../../protocols/plivo/signature.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { vonageDoor } from '../../protocols/vonage/index.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

const REPLY = [{ text: 'One two three four five.', frames: 40 }];
const TOKEN = 'a token';

async function plivoRig(options: Partial<PlivoOptions> = {}, keys: readonly string[] = []) {
  const rig = new PhoneRig({ replies: [REPLY] }, {}, keys);
  await rig.openDoor(plivoDoor({ authToken: null, publicUrl: null, digits: DEFAULT_DIGITS, ...options }));
  return rig;
}
const signed = (url: string, form?: URLSearchParams) => ({
  'x-plivo-signature-v3': `stale=,${plivoSignature(TOKEN, { url, nonce: 'n1', form })}`,
  'x-plivo-signature-v3-nonce': 'n1',
});

describe('Plivo’s signature', () => {
  // Each was held true by `validateV3Signature` of the package plivo 4.79.0.
  it.each([
    ['wss://voice.example.com/plivo', '', '', 'EypRq765nHBGskzqEYwepao/u8Wd6SjDOsza37BBpO0='],
    ['https://voice.example.com/plivo/answer', 'b=2&a=1', '', 'D2rizUVH8H6NRiHnNfOqCjq1OsXpHO/IvJIM82Wd5KI='],
    [
      'https://voice.example.com/plivo/answer',
      '',
      'To=15005550001&From=15005550006&CallUUID=c1',
      'pCEY2AH0A7S9zcMAgAhdDhRMObYivGOfTXhCnSiRe/k=',
    ],
    [
      'https://voice.example.com/plivo/answer',
      'b=2&a=1',
      'To=15005550001&From=15005550006',
      'q1y/79BgPtG+XPTdBjnLs9wjFRgcPBDyERxjt3wzjKc=',
    ],
  ])('is that of Plivo’s libraries: %s %s %s', (url, query, form, wanted) => {
    const of = { url, nonce: 'n1', query: new URLSearchParams(query), form: new URLSearchParams(form) };
    expect(plivoSignature(TOKEN, of)).toBe(wanted);
  });

  it('is asked of everybody where there is a token', async () => {
    const rig = await plivoRig({ authToken: TOKEN }, ['key']);
    expect(rig.connect('/plivo', signed('wss://localhost:8080/plivo'))).toBeInstanceOf(PhoneWire);
    const { 'x-plivo-signature-v3': signature } = signed('wss://localhost:8080/plivo');
    const cases: [string, Record<string, string>][] = [
      ['/plivo', {}],
      ['/plivo', { 'x-plivo-signature-v3': signature }],
      ['/plivo', { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': 'n2' }],
      ['/plivo', { ...signed('wss://localhost:8080/twilio') }],
      ['/plivo', { ...signed('wss://elsewhere.example.com/plivo') }],
      ['/plivo?key=key', {}],
    ];
    for (const [path, headers] of cases) expect(rig.connect(path, headers)).toMatchObject({ status: 403 });
    const behind = await plivoRig({ authToken: TOKEN, publicUrl: 'https://voice.example.com/' });
    expect(behind.connect('/plivo', signed('wss://voice.example.com/plivo'))).toBeInstanceOf(PhoneWire);
  });

  it('gives way to a key in the address where there is none', async () => {
    const rig = await plivoRig({}, ['a key']);
    expect(rig.connect('/plivo')).toMatchObject({ status: 401 });
    expect(rig.connect('/plivo?key=a%20key')).toBeInstanceOf(PhoneWire);
  });

  it('opens the answer that connects a call, to which only Plivo gets one', async () => {
    const rig = await plivoRig({ authToken: TOKEN });
    const form = new URLSearchParams({ From: '15005550006', To: '15005550001' });
    const headers = { 'x-forwarded-proto': 'https', ...signed('https://localhost:8080/plivo/answer', form) };
    const answer = await rig.routes.answer(rig.request('/plivo/answer', headers, String(form)));
    expect(answer).toMatchObject({ status: 200 });
    expect(answer?.body).toContain('bidirectional="true" keepCallAlive="true"');
    expect(answer?.body).toContain('>wss://localhost:8080/plivo</Stream>');
    const other = new URLSearchParams({ From: '15005550007', To: '15005550001' });
    expect(await rig.routes.answer(rig.request('/plivo/answer', headers, String(other)))).toMatchObject({
      status: 403,
    });
  });
});

describe('a call by Plivo', () => {
  it('is cleared when the caller speaks, its checkpoints say what was heard, and its headers are the call’s', async () => {
    const rig = await plivoRig();
    const caller = rig.call('/plivo', new PlivoSide(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(1400);
    await caller.say(900);
    await caller.silence(300);
    expect(caller.call.clears).toBe(1);
    expect(caller.call.queue.isPlaying).toBe(false);
    const trace = caller.all('turn.trace').at(-1)!.trace;
    expect(trace.interrupted).toBe(true);
    expect(trace.heardMs).toBeLessThanOrEqual(caller.playedMs);
    expect(trace.heardMs).toBeGreaterThanOrEqual(caller.playedMs - 120);
    expect(caller.call.complaints).toEqual([]);
  });

  it('in 16 kHz is one of 16 kHz both ways', async () => {
    const rig = await plivoRig();
    const caller = rig.call('/plivo', new PlivoSide('pcm16', 16_000));
    await caller.say(700);
    await caller.silence(4000);
    expect(caller.playedMs).toBe(2400);
    expect(caller.call.complaints).toEqual([]);
  });

  it('in a sound that is not spoken here is told so and begins no call', async () => {
    const rig = await plivoRig();
    for (const [encoding, sampleRate] of [
      ['audio/x-mulaw', 16_000],
      ['audio/opus', 16_000],
      ['audio/x-l16', 44_100],
    ]) {
      const wire = rig.connect('/plivo') as PhoneWire;
      const start = { streamId: 's', callId: 'c', mediaFormat: { encoding, sampleRate } };
      wire.receive(JSON.stringify({ event: 'start', start }));
      expect(rig.runtime.sessions.size).toBe(0);
      expect(JSON.stringify(rig.logged)).toContain('is not spoken here');
    }
  });
});

describe('a call by Vonage', () => {
  const open = async (keys: readonly string[] = []) => {
    const rig = new PhoneRig({ replies: [REPLY] }, {}, keys);
    await rig.openDoor(vonageDoor(DEFAULT_DIGITS));
    return rig;
  };

  it.each([8000, 16_000, 24_000] as const)('of %i Hz comes in frames of 20 ms, paced', async rateHz => {
    const rig = await open();
    const caller = rig.call('/vonage', new VonageSide(rateHz), { networkMs: 40 });
    await caller.say(700);
    let ahead = 0;
    for (let n = 0; n < 200; n++) {
      await caller.silence(20);
      ahead = Math.max(ahead, caller.call.queue.waitingBytes);
    }
    expect(caller.playedMs).toBe(2400);
    expect(caller.call.queue.underruns).toBe(0);
    // No more waits there than the pace allows.
    expect(ahead / ((rateHz / 1000) * 2)).toBeLessThanOrEqual(120);
    expect(caller.call.complaints).toEqual([]);
  });

  it('is cleared when the caller speaks; what counts as heard is not ahead of what was played', async () => {
    const rig = await open();
    const caller = rig.call('/vonage', new VonageSide(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(1400);
    await caller.say(900);
    await caller.silence(300);
    expect(caller.call.clears).toBe(1);
    const trace = caller.all('turn.trace').at(-1)!.trace;
    expect(trace.interrupted).toBe(true);
    expect(trace.heardMs).toBeLessThanOrEqual(caller.playedMs + 20);
    expect(trace.heardMs).toBeGreaterThanOrEqual(caller.playedMs - 120);
  });

  it('brings keys in both their forms, and its key in the address', async () => {
    const rig = await open(['a key']);
    expect(rig.connect('/vonage')).toMatchObject({ status: 401 });
    const caller = rig.call('/vonage?key=a%20key', new VonageSide());
    await caller.silence(40);
    caller.call.press('4');
    caller.call.inject(JSON.stringify({ event: 'websocket:dtmf', dtmf: { digit: '2' } }));
    caller.call.press('#');
    await caller.silence(200);
    const typed = caller.session.items.flatMap(({ content }) =>
      content[0]?.type === 'text' ? [content[0].text] : [],
    );
    expect(typed).toContain('42');
  });

  it('in a sound that is not spoken here is told so and begins no call', async () => {
    const rig = await open();
    for (const type of ['audio/l16;rate=44100', 'audio/ogg', undefined]) {
      const wire = rig.connect('/vonage') as PhoneWire;
      wire.receive(JSON.stringify({ event: 'websocket:connected', 'content-type': type }));
      expect(rig.runtime.sessions.size).toBe(0);
    }
  });
});
