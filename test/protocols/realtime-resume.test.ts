/** A socket that is dropped and found again: nothing is lost, nothing comes twice, nothing unheard was heard. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal, JournalRoom } from '../../protocols/realtime/resume/journal.ts';
import { RealtimeClient } from '../support/realtime-client.ts';
import { ResumingClient, resumableSessions } from '../support/resuming-client.ts';
import { startTestServer } from '../support/test-server.ts';
import { wireRig } from '../support/wire-rig.ts';

const WORDS = ['One', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
/** 540 ms a word. */
const COUNT = WORDS.map((word, i) => ({ text: i === 9 ? `${word}.` : `${word}, `, frames: 9 }));
const ALL_MS = 10 * 540;
const WINDOW_MS = 30_000;

function open(maxUnsentBytes?: number, stepMs = 0) {
  const rig = wireRig({ replies: [COUNT], costs: { languageModel: () => stepMs } });
  const sessions = resumableSessions(rig, maxUnsentBytes);
  const client = new ResumingClient(rig, sessions);
  client.send({ type: 'session.update', session: { longcat: { extensions: true } } });
  const ask = () => {
    const content = [{ type: 'input_text', text: 'Count to ten.' }];
    client.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    client.send({ type: 'response.create' });
  };
  return { rig, sessions, client, ask };
}

/** The numbers in the ids of events. */
const numbers = (client: ResumingClient) =>
  client.events.map(({ event_id }) => Number(String(event_id).split('_').at(-1)));
const soundMs = (client: ResumingClient) =>
  client
    .all('response.output_audio.delta')
    .reduce((ms, { delta }) => ms + Buffer.from(String(delta), 'base64').length / 48, 0);
const words = (client: ResumingClient) =>
  client
    .all('response.output_audio_transcript.delta')
    .map(({ delta }) => delta)
    .join('');

describe('a dropped socket', () => {
  it('is found again with all that was sent meanwhile, at whatever moments it drops', async () => {
    const drop = fc.record({
      afterMs: fc.integer({ min: 0, max: 900 }),
      unnoticedMs: fc.integer({ min: 0, max: 400 }),
      awayMs: fc.integer({ min: 0, max: 4000 }),
      acknowledges: fc.boolean(),
      speaks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(drop, { minLength: 1, maxLength: 6 }), async drops => {
        const { rig, client, ask } = open(undefined, 60);
        const audio = Buffer.alloc(960).toString('base64');
        ask();
        for (const { afterMs, unnoticedMs, awayMs, acknowledges, speaks } of drops) {
          await rig.clock.runFor(afterMs);
          if (acknowledges) client.acknowledge();
          client.cut();
          if (speaks) client.send({ type: 'input_audio_buffer.append', audio });
          await rig.clock.runFor(unnoticedMs);
          if (unnoticedMs % 2 === 0) client.drop(); // Else the server learns of it as it comes back.
          await rig.clock.runFor(awayMs);
          if (speaks) client.send({ type: 'input_audio_buffer.append', audio });
          expect(client.comeBack()).toBe(true);
        }
        await rig.clock.runFor(2 * ALL_MS);
        client.acknowledge();
        expect(numbers(client)).toEqual(client.events.map((_, i) => i + 1));
        expect(client.all('error')).toEqual([]);
        expect(client.all('response.done').map(({ response }) => response.status)).toEqual(['completed']);
        expect(soundMs(client)).toBe(ALL_MS);
        expect(words(client)).toBe(COUNT.map(({ text }) => text).join(''));
        expect(client.waiting).toBe(0);
        expect(client.last('longcat.turn.trace').trace.heard_ms).toBe(ALL_MS);
      }),
      { numRuns: 10 },
    );
  });

  it('is one on which nothing is heard: the rest counts from its coming back on', async () => {
    const { rig, client, ask } = open();
    ask();
    await rig.clock.runFor(1000);
    client.drop();
    await rig.clock.runFor(20_000);
    expect(client.comeBack()).toBe(true);
    await rig.clock.runFor(640);
    const item = client.last('response.output_item.added').item.id;
    for (let ms = 0; ms < 600; ms += 20) {
      await rig.clock.runFor(20);
      const audio = Buffer.from(new Int16Array(480).fill(8000).buffer).toString('base64');
      client.send({ type: 'input_audio_buffer.append', audio });
    }
    const { item_id, audio_end_ms } = client.last('conversation.item.truncated');
    expect(item_id).toBe(item);
    const spokenForMs = audio_end_ms - 1640;
    expect(spokenForMs).toBeGreaterThan(0); // Until the first sounds of the caller's count as speech,
    expect(spokenForMs).toBeLessThan(600); // and not twenty seconds more.
  });

  it('is waited for by a reply whose reports are late, which is not given up meanwhile', async () => {
    const { rig, client, ask } = open();
    ask();
    await rig.clock.runFor(ALL_MS - 100);
    const item_id = client.last('response.output_item.added').item.id;
    client.send({ type: 'longcat.playback.report', item_id, heard_ms: 3000 });
    client.drop();
    await rig.clock.runFor(25_000);
    expect(client.comeBack()).toBe(true);
    client.send({ type: 'longcat.playback.report', item_id, heard_ms: 3500 });
    const [content_index, audio_end_ms] = [0, 3500];
    client.send({ type: 'conversation.item.truncate', item_id, content_index, audio_end_ms });
    expect(client.last('longcat.turn.trace').trace).toMatchObject({ interrupted: true, heard_ms: 3500 });
  });

  it('ends its session after half a minute, and one that was closed with a word at once', async () => {
    const lost = open();
    lost.client.drop();
    await lost.rig.clock.runFor(WINDOW_MS - 1);
    expect(lost.rig.runtime.sessions.size).toBe(1);
    await lost.rig.clock.runFor(1);
    expect(lost.rig.runtime.sessions.size).toBe(0);
    expect(lost.client.comeBack()).toBe(false);
    expect(await lost.rig.metrics.text()).toContain('longcat_closed_connections_total{code="1006"} 1');
    for (const code of [1000, 1001, 1005]) {
      const { rig, client, sessions } = open();
      client.drop(code);
      expect([rig.runtime.sessions.size, sessions.size]).toEqual([0, 0]);
    }
  });

  it('is nobody’s but the token’s, and of one connection at a time', async () => {
    const { rig, client, sessions, ask } = open();
    expect(client.comeBack('0'.repeat(48))).toBe(false);
    const first = client.socket;
    expect(client.comeBack()).toBe(true);
    expect(first.closed).toBe(1000);
    const before = rig.runtime.sessions.size;
    first.listener?.onText('{"type":"response.create"}');
    first.listener?.onClose(1006, '');
    ask();
    await rig.clock.runFor(10_000);
    expect(client.all('response.done')).toHaveLength(1);
    expect([before, rig.runtime.sessions.size]).toEqual([1, 1]);
    sessions.close();
    expect([rig.runtime.sessions.size, client.socket.closed]).toEqual([0, 1001]);
  });

  it('that left too much unread is lost, not its session, which knows so much and no more', async () => {
    const { rig, client, ask } = open(40_000);
    await rig.clock.runFor(10);
    const received = client.events.length;
    client.unsentBytes = 40_001;
    ask();
    expect(client.socket.closed).toBe(1008);
    client.unsentBytes = 0;
    expect(client.comeBack()).toBe(true);
    client.drop();
    await rig.clock.runFor(20_000);
    expect(client.comeBack(client.token, received)).toBe(false); // 5.4 s of sound are 345,600 characters.
    expect(rig.runtime.sessions.size).toBe(1);
  });

  it('of a client that did not ask for it ends the session, as ever', async () => {
    const rig = wireRig();
    const client = rig.connect();
    expect(client.last('session.created').session.longcat).toEqual({ extensions: false });
    client.send({ type: 'longcat.received', events: 1 });
    expect(client.last('error').error).toMatchObject({ code: 'extension_disabled' });
  });
});

