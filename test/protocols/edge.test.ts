/** Whatever a frame holds and whatever its handling throws costs that event or that connection, never the process. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { shapeFault } from '../../protocols/guard/frame-shape.ts';
import { guardedListener, guardedTimers } from '../../protocols/guard/index.ts';
import { CLIENT_EVENT_TYPES } from '../../protocols/realtime/client-events.ts';
import { parseEvent } from '../../protocols/realtime/parse-event.ts';
import type { Connection } from '../../protocols/server/socket-server.ts';
import { openClient, pcm } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
/** JSON values that no schema expects and that libraries stumble over. */
const POISON = [
  nested('[', ']', 5000),
  `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  '{"length":{"toString":1}}',
  '{"length":{"valueOf":1,"toString":1}}',
  '{"size":{"toString":1},"type":{"toString":1}}',
  '{"__proto__":{"type":"x"},"constructor":1,"then":1,"toJSON":1}',
  '1e999',
  '"\\ud800"',
];
const FIELDS = [
  'type',
  'event_id',
  'session',
  'audio',
  'item',
  'item_id',
  'previous_item_id',
  'response',
  'image',
];

const hostileFrames = [
  ...POISON,
  ...[...CLIENT_EVENT_TYPES].flatMap(type =>
    FIELDS.flatMap(field => POISON.map(value => `{"type":"${type}","${field}":${value}}`)),
  ),
  ...['tools', 'tracing', 'prompt', 'reasoning', 'truncation', 'audio', 'include'].flatMap(field =>
    POISON.map(value => `{"type":"session.update","session":{"${field}":${value}}}`),
  ),
  ...POISON.map(
    value => `{"type":"session.update","session":{"tools":[{"type":"mcp","server_label":"x","y":${value}}]}}`,
  ),
  ...POISON.map(value => `{"type":"response.create","response":{"metadata":${value},"input":[${value}]}}`),
  ...POISON.map(
    value =>
      `{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":${value}}]}}`,
  ),
];

describe('parseEvent', () => {
  it('refuses hostile frames instead of throwing', () => {
    for (const text of hostileFrames) expect(() => parseEvent(text)).not.toThrow();
    expect(parseEvent(`{"type":${POISON[0]}}`)).toMatchObject({
      ok: false,
      error: { code: 'client.invalid_event' },
    });
    expect(
      parseEvent(`{"type":"input_audio_buffer.append","audio":${POISON[2]},"event_id":"e"}`),
    ).toMatchObject({
      ok: false,
      error: { code: 'client.invalid_value' },
      eventId: 'e',
    });
  });

  it('reads no frame whose length is not that of its strings', () => {
    const filler = (part: string) => `{"type":"x","y":[${part.repeat(300_000 / part.length)}0]}`;
    for (const part of ['[],', '0,', ' ', '{},'])
      expect(shapeFault(filler(part))).toMatch(/beside its strings/);
    expect(shapeFault(`["${'\\"'.repeat(600_000)}"]`)).toMatch(/quotation marks/);
    expect(shapeFault(`[${'"",'.repeat(30_000)}""]`)).toMatch(/strings/);
    // Brackets and quotation marks within a string are text.
    expect(shapeFault(`{"audio":"${'['.repeat(1e6)}\\\\"}`)).toBeNull();
    expect(shapeFault(`{"audio":"\\\\\\"${nested('[', ']', 100)}"}`)).toBeNull();
    expect(shapeFault(`{"audio":"\\\\"${nested('[', ']', 100)}}`)).toMatch(/nested/);
    expect(
      shapeFault(JSON.stringify({ type: 'input_audio_buffer.append', audio: 'AAAA'.repeat(5e6) })),
    ).toBeNull();
  });
});

