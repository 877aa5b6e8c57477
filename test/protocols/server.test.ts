import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealClock } from '../../actors/core/index.ts';
import { loadAddon } from '../../kernels/native/addon.ts';
import { startUwsServer } from '../../protocols/server/uws-server.ts';
import { openClient, pcm, RealtimeClient } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Unlike fetch, sends the path and the Host as given. */
function get(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const outgoing = request({ hostname, port, path, headers, method }, response => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A WebSocket peer that reads the answer to its upgrade, sends what it is told and never reads again. */
async function deafPeer(url: string, frames: readonly string[]): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(
    `GET /v1/realtime HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await new Promise(resolve => socket.once('data', resolve));
  socket.pause();
  for (const text of frames) {
    const payload = Buffer.from(text);
    const head =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length])
        : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]);
    socket.write(Buffer.concat([head, Buffer.alloc(4), payload])); // Masked with zeros.
  }
  return socket;
}

describe.skipIf(typeof loadAddon() === 'string')('uWebSockets.js, which cannot stop reading', () => {
  it('brings no more in one turn of the event loop than the kernel may keep', async () => {
    let broughtBytes = 0;
    const turns: number[] = [];
    const uws = (await import('uWebSockets.js')).default;
    const server = await startUwsServer(uws, {
      host: '127.0.0.1',
      port: 0,
      tls: null,
      maxMessageBytes: 1 << 20,
      maxBodyBytes: 1024,
      deadAfterMs: 60_000,
      clock: new RealClock(),
      onRequest: () => Promise.reject(new Error('none is made')),
      onUpgrade: () => ({
        accept: true,
        subprotocol: null,
        onOpen: () => ({
          onText: text => {
            if (broughtBytes === 0) {
              setImmediate(() => {
                turns.push(broughtBytes);
                broughtBytes = 0;
              });
            }
            broughtBytes += text.length;
          },
          onBinary: () => {},
          onClose: () => {},
        }),
      }),
    });
    const text = 'x'.repeat(1000);
    const peer = await deafPeer(`http://127.0.0.1:${server.port}`, Array(8000).fill(text));
    await expect.poll(() => turns.reduce((sum, bytes) => sum + bytes, 0)).toBe(8_000_000);
    expect(Math.max(...turns)).toBeLessThan(200_000);
    peer.destroy();
    await server.close();
  });
});

