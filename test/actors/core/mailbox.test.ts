import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EpochRegistry } from '../../../actors/core/epochs.ts';
import { Mailbox } from '../../../actors/core/mailbox.ts';
import type { PortPolicy } from '../../../actors/core/message.ts';

interface Ports {
  audio: number;
  video: number;
  codes: number;
  control: number;
}

const policies: Record<keyof Ports, PortPolicy> = {
  audio: { capacity: 3, overflow: 'fail', fenced: false },
  video: { capacity: 2, overflow: 'keep-newest', fenced: false },
  codes: { capacity: 3, overflow: 'fail', fenced: true },
  control: { capacity: 4, overflow: 'never-drop', fenced: false },
};

function setUp() {
  const epochs = new EpochRegistry();
  const mailbox = new Mailbox<Ports>('encoder', policies, epochs);
  const put = (port: keyof Ports, body: number, session = 's', epoch = epochs.current(session)) =>
    mailbox.put(port, { session, turn: 1, epoch, body });
  const drain = () => {
    const bodies: number[] = [];
    for (let next = mailbox.take(); next; next = mailbox.take()) bodies.push(next.message.body);
    return bodies;
  };
  return { epochs, mailbox, put, drain };
}

test('control overtakes media, and each keeps its order', () => {
  const { put, drain } = setUp();
  put('audio', 1);
  put('video', 2);
  put('control', 3);
  put('audio', 4);
  put('control', 5);
  expect(drain()).toEqual([3, 5, 1, 2, 4]);
});

test('audio fails loudly at its bound and loses nothing it had', () => {
  const { mailbox, put, drain } = setUp();
  for (const body of [1, 2, 3]) put('audio', body);
  expect(() => put('audio', 4)).toThrowError(
    expect.objectContaining({
      code: 'mailbox.overflow',
      values: expect.objectContaining({ session: 's', capacity: 3 }),
    }),
  );
  expect(mailbox.counters('audio')).toMatchObject({ accepted: 3, overflowed: 1 });
  expect(drain()).toEqual([1, 2, 3]);
});

test('video keeps the newest', () => {
  const { mailbox, put, drain } = setUp();
  for (const body of [1, 2, 3, 4, 5]) put('video', body);
  expect(drain()).toEqual([4, 5]);
  expect(mailbox.counters('video')).toMatchObject({ accepted: 5, dropped: 3, taken: 2 });
});

test('control is never dropped silently: at its bound the sender hears of it', () => {
  const { put, drain } = setUp();
  for (const body of [1, 2, 3, 4]) put('control', body);
  expect(() => put('control', 5)).toThrowError(expect.objectContaining({ code: 'mailbox.overflow' }));
  expect(drain()).toEqual([1, 2, 3, 4]);
});

test('one session at its bound takes nothing from another', () => {
  const { put, drain } = setUp();
  for (const body of [1, 2, 3]) put('audio', body, 'loud');
  expect(() => put('audio', 4, 'loud')).toThrow();
  put('audio', 5, 'quiet');
  put('video', 6, 'quiet');
  for (const body of [7, 8, 9]) put('video', body, 'loud');
  expect(drain()).toEqual([1, 2, 3, 5, 6, 8, 9]);
});

test('raising the epoch empties fenced ports only, and makes room in them', () => {
  const { epochs, mailbox, put, drain } = setUp();
  for (const body of [1, 2, 3]) put('codes', body);
  put('audio', 4);
  epochs.raise('s');
  for (const body of [5, 6, 7]) put('codes', body);
  expect(put('codes', 8, 's', 0)).toBe(false);
  expect(drain()).toEqual([4, 5, 6, 7]);
  expect(mailbox.counters('codes')).toMatchObject({ accepted: 6, stale: 4, taken: 3, overflowed: 0 });
});

test('a forgotten session leaves nothing, and nothing of it gets in, also when its name comes again', () => {
  const { epochs, mailbox, put, drain } = setUp();
  epochs.raise('s');
  put('audio', 1);
  put('codes', 2);
  put('audio', 3, 'other');
  epochs.forget('s');
  mailbox.discard('s');
  expect(put('audio', 4, 's', 1)).toBe(false);
  expect(epochs.current('s')).toBe(2);
  expect(put('codes', 5, 's', 1)).toBe(false);
  put('codes', 6);
  expect(drain()).toEqual([3, 6]);
});

type Step =
  | { what: 'put'; port: keyof Ports; session: string }
  | { what: 'raise' | 'forget'; session: string }
  | { what: 'take' };

const session = fc.constantFrom('a', 'b', 'c');
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('put' as const),
      port: fc.constantFrom<keyof Ports>('audio', 'video', 'codes', 'control'),
      session,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom('raise' as const, 'forget' as const), session }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('take' as const) }) },
);

/** Plays random steps and checks, at each message that leaves, what must hold for it. */
function play(steps: readonly Step[]): void {
  const { epochs, mailbox, put } = setUp();
  const lastBody = new Map<string, number>();
  let refused = 0;
  steps.forEach((step, body) => {
    if (step.what === 'raise') epochs.raise(step.session);
    else if (step.what === 'forget') {
      epochs.forget(step.session);
      mailbox.discard(step.session);
    } else if (step.what === 'put') {
      try {
        put(step.port, body, step.session);
      } catch {
        expect(policies[step.port].overflow).not.toBe('keep-newest');
        refused++;
      }
    } else {
      const controlWaits = count(mailbox, 'control') > 0;
      const delivery = mailbox.take();
      if (delivery === null) return;
      const { port, message } = delivery;
      if (controlWaits) expect(port).toBe('control');
      if (policies[port].fenced) expect(message.epoch).toBe(epochs.current(message.session));
      const key = `${port} ${message.session}`;
      expect(message.body).toBeGreaterThan(lastBody.get(key) ?? -1);
      lastBody.set(key, message.body);
    }
  });
  while (mailbox.take());
  expect(mailbox.size).toBe(0);
  const ports = Object.keys(policies) as (keyof Ports)[];
  expect(ports.reduce((sum, port) => sum + mailbox.counters(port).overflowed, 0)).toBe(refused);
  // Every message that came in went out by exactly one way (a fresh stale one is not accepted; here none is sent).
  for (const port of ports) expect(count(mailbox, port)).toBe(0);
}

/** Messages of this port that wait, by its counters. */
function count(mailbox: Mailbox<Ports>, port: keyof Ports): number {
  const { accepted, taken, stale, dropped, discarded } = mailbox.counters(port);
  return accepted - taken - stale - dropped - discarded;
}

test('in any order: no old epoch leaves a fenced port, control first, each port in order, nothing unaccounted', () => {
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 200 }), play), { numRuns: 400 });
});

test('ports that cannot be are refused', () => {
  const { mailbox } = setUp();
  const message = { session: 's', turn: 1, epoch: 0, body: 1 };
  expect(() => mailbox.put('vidoe' as 'video', message)).toThrow(/no such port.*audio video codes control/);
  const port: PortPolicy = { capacity: 0, overflow: 'fail', fenced: false };
  expect(() => new Mailbox<{ port: number }>('a', { port }, new EpochRegistry())).toThrow(
    /at least one message/,
  );
});
