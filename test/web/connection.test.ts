import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection, RETRY_AFTER_MS } from '../../web/wire/connection.js';
import type { TransportListener } from '../../web/wire/web-socket.js';

let lines: { listener: TransportListener; sent: string[]; closed: boolean; backlog: number }[];
let told: string[];
/** What each line was opened with, beside the protocol's name. */
let offered: string[];
let connection: Connection;
/** What `/healthz` answers; null: nobody. */
let health: object | null;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('sessionStorage', { getItem: () => null, setItem() {} });
  vi.stubGlobal('fetch', async (path: string) => {
    if (!health) throw new TypeError('Failed to fetch');
    return path === '/healthz' ? { json: async () => health } : { status: 200 };
  });
  lines = [];
  offered = [];
  told = [];
  health = null;
  connection = new Connection(
    {
      onOpen: () => told.push('open'),
      onResumed: () => told.push('resumed'),
      onEvent: event => told.push(event.type),
      onSent: () => {},
      onRetry: ({ waitMs, attempt }) => told.push(`retry ${attempt} ${waitMs}`),
      onGiveUp: problem => told.push(`gave up: ${problem.message}`),
    },
    (_key, listener, resumption) => {
      offered.push(resumption.subprotocol);
      const line = { listener, sent: [] as string[], closed: false, backlog: 0 };
      lines.push(line);
      return {
        ...{ kind: 'memory', carriesMedia: false, useMicrophone() {}, show() {} },
        network: async () => ({ roundTripMs: null, jitterBufferMs: null }),
        sinceAnswerMs: () => 0,
        send: text => line.sent.push(text),
        isOpen: () => !line.closed,
        backlogBytes: () => line.backlog,
        close: () => {
          line.closed = true;
        },
      };
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const newest = () => lines.at(-1)!;
const settle = () => vi.advanceTimersByTimeAsync(0);

test('a lost line is tried again six times, each wait told beforehand, and then given up', async () => {
  connection.open();
  newest().listener.onOpen();
  newest().listener.onClose(1006, '');
  for (const [i, waitMs] of RETRY_AFTER_MS.entries()) {
    expect(told.at(-1)).toBe(`retry ${i + 1} ${waitMs}`);
    await vi.advanceTimersByTimeAsync(waitMs);
    expect(told.at(-1)).toBe(`retry ${i + 1} 0`);
    newest().listener.onClose(1006, '');
    await settle();
  }
  expect(told.at(-1)).toBe('gave up: The server does not answer.');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(1 + RETRY_AFTER_MS.length);
});

test('a try now takes the place of the one to come', async () => {
  connection.open();
  newest().listener.onOpen();
  newest().listener.onClose(1006, '');
  connection.tryNow();
  expect(lines).toHaveLength(2);
  newest().listener.onOpen();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(2);
  expect(told.at(-1)).toBe('open');
});

test('a session that the server ended is not begun again by itself', () => {
  connection.open();
  newest().listener.onOpen();
  newest().listener.onClose(1000, 'session_idle');
  expect(told.at(-1)).toBe('gave up: The conversation was closed: session_idle.');
});

test('a line that was closed while the reason of its refusal was asked for stays closed', async () => {
  connection.open();
  newest().listener.onClose(1006, '');
  connection.close();
  await settle();
  expect(told).toEqual([]);
});

test.each([
  [{ status: 'ok', sessions: 3, limits: { maxSessions: 3 } }, 'All places are taken.'],
  [{ status: 'failed', sessions: 0 }, 'The server is not ready.'],
  [{ status: 'ok', sessions: 0 }, 'The server refused the connection.'],
  [null, 'The server does not answer.'],
])('refused by a server that says %j: %s', async (answer, message) => {
  health = answer;
  connection.open();
  newest().listener.onClose(1006, '');
  await settle();
  expect(told).toEqual([`gave up: ${message}`]);
});

test('what an older line still says is not heard', () => {
  connection.open();
  const old = newest();
  old.listener.onOpen();
  old.listener.onClose(1006, '');
  connection.tryNow();
  old.listener.onText('{"type":"late"}');
  old.listener.onClose(1006, '');
  newest().listener.onOpen();
  newest().listener.onText('nonsense');
  newest().listener.onText('{"type":"early"}');
  expect(told).toEqual(['open', 'retry 1 500', 'retry 1 0', 'open', 'early']);
});

test('pictures are left out while the line is busy, and a line that is stuck is given up', () => {
  connection.open();
  newest().listener.onOpen();
  newest().backlog = 300_000;
  expect(connection.sendIfIdle({ type: 'picture' })).toBe(false);
  expect(connection.send({ type: 'sound' })).toBe(true);
  newest().backlog = 3_000_000;
  expect(connection.send({ type: 'sound' })).toBe(false);
  expect(newest().closed).toBe(true);
});

const GREETING =
  '{"type":"session.created","session":{"longcat":{"extensions":false,"resume":{"token":"ab"}}}}';
const types = (line: { sent: string[] }) => line.sent.map(text => JSON.parse(text).type);

test('a session with a token is gone on with: what was sent and did not arrive is sent again, in order', () => {
  connection.open();
  newest().listener.onOpen();
  connection.send({ type: 'first' });
  newest().listener.onText(GREETING);
  newest().listener.onText('{"type":"heard"}');
  connection.send({ type: 'second' });
  newest().closed = true;
  newest().listener.onClose(1006, '');
  expect(connection.takes).toBe(true);
  expect(connection.send({ type: 'third' })).toBe(true);
  connection.tryNow();
  newest().listener.onOpen();
  connection.send({ type: 'fourth' });
  expect(newest().sent).toEqual([]);
  newest().listener.onText('{"type":"longcat.resumed","received":1}');
  expect(types(newest())).toEqual(['second', 'third', 'fourth']);
  newest().listener.onText('{"type":"missed"}');
  expect(offered).toEqual(['longcat-resume', 'longcat-resume.ab.2']);
  expect(told).toEqual(['open', 'session.created', 'heard', 'retry 1 500', 'retry 1 0', 'resumed', 'missed']);
});

test('what the server has is kept no more, and of too much nothing, nor the session', () => {
  connection.open();
  newest().listener.onOpen();
  newest().listener.onText(GREETING);
  for (let i = 0; i < 10; i++) connection.send({ type: `${i}` });
  newest().listener.onText(`{"type":"longcat.received","events":${newest().sent.length - 1}}`);
  expect(connection.resumption.sent).toEqual(['{"type":"9"}']);
  newest().closed = true;
  newest().listener.onClose(1006, '');
  const text = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < 3; i++) expect(connection.send({ text })).toBe(true);
  expect(connection.send({ text })).toBe(false);
  connection.tryNow();
  expect(offered.at(-1)).toBe('longcat-resume');
  expect(connection.resumption.sent).toEqual([]);
});

test('a session that the server knows no more is begun anew', async () => {
  health = { status: 'ok', sessions: 0 };
  connection.open();
  newest().listener.onOpen();
  newest().listener.onText(GREETING);
  newest().listener.onClose(1006, '');
  connection.tryNow();
  newest().listener.onClose(1006, ''); // Refused.
  await settle();
  newest().listener.onOpen();
  expect(offered).toEqual(['longcat-resume', 'longcat-resume.ab.1', 'longcat-resume']);
  expect(told.at(-1)).toBe('open');
});