describe.each(['uws', 'ws'] as const)('the socket server on %s', kind => {
  let server: TestServer;
  let webRoot: string;

  beforeAll(async () => {
    webRoot = mkdtempSync(join(tmpdir(), 'page-'));
    mkdirSync(join(webRoot, 'page/deep'), { recursive: true });
    writeFileSync(join(webRoot, 'secret.js'), 'outside');
    writeFileSync(join(webRoot, 'page/index.html'), '<h1>talk</h1>');
    writeFileSync(join(webRoot, 'page/deep/app.js'), 'let a;');
    writeFileSync(join(webRoot, 'page/.env.js'), 'hidden');
    writeFileSync(join(webRoot, 'page/tsconfig.json'), '{}');
    symlinkSync(join(webRoot, 'secret.js'), join(webRoot, 'page/link.js'));
    server = await startTestServer({
      socketServer: kind,
      webRoot: join(webRoot, 'page'),
      limits: { maxBodyBytes: 1000 },
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(webRoot, { recursive: true });
  });

  it('is the one that was asked for', () => {
    expect(server.socketServer).toBe(kind);
  });

  it('serves the page with its type, a policy and revalidation', async () => {
    const page = await get(server.url, '/');
    expect(page).toMatchObject({ status: 200, body: '<h1>talk</h1>' });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const { host } = new URL(server.url);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("frame-ancestors 'none'");
    // No server but this one.
    expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host};`);
    const odd = await get(server.url, '/', { host: "x; script-src 'unsafe-eval'" });
    expect(odd.headers['content-security-policy'] ?? '').not.toContain('unsafe-eval');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    const again = await get(server.url, '/', { 'if-none-match': String(page.headers.etag) });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect((await get(server.url, '/deep/app.js')).headers['content-type']).toBe(
      'text/javascript; charset=utf-8',
    );
    expect(await get(server.url, '/', {}, 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '13' },
    });
    expect((await get(server.url, '/', {}, 'DELETE')).status).toBe(405);
  });

  it('lets no path out of the folder', async () => {
    const paths = [
      '/../secret.js',
      '/..%2fsecret.js',
      '/deep/../../secret.js',
      '/%2e%2e/secret.js',
      '/link.js',
      '/.env.js',
      '/..%5csecret.js',
      '/%00',
      '/%E0%A4%A',
      '/deep',
      '//',
      '/tsconfig.json',
    ];
    for (const path of paths) {
      const { status, body } = await get(server.url, path);
      expect([path, status === 200 && body !== '<h1>talk</h1>']).toEqual([path, false]);
    }
  });

  it('tells its health and metrics', async () => {
    const client = await openClient(server.url);
    await client.next('session.created');
    const health = JSON.parse((await get(server.url, '/healthz')).body);
    expect(health).toMatchObject({
      status: 'ok',
      engine: 'reference',
      model: 'test-model',
      server: kind,
      sessions: 1,
      limits: { maxSessions: 64 },
    });
    const metrics = await get(server.url, '/metrics');
    expect(metrics.headers['content-type']).toContain('text/plain');
    expect(metrics.body).toMatch(/^longcat_sessions 1$/m);
    expect(metrics.body).toMatch(/^longcat_waiting_bytes 0$/m);
    for (const path of ['/healthz', '/metrics']) {
      expect((await get(server.url, path)).headers['x-content-type-options']).toBe('nosniff');
      const refused = await get(server.url, path, {}, 'POST');
      expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD']);
      expect((await get(server.url, path, {}, 'HEAD')).status).toBe(200);
    }
    client.close();
    await client.closed;
  });

  it('answers plain requests to the socket, unknown sockets and large bodies in clear words', async () => {
    expect((await get(server.url, '/v1/realtime')).status).toBe(426);
    const lost = new RealtimeClient(`${server.url}/elsewhere`);
    await expect(lost.opened).rejects.toThrow('404');
    const large = await get(
      server.url,
      '/v1/realtime/client_secrets',
      { 'content-length': '2000' },
      'POST',
      'x'.repeat(2000),
    );
    expect(large.status).toBe(413);
  });

  it('closes the connection of an oversized frame with 1009 and keeps the others', async () => {
    const small = await startTestServer({ socketServer: kind, limits: { maxFrameBytes: 10_000 } });
    const [offender, other] = [await openClient(small.url), await openClient(small.url)];
    offender.send(JSON.stringify({ type: 'x', text: 'y'.repeat(12_000) }));
    expect((await offender.closed).code).toBe(1009);
    other.send({ type: 'response.create' });
    await other.next('response.done');
    expect(small.runtime.sessions.size).toBe(1);
    await small.close();
  });

  it('closes a reader that does not read, and only that one', async () => {
    const slow = await startTestServer({
      socketServer: kind,
      limits: { maxUnsentBytes: 200_000 },
      memory: { wordsPerReply: 2000 },
    });
    const other = await openClient(slow.url);
    await other.next('session.created');
    const deaf = await deafPeer(slow.url, [JSON.stringify({ type: 'response.create' })]);
    const [, session] = slow.runtime.sessions.values();
    await new Promise<void>(resolve => session.events$.subscribe({ complete: resolve }));
    expect(session.closedWith).toContain('slow reader');
    other.send({ type: 'response.create', response: { output_modalities: ['text'] } });
    await other.next('response.done');
    expect((await get(slow.url, '/metrics')).body).toMatch(/^longcat_slow_readers_total 1$/m);
    deaf.destroy();
    await slow.close();
  });

  it('refuses one session too many with 503 before the upgrade, and takes it when one has left', async () => {
    const full = await startTestServer({ socketServer: kind, memory: { maxSessions: 1 } });
    const first = await openClient(full.url);
    await first.next('session.created');
    const refused = await get(full.url, '/v1/realtime', {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    expect(JSON.parse(refused.body).error).toMatchObject({ type: 'server_error', code: 'runtime_full' });
    const [session] = full.runtime.sessions.values();
    const left = new Promise<void>(resolve => session.events$.subscribe({ complete: resolve }));
    first.close();
    await left;
    const second = await openClient(full.url);
    await second.next('session.created');
    await full.close();
  });

  it('tells a session that could not be opened after the upgrade, and closes with 1013', async () => {
    const full = await startTestServer({ socketServer: kind, memory: { maxSessions: 0 } });
    Object.assign(full.runtime.limits, { maxSessions: 1 }); // Lost the race: the check passed, the opening did not.
    const client = await openClient(full.url);
    expect((await client.next('error')).error).toMatchObject({ type: 'server_error', code: 'runtime_full' });
    expect((await client.closed).code).toBe(1013);
    await full.close();
  });

  it('chooses the subprotocol realtime and refuses offers without it', async () => {
    const client = new RealtimeClient(`${server.url}/v1/realtime`, ['realtime', 'openai-agents-sdk.1.0']);
    await client.opened;
    expect(client.socket.protocol).toBe('realtime');
    client.close();
    await expect(new RealtimeClient(`${server.url}/v1/realtime`, ['chat']).opened).rejects.toThrow('400');
  });

  it('refuses calls that do not run and unknown intents', async () => {
    const refused = {
      '?call_id=rtc_1': '404',
      '?model=a&call_id=rtc_1': '404',
      '?intent=translation': '400',
    };
    for (const [query, status] of Object.entries(refused)) {
      await expect(new RealtimeClient(`${server.url}/v1/realtime${query}`).opened).rejects.toThrow(status);
    }
  });

  it('ends idle and old sessions with an error and 1000', async () => {
    const limits = [
      { idleMs: 30, code: 'session_idle' },
      { lifetimeMs: 30, code: 'session_expired' },
    ];
    for (const { code, ...limit } of limits) {
      const short = await startTestServer({ socketServer: kind, limits: limit });
      const client = await openClient(short.url);
      expect((await client.next('error')).error.code).toBe(code);
      expect(await client.closed).toEqual({ code: 1000, reason: code });
      expect(short.runtime.sessions.size).toBe(0);
      await short.close();
    }
  });

  it('ends its sessions with 1001 when it closes, and frees the port', async () => {
    const first = await startTestServer({ socketServer: kind });
    const client = await openClient(first.url);
    await client.next('session.created');
    client.send({ type: 'input_audio_buffer.append', audio: pcm(100, 0.5) });
    await client.next('input_audio_buffer.speech_started');
    await first.close();
    expect((await client.closed).code).toBe(1001);
    const port = Number(new URL(first.url).port);
    const second = await startTestServer({ socketServer: kind, port });
    await expect(startTestServer({ socketServer: kind, port })).rejects.toMatchObject({
      code: 'server.port-in-use',
    });
    await second.close();
  });

  it('ends a session whose client vanished', async () => {
    const { hostname, port } = new URL(server.url);
    const before = server.runtime.sessions.size;
    const client = await openClient(server.url);
    await client.next('session.created');
    const id = client.events[0].session.id;
    const ended = new Promise<void>(resolve =>
      server.runtime.sessions.get(id)!.events$.subscribe({ complete: resolve }),
    );
    client.socket.terminate();
    await ended;
    expect([hostname, Number(port) > 0, server.runtime.sessions.size]).toEqual(['127.0.0.1', true, before]);
  });
});