describe.each(['uws', 'ws'] as const)('a server on %s', socketServer => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ socketServer });
  });
  afterAll(() => server.close());

  it('answers every hostile frame with an error event and holds the conversation afterwards', async () => {
    const client = await openClient(server.url);
    const other = await openClient(server.url);
    for (const text of hostileFrames) client.send(text);
    for (const connection of [client, other]) await connection.refused({ type: 'no.such' });
    const errors = client.events.filter(event => event.type === 'error');
    expect(errors.length).toBeGreaterThan(hostileFrames.length / 2);
    for (const { error } of errors) expect(error.type).toBe('invalid_request_error');
    expect(server.warnings).toEqual([]);
    client.close();
    other.close();
    await Promise.all([client.closed, other.closed]);
  });

  it('keeps no answers to pings for whoever does not read them, and lets others live', async () => {
    const other = await openClient(server.url);
    const { hostname, port } = new URL(server.url);
    const line = connect(Number(port), hostname).on('error', () => {});
    const key = Buffer.alloc(16).toString('base64');
    const head = [
      `Host: ${hostname}:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
    ];
    line.write(
      `GET /v1/realtime?model=m HTTP/1.1\r\n${head.join('\r\n')}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    // Masked with zeros, 125 bytes each; what the server says stays unread.
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)]);
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
    const closed = new Promise(resolve => line.once('close', resolve));
    const flood = () => {
      if (!line.destroyed) line.write(many, () => setImmediate(flood));
    };
    flood();
    await closed;
    await other.refused({ type: 'no.such' });
    other.close();
    await other.closed;
  });

  it('answers hostile bodies of client_secrets with 400', async () => {
    for (const value of POISON) {
      for (const body of [
        value,
        `{"session":${value}}`,
        `{"expires_after":${value}}`,
        `{"session":{"instructions":${value}}}`,
      ]) {
        const answer = await fetch(`${server.url}/v1/realtime/client_secrets`, { method: 'POST', body });
        expect([200, 400]).toContain(answer.status);
      }
    }
    expect(server.warnings).toEqual([]);
  });
});

describe.each(['uws', 'ws'] as const)('faults of our own behind a server on %s', socketServer => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ socketServer });
  });
  afterEach(() => server.close());
  const broken = (): never => {
    throw new TypeError('a defect');
  };

  it('are told for the event that met one, and the session lives', async () => {
    const client = await openClient(server.url);
    const [session] = server.runtime.sessions.values();
    const send = session.send.bind(session);
    session.send = command => (command.type === 'audio' ? broken() : send(command));
    const error = await client.refused({ type: 'input_audio_buffer.append', audio: pcm(20, 0.1) });
    expect(error).toMatchObject({ type: 'server_error', code: 'internal_error' });
    client.send({ type: 'session.update', session: {} });
    await client.next('session.updated');
    client.close();
    await client.closed;
  });

  it('close the one connection that cannot go on', async () => {
    const client = await openClient(server.url);
    const other = await openClient(server.url);
    const [session] = server.runtime.sessions.values();
    // An event that cannot be written out.
    session.say({ type: 'input.committed', itemId: 1n as unknown as string, previousItemId: null });
    expect((await client.closed).code).toBe(1011);
    other.send({ type: 'session.update', session: {} });
    await other.next('session.updated');
    other.close();
  });

  it('in the closing of a session stay there', async () => {
    const client = await openClient(server.url);
    const [session] = server.runtime.sessions.values();
    session.close = broken;
    client.close();
    await client.closed;
    const other = await openClient(server.url);
    await other.next('session.created');
    other.close();
    await other.closed;
    expect(server.warnings).toContain('A connection failed.');
  });
});

describe('the guards', () => {
  it('hand what a timer throws to its owner', () => {
    const clock = new VirtualClock();
    const faults: unknown[] = [];
    const timers = guardedTimers(clock, error => faults.push(error));
    timers.setTimer(5, () => {
      throw new Error('late');
    });
    clock.runUntilSync(10);
    expect(faults).toMatchObject([{ message: 'late' }]);
  });

  it('close a connection once, and still tell the listener of its end', () => {
    const closes: number[] = [];
    const heard: string[] = [];
    const faults: unknown[] = [];
    const connection: Connection = {
      send() {},
      unsentBytes: () => 0,
      pauseReading() {},
      close: code => closes.push(code),
    };
    const onText = (text: string) => {
      heard.push(text);
      throw new Error(text);
    };
    const listener = guardedListener(
      connection,
      () => ({ onText, onBinary() {}, onClose: () => heard.push('closed') }),
      error => faults.push(error),
    );
    listener.onText('a');
    listener.onText('b');
    listener.onClose(1011, '');
    expect([closes, heard, faults.length]).toEqual([[1011], ['a', 'closed'], 1]);
    expect(() =>
      guardedListener(
        connection,
        () => onText('open') as never,
        () => {},
      ),
    ).not.toThrow();
    expect(closes).toEqual([1011, 1011]);
  });
});
