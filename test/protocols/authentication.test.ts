import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/virtual-clock.ts';
import { Authentication } from '../../protocols/server/authentication.ts';
import type { HttpRequest } from '../../protocols/server/socket-server.ts';
import { RealtimeClient } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const KEY = 'sk-a-long-enough-key';

function requestWith(headers: Record<string, string>): HttpRequest {
  const all = new Map(Object.entries({ host: '127.0.0.1:8080', ...headers }));
  return {
    method: 'GET',
    path: '/v1/realtime',
    query: new URLSearchParams(),
    headers: all,
    body: Buffer.alloc(0),
  };
}

function authentication(
  options: { host?: string; keys?: string[]; allowedOrigins?: string[]; clock?: VirtualClock } = {},
) {
  return new Authentication({
    host: '127.0.0.1',
    keys: [],
    allowedOrigins: [],
    clock: new VirtualClock(),
    ...options,
  });
}

describe('keys', () => {
  const withKeys = authentication({ keys: ['sk-another-key', KEY] });
  const cases: [string, Record<string, string>, boolean][] = [
    ['a bearer token', { authorization: `Bearer ${KEY}` }, true],
    ['a bearer token in odd case', { authorization: `bearer  ${KEY}` }, true],
    ['an api-key header', { 'api-key': KEY }, true],
    [
      'a subprotocol',
      { 'sec-websocket-protocol': `realtime, openai-insecure-api-key.${KEY}, openai-agents-sdk.1` },
      true,
    ],
    ['a wrong key', { authorization: `Bearer ${KEY}x` }, false],
    ['a prefix of the key', { authorization: `Bearer ${KEY.slice(0, -1)}` }, false],
    ['an empty bearer', { authorization: 'Bearer ' }, false],
    ['basic authentication', { authorization: `Basic ${KEY}` }, false],
    ['no key', {}, false],
  ];
  it.each(cases)('%s', (_name, headers, ok) => {
    expect(withKeys.admit(requestWith(headers), true).ok).toBe(ok);
  });

  it('are required beyond loopback', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.4', 'example.org', '127.evil.org']) {
      expect(() => authentication({ host })).toThrow(
        expect.objectContaining({ code: 'server.keys-required' }),
      );
      expect(() => authentication({ host, keys: [KEY] })).not.toThrow();
    }
    for (const host of ['127.0.0.1', '127.0.0.2', 'localhost', '::1'])
      expect(() => authentication({ host })).not.toThrow();
  });
});

describe('origins', () => {
  const allowed = authentication({ allowedOrigins: ['https://app.example.org'] });
  const cases: [string, Record<string, string>, boolean][] = [
    ['no page', {}, true],
    ['the page itself', { origin: 'http://127.0.0.1:8080' }, true],
    ['a listed page', { origin: 'https://app.example.org' }, true],
    ['another page', { origin: 'https://evil.example.org' }, false],
    ['another port', { origin: 'http://127.0.0.1:9090' }, false],
    ['an opaque origin', { origin: 'null' }, false],
    [
      'a rebound name without keys',
      { host: 'evil.example.org:8080', origin: 'http://evil.example.org:8080' },
      false,
    ],
    ['localhost by name', { host: 'localhost:8080', origin: 'http://localhost:8080' }, true],
  ];
  it.each(cases)('%s', (_name, headers, ok) => {
    expect(allowed.admit(requestWith(headers), true).ok).toBe(ok);
  });
});

describe('ephemeral keys', () => {
  it('open conversations until they expire, and nothing else', () => {
    const clock = new VirtualClock();
    const issuer = authentication({ keys: [KEY], clock });
    const value = issuer.issueEphemeral({ instructions: 'Be kind.' }, 60_000);
    expect(value).toMatch(/^ek_[0-9a-f]{48}$/);
    const presented = requestWith({ authorization: `Bearer ${value}` });
    expect(issuer.admit(presented, true)).toEqual({
      ok: true,
      by: 'ephemeral',
      session: { instructions: 'Be kind.' },
    });
    expect(issuer.admit(presented, false)).toMatchObject({ ok: false, status: 401 });
    clock.setTimer(60_000, () => {
      expect(issuer.admit(presented, true)).toMatchObject({ ok: false, status: 401 });
    });
  });
});

describe('a server without keys', () => {
  it('makes ephemeral keys all the same, and opens nothing with one that it does not know', async () => {
    const server = await startTestServer();
    const answer = await fetch(`${server.url}/v1/realtime/client_secrets`, {
      method: 'POST',
      body: JSON.stringify({ session: { instructions: 'Be kind.' } }),
    });
    const { value } = (await answer.json()) as { value: string };
    const open = (key: string) =>
      new RealtimeClient(`${server.url}/v1/realtime`, ['realtime', `openai-insecure-api-key.${key}`]);
    const client = open(value);
    expect((await client.next('session.created')).session.instructions).toBe('Be kind.');
    await expect(open(`${value.slice(0, -1)}x`).opened).rejects.toThrow('401');
    const anybody = open('any-on-loopback');
    await anybody.opened;
    client.close();
    anybody.close();
    await server.close();
  });

  it('keeps at most 32 million characters of configurations for them', () => {
    const issuer = authentication({ clock: new VirtualClock() });
    const session = { instructions: 'x'.repeat(1_000_000) };
    const values = Array.from({ length: 40 }, () => issuer.issueEphemeral(session, 60_000));
    const isKnown = (value: string) =>
      issuer.admit(requestWith({ authorization: `Bearer ${value}` }), true).ok;
    expect(values.map(isKnown)).toEqual(values.map((_, at) => at >= 7));
  });
});

describe('a server with keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ keys: [KEY] });
  });
  afterAll(() => server.close());

  const secrets = (body: unknown, key = KEY) =>
    fetch(`${server.url}/v1/realtime/client_secrets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });

  it('refuses upgrades and metrics without one', async () => {
    await expect(new RealtimeClient(`${server.url}/v1/realtime`).opened).rejects.toThrow('401');
    const metrics = await fetch(`${server.url}/metrics`);
    expect([metrics.status, metrics.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it('lets a browser in with the key as subprotocol, and never echoes it', async () => {
    const client = new RealtimeClient(`${server.url}/v1/realtime`, [
      'realtime',
      `openai-insecure-api-key.${KEY}`,
    ]);
    await client.opened;
    expect(client.socket.protocol).toBe('realtime');
    client.close();
  });

  it('mints ephemeral keys whose sessions start configured', async () => {
    const answer = await secrets({
      expires_after: { anchor: 'created_at', seconds: 60 },
      session: { type: 'realtime', instructions: 'Be kind.' },
    });
    const { value, expires_at, session } = (await answer.json()) as {
      value: string;
      expires_at: number;
      session: unknown;
    };
    expect(expires_at - Date.now() / 1000).toBeGreaterThan(55);
    expect(session).toMatchObject({ type: 'realtime', instructions: 'Be kind.' });
    const client = new RealtimeClient(`${server.url}/v1/realtime`, [
      'realtime',
      `openai-insecure-api-key.${value}`,
    ]);
    expect((await client.next('session.created')).session.instructions).toBe('Be kind.');
    client.close();
    expect((await secrets({}, value)).status).toBe(401);
  });

  it('refuses malformed requests for one', async () => {
    expect((await secrets({ expires_after: { seconds: 1 } })).status).toBe(400);
    expect((await secrets({ session: { output_modalities: ['audio', 'text'] } })).status).toBe(400);
    expect(
      (await fetch(`${server.url}/v1/realtime/client_secrets`, { headers: { 'api-key': KEY } })).status,
    ).toBe(405);
  });
});
