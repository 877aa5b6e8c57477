/** Call events: what is told of a call, and how it reaches a server that is slow, away, or says no; in virtual time. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import type { CallEvent } from '../../protocols/call-events.ts';
import { CallWebhook, DEFAULT_DIGITS, signed } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { PhoneRig } from '../support/phone-rig.ts';

const ENDED: CallEvent = { type: 'call.ended', call: 'c', reason: 'over', durationMs: 1 };

/** `answers`: the status of each try, by its number; null: none comes, `hang`: not even an error. */
function webhook(answers: (n: number) => number | null | 'hang', secret: string | null = 'key') {
  const clock = new VirtualClock();
  const tries: { atMs: number; headers: Readonly<Record<string, string>>; body: string }[] = [];
  const warned: object[] = [];
  let [ids, atOnce, most] = [0, 0, 0];
  const hook = new CallWebhook({
    ...{ clock, secret, unixTimeMs: () => 1_000_000 + clock.nowMs(), newId: () => String(++ids) },
    log: { debug() {}, info() {}, warn: values => void warned.push(values), error() {} },
    post: (headers, body) => {
      tries.push({ atMs: clock.nowMs(), headers, body });
      const answer = answers(tries.length);
      atOnce += 1;
      most = Math.max(most, atOnce);
      return new Promise((resolve, reject) => {
        if (answer === 'hang') return;
        clock.setTimer(10, () => {
          atOnce -= 1;
          if (answer === null) reject(new Error('no answer'));
          else resolve(answer);
        });
      });
    },
  });
  return { clock, hook, tries, warned, most: () => most };
}

describe('a call event', () => {
  it('is one POST, signed over its name, its time and its body', async () => {
    const { clock, hook, tries } = webhook(() => 204);
    hook.tell(ENDED);
    await clock.runFor(100);
    expect(tries).toHaveLength(1);
    const [{ body, headers }] = tries;
    expect(JSON.parse(body)).toEqual({
      ...{ id: 'evt_1', type: 'call.ended', sequence: 1, created_at: 1000 },
      data: { call: 'c', reason: 'over', duration_ms: 1 },
    });
    const wanted = createHmac('sha256', 'key').update(`evt_1.1000.${body}`).digest('base64');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'evt_1',
      'webhook-timestamp': '1000',
      'webhook-signature': `v1,${wanted}`,
    });
    expect(hook.waiting).toBe(0);
  });

  // The example of the Standard Webhooks libraries' own tests.
  it('is signed as Standard Webhooks has it', () => {
    expect(
      signed(
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        '1614265330',
        '{"test": 2432232314}',
      ),
    ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('without a secret is unsigned', async () => {
    const { clock, hook, tries } = webhook(() => 200, null);
    hook.tell(ENDED);
    await clock.runFor(100);
    expect(tries[0].headers['webhook-signature']).toBeUndefined();
  });

  it('is said again under its name while nobody takes it, ever more seldom, and then given up', async () => {
    const { clock, hook, tries, warned } = webhook(n => [null, 500, 429, 408, 503, 502][n - 1]);
    hook.tell(ENDED);
    await clock.runFor(600_000);
    expect(tries.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([0, 1, 5, 20, 80, 320]);
    expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect([hook.waiting, hook.givenUp, warned.length]).toEqual([0, 1, 1]);
  });

  it('that is refused is not said again', async () => {
    const { clock, hook, tries } = webhook(() => 410);
    hook.tell(ENDED);
    await clock.runFor(600_000);
    expect([tries.length, hook.givenUp]).toEqual([1, 1]);
  });

  it('waits for others, four at once, a thousand in all', async () => {
    const { clock, hook, most, tries } = webhook(() => 200);
    for (let n = 0; n < 1005; n++) hook.tell(ENDED);
    await clock.runFor(10_000);
    expect([tries.length, most(), hook.givenUp]).toEqual([1000, 4, 5]);
    expect(tries.map(({ body }) => JSON.parse(body).sequence).slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('that waits is tried once more at the end, which waits for nobody who does not answer', async () => {
    const { clock, hook, tries } = webhook(n => (n === 1 ? 500 : n === 2 ? 200 : 'hang'));
    hook.tell(ENDED);
    await clock.runFor(500);
    const closed = hook.close();
    await clock.runFor(100);
    await closed;
    expect(tries).toHaveLength(2);
    hook.tell(ENDED);
    await clock.runFor(100);
    expect(tries).toHaveLength(2);
    const silent = webhook(() => 'hang');
    silent.hook.tell(ENDED);
    const over = silent.hook.close().then(() => 'over');
    await silent.clock.runFor(5000);
    expect(await over).toBe('over');
  });
});

it('tells of a call who calls whom, what was typed unless that is secret, and how it ended', async () => {
  for (const secret of [true, false]) {
    const rig = new PhoneRig({ replies: [[{ text: 'One.', frames: 10 }]] });
    const told: CallEvent[] = [];
    Object.assign(rig.context, { callEvents: { tell: (event: CallEvent) => void told.push(event) } });
    const digits = { ...DEFAULT_DIGITS, secret };
    await rig.openDoor(twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits }));
    const ids = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1' };
    const caller = rig.call('/twilio', new TwilioSide({ ...ids, parameters: { from: '+1', to: '+2' } }));
    await caller.silence(100);
    for (const key of '12#') caller.call.press(key);
    await caller.silence(400);
    caller.call.hangUp();
    await rig.clock.runFor(100);
    const { call } = told[0];
    expect(told).toEqual([
      { type: 'call.started', call, carrier: 'twilio', carrierCallId: 'CA1', from: '+1', to: '+2' },
      { type: 'call.digits', call, count: 2, digits: secret ? null : '12' },
      { type: 'call.ended', call, reason: 'the stream was stopped', durationMs: expect.any(Number) },
    ]);
    expect((told[2] as { durationMs: number }).durationMs).toBeGreaterThanOrEqual(500);
  }
});
