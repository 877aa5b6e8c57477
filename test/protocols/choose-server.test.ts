import { afterEach, describe, expect, it, vi } from 'vitest';
import { openClient } from '../support/realtime-client.ts';
import { startTestServer } from '../support/test-server.ts';

afterEach(() => vi.doUnmock('uWebSockets.js'));

describe('the choice of the socket server', () => {
  it('falls on uWebSockets.js where its binary loads', async () => {
    const server = await startTestServer();
    expect([server.socketServer, server.warnings]).toEqual(['uws', []]);
    await server.close();
  });

  it('falls back to ws with one warning, and serves; who wants no other is told', async () => {
    vi.doMock('uWebSockets.js', () => {
      throw new Error('This version of uWS.js supports only Node.js versions 18, 20 and 22');
    });
    const server = await startTestServer();
    expect(server.socketServer).toBe('ws');
    expect(server.warnings).toHaveLength(1);
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
