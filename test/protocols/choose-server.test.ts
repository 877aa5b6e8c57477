import { afterEach, describe, expect, it, vi } from 'vitest';
import { openClient } from '../support/realtime-client.ts';
import { startTestServer } from '../support/test-server.ts';

afterEach(() => vi.doUnmock('uWebSockets.js'));

describe('the choice of the socket server', () => {
  it('falls on ws, also where uWebSockets.js does not load, and serves', async () => {
    vi.doMock('uWebSockets.js', () => {
      throw new Error('This version of uWS.js supports only Node.js versions 18, 20 and 22');
    });
    const server = await startTestServer();
    expect([server.socketServer, server.warnings]).toEqual(['ws', []]);
    const client = await openClient(server.url);
    await client.next('session.created');
    client.close();
    await server.close();
    await expect(startTestServer({ socketServer: 'uws' })).rejects.toMatchObject({
      code: 'server.uws-missing',
      remedy: expect.stringContaining('socketServer'),
    });
  });
});
