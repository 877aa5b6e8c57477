import fc from 'fast-check';
import { concatMap, delay, filter, map, merge, NEVER, of, take, tap, throwError } from 'rxjs';
import { expect, test } from 'vitest';
import type { Delivered, Inbox } from '../../../actors/core/actor.ts';
import type { Envelope, SpawnedActor } from '../../../actors/core/index.ts';
import { actorRig, type Ports } from './actor-rig.ts';

const echo = ({ port, message }: Delivered<Ports>) => ({ ...message, body: `${port} ${message.body}` });

/** Answers each message; dies of a media message with this body. */
const fragile = (poison: number) => (inbox: Inbox<Ports>) =>
  inbox.messages$.pipe(
    map(delivery => {
      if (delivery.message.body === poison) throw new Error('poison');
      return echo(delivery);
    }),
  );

test('messages are answered on the spot, in order', () => {
  const { start, envelope, outputs } = actorRig();
  const actor = start(inbox => inbox.messages$.pipe(map(echo)));
  const said = outputs(actor);
  actor.send('media', envelope(1));
  actor.send('control', envelope('close'));
  expect(said).toEqual(['media 1', 'control close']);
});

test('what is sent to an actor while it handles a message waits, and control is served first', () => {
  const { start, envelope, outputs } = actorRig();
  let depth = 0;
  let deepest = 0;
  const actor: SpawnedActor<Ports, string> = start(inbox =>
    inbox.messages$.pipe(
      tap(({ message }) => {
        deepest = Math.max(deepest, ++depth);
        if (message.body === 1) {
          actor.send('media', envelope(2));
          actor.send('media', envelope(3));
          actor.send('control', envelope('stop'));
        }
        depth--;
      }),
      map(echo),
    ),
  );
  const said = outputs(actor);
  actor.send('media', envelope(1));
  expect(said).toEqual(['media 1', 'control stop', 'media 2', 'media 3']);
  expect(deepest).toBe(1);
});

test('two actors that answer each other never re-enter and never lose a message', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }), replies => {
      const { start, envelope } = actorRig();
      const handled = { ping: 0, pong: 0 };
      const inside = { ping: false, pong: false };
      let sent = 0;
      const actors = {} as Record<'ping' | 'pong', SpawnedActor<Ports, string>>;
      const behave = (self: 'ping' | 'pong', peer: 'ping' | 'pong') =>
        start(
          inbox =>
            inbox.messages$.pipe(
              tap(({ message }) => {
                expect(inside[self]).toBe(false);
                inside[self] = true;
                handled[self]++;
                const left = Number(message.body);
                const count = left > 0 ? replies[left % replies.length] : 0;
                for (let at = 0; at < count; at++) {
                  sent++;
                  actors[at % 2 ? self : peer].send('media', envelope(left - 1));
                }
                inside[self] = false;
              }),
              map(echo),
            ),
          self,
        );
      actors.ping = behave('ping', 'pong');
      actors.pong = behave('pong', 'ping');
      sent++;
      actors.ping.send('media', envelope(6));
      expect(handled.ping + handled.pong).toBe(sent);
    }),
    { numRuns: 50 },
  );
});

test('messages sent before the behaviour listens are kept for it', () => {
  const { clock, start, envelope, outputs } = actorRig();
  const actor = start(inbox =>
    of(null).pipe(
      delay(50, clock.scheduler),
      concatMap(() => inbox.messages$),
      map(echo),
    ),
  );
  const said = outputs(actor);
  actor.send('media', envelope(1));
  expect(said).toEqual([]);
  clock.runForSync(50);
  expect(said).toEqual(['media 1']);
});

test('a behaviour that splits its inbox hears every message in each part, also those already waiting', () => {
  const { start, envelope, outputs, system } = actorRig();
  const actor: SpawnedActor<Ports, string> = start(({ messages$ }) =>
    merge(
      messages$.pipe(
        filter(({ port }) => port === 'media'),
        map(echo),
      ),
      messages$.pipe(
        filter(({ port }) => port === 'control'),
        tap(({ message }) => {
          if (message.body === 'die') throw new Error('dead');
        }),
        map(echo),
      ),
    ),
  );
  const said = outputs(actor);
  system.restarts$.subscribe(() => {
    actor.send('media', envelope(7));
    actor.send('control', envelope('go on'));
  });
  actor.send('control', envelope('die'));
  expect(said).toEqual(['control go on', 'media 7']);
});

test('an actor that throws is restarted with its mailbox kept; only the poisonous message is gone', () => {
  const { start, envelope, outputs, restarts, failures, system } = actorRig();
  const actor = start(fragile(2));
  const said = outputs(actor);
  const other: SpawnedActor<Ports, string> = start(
    inbox =>
      inbox.messages$.pipe(
        tap(() => [1, 2, 3].forEach(body => void actor.send('media', envelope(body)))),
        map(echo),
      ),
    'sender',
  );
  other.send('control', envelope('go'));
  expect(said).toEqual(['media 1', 'media 3']);
  expect(restarts).toEqual(['worker [s] at 0']);
  expect(failures).toEqual([]);
  system.stop();
});

test('failures beyond the policy end the actor and are reported to each of its sessions once', () => {
  const { clock, start, envelope, outputs, restarts, failures } = actorRig();
  const actor = start(fragile(0));
  const said = outputs(actor);
  actor.send('media', envelope(1, 'other'));
  // maxRestarts 2 within 1000 ms: the third failure is one too many only while the first is younger than 1000 ms.
  actor.send('media', envelope(0));
  clock.runUntilSync(600);
  actor.send('media', envelope(0));
  clock.runUntilSync(1000);
  actor.send('media', envelope(0));
  expect(failures).toEqual([]);
  clock.runUntilSync(1599);
  actor.send('media', envelope(0));
  expect(restarts).toEqual(['worker [other,s] at 0', 'worker [other,s] at 600', 'worker [other,s] at 1000']);
  expect(failures).toEqual(['other worker actor.failed', 's worker actor.failed']);
  expect(said).toEqual(['media 1', 'complete']);
  actor.send('media', envelope(5, 'late'));
  expect(failures.at(-1)).toBe('late worker actor.failed');
});