describe('journals', () => {
  it('hold no more than they may, together either, and are exact about what they know', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(3), fc.nat(30)), { maxLength: 200 }), steps => {
        const room = new JournalRoom(100);
        const journals = [0, 1, 2].map(() => ({ journal: new Journal(room, 60), all: [] as string[] }));
        for (const [which, what, size] of steps) {
          const { journal, all } = journals[which];
          if (what === 0) journal.acknowledge(Math.min(size, all.length));
          else {
            all.push(`${all.length}`.padStart(size, '.'));
            journal.push(all.at(-1)!);
          }
        }
        const held = journals.map(({ journal }) => journal.chars);
        expect(Math.max(...held)).toBeLessThanOrEqual(60);
        expect(room.chars).toBe(held[0] + held[1] + held[2]);
        expect(room.chars).toBeLessThanOrEqual(100);
        for (const { journal, all } of journals) {
          expect(journal.since(all.length)).toEqual([]);
          expect(journal.since(all.length + 1)).toBe(null);
          for (let count = 0; count < all.length; count++) {
            const known = journal.since(count);
            if (known) expect(known).toEqual(all.slice(count));
          }
          journal.clear();
        }
        expect(room.chars).toBe(0);
      }),
    );
  });
});

it('over real sockets: the token opens its session and nothing else does, also of a server that drains', async () => {
  for (const socketServer of ['uws', 'ws'] as const) {
    const server = await startTestServer({ socketServer, keys: ['secret'], memory: { maxSessions: 1 } });
    const url = `${server.url}/v1/realtime`;
    const key = 'openai-insecure-api-key.secret';
    const first = new RealtimeClient(url, ['realtime', key, 'longcat-resume']);
    const { session } = await first.next('session.created');
    await first.next('conversation.created');
    const { token, window_seconds } = session.longcat.resume;
    expect(window_seconds).toBe(30);
    first.socket.terminate();
    const stranger = new RealtimeClient(url, ['realtime', key, `longcat-resume.${'0'.repeat(48)}.2`]);
    await expect(stranger.opened).rejects.toThrow('404');
    const drained = server.drain(60_000);
    const late = new RealtimeClient(url, ['realtime', key]);
    await expect(late.opened).rejects.toThrow('503');
    expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ status: 'draining' });
    const second = new RealtimeClient(url, ['realtime', `longcat-resume.${token}.1`]);
    expect(await second.next('longcat.resumed')).toMatchObject({ received: 0, replayed: 1 });
    await second.next('conversation.created');
    second.send({ type: 'longcat.received', events: 2 });
    expect(await second.next('longcat.received')).toMatchObject({ events: 1 });
    const third = new RealtimeClient(url, ['realtime', `longcat-resume.${token}.3`]);
    await third.next('longcat.resumed');
    expect(await second.closed).toEqual({ code: 1000, reason: 'resumed on another connection' });
    expect(server.runtime.sessions.size).toBe(1);
    await server.close();
    expect((await third.closed).code).toBe(1001);
    await drained;
    expect(server.runtime.sessions.size).toBe(0);
  }
});
