import { describe, expect, it } from 'vitest';
import { AsteriskSide } from '../../cli/fake-carrier/asterisk-side.ts';
import type { CarrierSide } from '../../cli/fake-carrier/side.ts';
import { StreamSide } from '../../cli/fake-carrier/stream-side.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { asteriskDoor } from '../../protocols/asterisk/index.ts';
import { exotelDoor, telnyxDoor } from '../../protocols/json-streams/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { PhoneRig } from '../support/phone-rig.ts';

const REPLY = [{ text: 'One two three four five.', frames: 40 }];
const REPLY_MS = 40 * 60;
const ids = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1' };
const CARRIERS = {
  twilio: ['/twilio', () => new TwilioSide({ ...ids, parameters: {} })],
  telnyx: ['/telnyx', () => new StreamSide('telnyx')],
  exotel: ['/exotel', () => new StreamSide('exotel')],
  'asterisk, plain text': ['/asterisk', () => new AsteriskSide('plain-text')],
  'asterisk, JSON': ['/asterisk', () => new AsteriskSide('json', 'alaw')],
  'asterisk, wide band': ['/asterisk', () => new AsteriskSide('json', 'slin16')],
} satisfies Record<string, [string, () => CarrierSide]>;

async function phoneRig(options: ConstructorParameters<typeof PhoneRig>[0] = {}) {
  const rig = new PhoneRig({ replies: [REPLY], words: true, ...options });
  await rig.openDoor(
    twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS }),
  );
  for (const door of [asteriskDoor, telnyxDoor, exotelDoor]) await rig.openDoor(door(DEFAULT_DIGITS));
  return rig;
}

describe.each(Object.entries(CARRIERS))('a call by %s', (_name, [path, side]) => {
  it('is answered, and all of the answer is heard', async () => {
    const rig = await phoneRig();
    const caller = rig.call(path, side(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(4500);
    expect(caller.call.complaints).toEqual([]);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['completed']);
    // In whole frames, with the last one filled up.
    expect(caller.playedMs).toBeGreaterThanOrEqual(REPLY_MS);
    expect(caller.playedMs).toBeLessThan(REPLY_MS + 20);
    expect(caller.call.queue.underruns).toBe(0);
    expect(caller.all('turn.trace').at(-1)?.trace.heardMs).toBe(REPLY_MS);
    caller.call.hangUp();
    caller.wire.drop();
    await rig.clock.runFor(100);
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('is interrupted: the carrier throws away what it holds, and what was heard is known', async () => {
    const rig = await phoneRig();
    const caller = rig.call(path, side(), { networkMs: 40 });
    await caller.say(600);
    await caller.silence(1400);
    rig.word = 'stop';
    await caller.say(600);
    const played = caller.playedMs;
    await caller.silence(500);
    expect(caller.call.clears).toBe(1);
    expect(caller.playedMs).toBe(played);
    const [cut] = caller.all('item.truncated');
    expect(cut).toBeDefined();
    const trace = caller.all('turn.trace')[0].trace;
    expect(trace.interrupted).toBe(true);
    // No more than was played, and no less than what a mark and the way of the clear and of the mark leave unknown.
    expect(trace.heardMs).toBeLessThanOrEqual(played);
    expect(trace.heardMs).toBeGreaterThanOrEqual(played - 40 - 2 * 40 - 20);
  });
});
