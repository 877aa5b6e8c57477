import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { RealClock } from '../../actors/core/index.ts';
import { type RunningServer, startServer } from '../../protocols/index.ts';
import { createMemoryRuntime } from '../support/memory-runtime.ts';

let app: Server;
let server: RunningServer;
afterEach(async () => {
  await server.close();
  app.close();
});

async function attached(prepare: (app: Server) => void = () => {}): Promise<string> {
  app = createServer((request, response) => response.end(`theirs ${request.url}`));
  prepare(app);
  const clock = new RealClock();
  const runtime = createMemoryRuntime(clock);
  server = await startServer({
    httpServer: app,
    runtime,
    clock,
    modelName: 'test-model',
    engineKind: 'reference',
  });
  await new Promise<void>(resolve => app.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(app.address() as AddressInfo).port}`;
}

const textOf = async (url: string) => (await fetch(url)).text();
/** The first frame, or how it ended. */
const opened = (url: string) =>
  new Promise<string>(resolve => {
    const socket = new WebSocket(url);
    socket.on('message', data => resolve(String(data)));
    socket.on('error', error => resolve(error.message));
    socket.on('close', code => resolve(`closed ${code}`));
  });

it('answers its own paths, leaves all others, and knows where it lives', async () => {
  const address = await attached();
  expect(JSON.parse(await textOf(`http://${address}/healthz`))).toMatchObject({ status: 'ok', server: 'ws' });
  expect(await textOf(`http://${address}/a?b=/healthz`)).toBe('theirs /a?b=/healthz');
  expect(server.url).toBe(`http://${address}`);
  expect(JSON.parse(await opened(`ws://${address}/v1/realtime`)).type).toBe('session.created');
});

it('refuses upgrades that nobody wants, and leaves those that somebody does', async () => {
  const address = await attached();
  expect(await opened(`ws://${address}/nowhere`)).toContain('404');
  await server.close();
  app.close();
  const theirs = new WebSocketServer({ noServer: true });
  const other = await attached(http =>
    http.on('upgrade', (request, stream, head) => {
      if (request.url === '/chat')
        theirs.handleUpgrade(request, stream, head, socket => socket.send('hello'));
    }),
  );
  expect(await opened(`ws://${other}/chat`)).toBe('hello');
  expect(JSON.parse(await opened(`ws://${other}/v1/realtime`)).type).toBe('session.created');
});

it('closes its own connections with 1001 and gives everything back', async () => {
  const address = await attached();
  const socket = new WebSocket(`ws://${address}/v1/realtime`);
  await new Promise(resolve => socket.once('message', resolve));
  const closed = new Promise<number>(resolve => socket.once('close', resolve));
  await server.close();
  expect(await closed).toBe(1001);
  expect(await textOf(`http://${address}/healthz`)).toBe('theirs /healthz');
});
