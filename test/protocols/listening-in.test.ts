/** A person watches a call that a fake carrier brings, over connections in memory. */
import { describe, expect, it } from 'vitest';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { listeningDoor, type ListeningOptions } from '../../protocols/listening-in/index.ts';
import { maskedNumber } from '../../protocols/listening-in/numbers.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { PhoneRig, PhoneWire } from '../support/phone-rig.ts';

const IDS = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1' };

async function watchedCall(numbers: ListeningOptions['numbers'] = 'masked', keys: string[] = []) {
  const rig = new PhoneRig({ replies: [[{ text: 'One two three.', frames: 20 }]], words: true }, {}, keys);
  await rig.openDoor(
    twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS }),
  );
  await rig.openDoor(listeningDoor({ numbers }));
  const key: Record<string, string> = keys[0] === undefined ? {} : { authorization: `Bearer ${keys[0]}` };
  const wire = rig.connect('/twilio', key);
  if (!(wire instanceof PhoneWire)) throw new Error('No call.');
  const list = async (headers = key) => {
    const answer = await rig.routes.answer(rig.request('/calls', headers));
    return { status: answer.status, ...JSON.parse(String(answer.body)) };
  };
  const watch = (id: string, headers = key) => rig.connect(`/calls/${id}/listen`, headers);
  return { rig, list, watch };
}

function call(rig: PhoneRig) {
  const parameters = { from: '+15005550006', to: '+442071838750' };
  return rig.call('/twilio', new TwilioSide({ ...IDS, parameters }));
}
const told = ({ sent }: PhoneWire) =>
  sent.flatMap(frame => (typeof frame === 'string' ? [JSON.parse(frame)] : []));
const loud = ({ sent }: PhoneWire) =>
  sent.filter(
    frame => typeof frame !== 'string' && frame.some((byte, n) => n % 2 === 1 && byte > 2 && byte < 253),
  ).length;

describe('listening in', () => {
  it('lists calls with their numbers masked, and tells one as it happens, with both voices', async () => {
    const { rig, list, watch } = await watchedCall();
    const caller = call(rig);
    await caller.silence(100);
    const { id } = caller.session;
    expect((await list()).calls).toEqual([
      {
        ...{ id, carrier: 'twilio', from: '+•••••••••06', to: '+••••••••••50' },
        ...{ started_at: 0, with: 'agent' },
      },
    ]);
    const wire = watch(id) as PhoneWire;
    rig.word = 'hello';
    await caller.say(600);
    expect(loud(wire)).toBeGreaterThan(20);
    const before = loud(wire);
    await caller.until(() => caller.all('response.done').length > 0);
    await caller.silence(1500);
    expect(loud(wire) - before).toBeGreaterThan(50);
    const events = told(wire);
    const words = (type: string) =>
      events.flatMap(event => (event.type === type ? [event.delta] : [])).join('');
    expect(words('caller')).not.toBe('');
    expect(words('agent')).toBe('One two three.');
    const { waterfall } = events.find(({ type }) => type === 'trace').trace;
    const sum = waterfall.entries.reduce((ms: number, entry: { ms: number }) => ms + entry.ms, 0);
    expect(sum).toBeCloseTo(waterfall.total_ms, 6);
    // Who comes later is told what was said.
    const later = watch(id) as PhoneWire;
    expect(told(later).map(({ type }) => type)).toEqual(['caller', 'agent', 'agent.done']);
    caller.wire.drop();
    expect([wire.closed, later.closed]).toEqual([
      { code: 1000, reason: 'the call is over' },
      { code: 1000, reason: 'the call is over' },
    ]);
    expect((await list()).calls).toEqual([]);
    expect(watch(id)).toMatchObject({ status: 404 });
  });

  it('tells that keys were pressed and not which', async () => {
    const { rig, watch } = await watchedCall('shown');
    const caller = call(rig);
    await caller.silence(100);
    const wire = watch(caller.session.id) as PhoneWire;
    for (const key of '4711#') caller.call.press(key);
    await caller.silence(3000);
    expect(JSON.stringify(told(wire))).toContain('(keys)');
    expect(JSON.stringify(told(wire))).not.toContain('4711');
  });

  it('is for who has a key, takes nothing, and is bounded', async () => {
    const { rig, list, watch } = await watchedCall('masked', ['secret']);
    expect((await list({})).status).toBe(401);
    const opened = rig.connect('/twilio', { authorization: 'Bearer secret' }) as PhoneWire;
    for (const frame of new TwilioSide({ ...IDS, parameters: {} }).opening()) opened.receive(frame);
    const id = (await list()).calls[0].id;
    expect(watch(id, {})).toMatchObject({ status: 401 });
    const wires = Array.from({ length: 8 }, () => watch(id) as PhoneWire);
    expect(watch(id)).toMatchObject({ status: 503 });
    wires[0].receive('{"type":"response.create"}');
    expect(wires[0].closed?.code).toBe(1008);
    wires[1].unsent = 200_000;
    await rig.clock.runFor(40);
    expect(wires[1].closed?.reason).toMatch(/^slow reader/);
    expect(watch(id)).toBeInstanceOf(PhoneWire);
    for (const wire of wires) wire.drop();
  });

  it.each([
    ['sip:+15005550006@pbx.example.org;user=phone', 'sip:+•••••••••06@pbx.example.org;user=phone'],
    ['sip:alice@10.0.0.2', 'sip:a••••@10.0.0.2'],
    ['101', '1••'],
    ['', ''],
  ])('masks %s', (text, masked) => {
    expect(maskedNumber(text)).toBe(masked);
  });
});