test('a behaviour that cannot even start is given up after its restarts', () => {
  const { start, envelope, restarts, failures } = actorRig();
  const broken = start(() => {
    throw new Error('no device');
  });
  expect(restarts).toHaveLength(2);
  broken.send('media', envelope(1));
  expect(failures).toEqual(['s worker actor.failed']);
  const erring = start(() => throwError(() => new Error('no device')));
  expect(restarts).toHaveLength(4);
  expect(erring.waiting).toBe(0);
});

test('an error out of a timer restarts the actor too', () => {
  const { clock, start, envelope, outputs, restarts } = actorRig();
  const actor = start(inbox => inbox.messages$.pipe(delay(10, clock.scheduler), map(echo), tap(refuseMedia)));
  const said = outputs(actor);
  actor.send('media', envelope(1));
  clock.runForSync(5);
  actor.send('control', envelope('lost with the state'));
  clock.runForSync(6);
  expect(restarts).toEqual(['worker [s] at 10']);
  actor.send('control', envelope('alive'));
  clock.runForSync(20);
  expect(said).toEqual(['control alive']);
});

function refuseMedia({ body }: Envelope<string>): void {
  if (body.startsWith('media')) throw new Error('no media');
}

test('a behaviour that batches is told when there is something to take, never while it takes', () => {
  const { start, envelope, outputs } = actorRig();
  let inside = false;
  const actor: SpawnedActor<Ports, string> = start(inbox =>
    inbox.readable$.pipe(
      map(() => {
        expect(inside).toBe(false);
        inside = true;
        const bodies = inbox.take(2).map(({ message }) => message.body);
        if (bodies.includes(1)) [2, 3, 4].forEach(body => void actor.send('media', envelope(body)));
        if (bodies.includes(3)) throw new Error('the rest waits for the next start');
        inside = false;
        return envelope(bodies.join('+'));
      }),
      tap({ error: () => void (inside = false) }),
    ),
  );
  const said = outputs(actor);
  actor.send('media', envelope(1));
  expect(said).toEqual(['1', '4']);
});

test('an overflow ends the session that sent too much and nobody else', () => {
  const { start, envelope, failures } = actorRig();
  const actor = start(() => NEVER);
  for (let at = 0; at < 51; at++) actor.send('media', envelope(at, 'loud'));
  actor.send('media', envelope(0, 'quiet'));
  expect(failures).toEqual(['loud worker mailbox.overflow']);
  expect(actor.waiting).toBe(51);
  expect(actor.counters('media')).toMatchObject({ accepted: 51, overflowed: 1 });
});

test('an epoch raised while codes wait keeps them from the behaviour', () => {
  const { clock, start, envelope, outputs, system } = actorRig();
  const actor = start(inbox =>
    of(null).pipe(
      delay(1, clock.scheduler),
      concatMap(() => inbox.messages$),
      map(echo),
    ),
  );
  const said = outputs(actor);
  actor.send('codes', envelope(1));
  actor.send('media', envelope(2));
  system.epochs.raise('s');
  actor.send('codes', envelope(3));
  clock.runForSync(1);
  expect(said).toEqual(['media 2', 'codes 3']);
});

test('a behaviour that completes ends the actor; later senders are told', () => {
  const { start, envelope, outputs, failures } = actorRig();
  const actor = start(inbox => inbox.messages$.pipe(take(1), map(echo)));
  const said = outputs(actor);
  actor.send('media', envelope(1));
  actor.send('media', envelope(2));
  expect(said).toEqual(['media 1', 'complete']);
  expect(failures).toEqual(['s worker actor.ended']);
});

test('a system stops its actors last spawned first, and stopped ones are silent', () => {
  const { clock, system, start, envelope, failures } = actorRig();
  const order: string[] = [];
  const names = ['first', 'second', 'third'];
  const actors = names.map(name => {
    const actor = start(inbox => inbox.messages$.pipe(delay(5, clock.scheduler), map(echo)), name);
    actor.output$.subscribe({ complete: () => order.push(name) });
    actor.send('media', envelope(1));
    return actor;
  });
  system.stop();
  expect(order).toEqual(['third', 'second', 'first']);
  expect(clock.pending).toBe(0);
  actors[0].send('media', envelope(2));
  expect(failures).toEqual([]);
});

test('a forgotten session is gone from mailbox, epochs and reports', () => {
  const { system, start, envelope, failures } = actorRig();
  const actor = start(() => NEVER);
  actor.send('media', envelope(1));
  const late = envelope(2);
  system.forget('s');
  actor.send('media', late);
  expect(actor.waiting).toBe(0);
  expect(actor.counters('media')).toMatchObject({ discarded: 2 });
  actor.stop();
  expect(failures).toEqual([]);
});

test('each actor has its own random stream, the same in every run', () => {
  const draw = () => {
    const { start } = actorRig();
    const drawn: number[] = [];
    for (const name of ['encoder', 'decoder']) {
      start((_, { random }) => {
        drawn.push(random.next());
        return NEVER;
      }, name);
    }
    return drawn;
  };
  const [encoder, decoder] = draw();
  expect(encoder).not.toBe(decoder);
  expect(draw()).toEqual([encoder, decoder]);
});
