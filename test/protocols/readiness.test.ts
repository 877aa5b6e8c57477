import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../actors/core/index.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
afterEach(() => server?.close());

const get = async (path: string) => {
  const response = await fetch(server.url + path);
  return { status: response.status, headers: response.headers, body: await response.text() };
};

/** Status and code of an upgrade: 101 and `open`, or what it is refused with. */
async function upgrade(): Promise<{ status: number; code: string; socket: WebSocket | null }> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/realtime?model=x`);
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ status: 101, code: 'open', socket }));
    socket.on('error', reject);
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () => {
        const { code } = JSON.parse(text).error;
        resolve({ status: response.statusCode!, code, socket: null });
      });
    });
  });
}

describe.each(['uws', 'ws'] as const)('a server on %s', socketServer => {
  it('is alive whatever its components do, and ready when all of them serve', async () => {
    server = await startTestServer({ socketServer });
    expect((await get('/readyz')).status).toBe(200);
    server.runtime.states.set('language-model', 'down');
    const unready = await get('/readyz');
    expect(unready.status).toBe(503);
    expect(unready.headers.get('retry-after')).toBe('5');
    const components = { 'language-model': 'down', 'vision-encoder': 'absent' };
    expect(JSON.parse(unready.body)).toEqual({ status: 'not_ready', sessions: 0, components });
    expect((await get('/healthz')).status).toBe(200);
    expect(await upgrade()).toMatchObject({ status: 503, code: 'not_ready' });
    server.runtime.states.set('language-model', 'starting');
    expect((await get('/readyz')).status).toBe(503);
    server.runtime.states.set('language-model', 'ready');
    expect((await get('/readyz')).status).toBe(200);
    const { status, socket } = await upgrade();
    expect(status).toBe(101);
    socket!.close();
  });

  it('says who serves what, to people and to programs', async () => {
    const serving = new Map([['language-model', { by: 'nats', at: 'nats://host:4222' }]]);
    server = await startTestServer({ socketServer, serving, webRoot: 'web', keys: ['secret'] });
    const ask = (headers: Record<string, string>) => fetch(`${server.url}/topology`, { headers });
    const page = await (await ask({ accept: 'text/html,*/*' })).text();
    expect(page).toContain('Who serves what');
    expect((await ask({})).status).toBe(401);
    expect(await (await ask({ authorization: 'Bearer secret' })).json()).toEqual({
      model: 'test-model',
      sessions: { open: 0, most: 64 },
      components: [
        { component: 'language-model', state: 'ready', by: 'nats', at: 'nats://host:4222', hosts: [] },
        { component: 'vision-encoder', state: 'absent', hosts: [] },
      ],
    });
  });

  it('counts every fault by component and kind, from 0 on', async () => {
    server = await startTestServer({ socketServer });
    const { faults, recoveries, states } = server.runtime;
    const counter = 'longcat_component_faults_total{component="language-model",kind="overdue"}';
    expect((await get('/metrics')).body).toContain(`${counter} 0`);
    const fault = { component: 'language-model', code: 'engine.overdue', message: '', atMs: 0 };
    faults.next({ ...fault, kind: 'overdue' });
    faults.next({ ...fault, kind: 'overdue' });
    recoveries.next({ component: 'language-model', downMs: 40 });
    states.set('language-model', 'down');
    const { body } = await get('/metrics');
    expect(body).toContain(`${counter} 2`);
    expect(body).toContain('longcat_component_recovery_seconds_sum{component="language-model"} 0.04');
    expect(body).toContain('longcat_component_ready{component="language-model"} 0');
    expect(body).not.toContain('longcat_component_ready{component="vision-encoder"}');
  });

  it('drains: no new sessions, those that are open go on, until they end', async () => {
    const clock = new VirtualClock();
    server = await startTestServer({ socketServer, clock });
    const { socket } = await upgrade();
    let drained = false;
    const draining = server.drain(1000).then(() => {
      drained = true;
    });
    expect(await upgrade()).toMatchObject({ status: 503, code: 'draining' });
    expect(JSON.parse((await get('/readyz')).body)).toMatchObject({ status: 'draining', sessions: 1 });
    expect((await get('/healthz')).status).toBe(200);
    await clock.runFor(500);
    expect(drained).toBe(false);
    const closed = new Promise(resolve => socket!.on('close', resolve));
    socket!.close();
    await closed;
    while (server.runtime.sessions.size > 0) await new Promise(setImmediate);
    await clock.runFor(50);
    await draining;
  });

  it('drains for so long and no longer, and then closes with 1001', async () => {
    const clock = new VirtualClock();
    server = await startTestServer({ socketServer, clock });
    const { socket } = await upgrade();
    const closed = new Promise(resolve => socket!.on('close', resolve));
    const draining = server.drain(1000);
    await clock.runFor(1000);
    await draining;
    expect(server.runtime.sessions.size).toBe(1);
    const closing = server.close();
    expect(await closed).toBe(1001);
    await clock.runFor(5000);
    await closing;
  });
});
