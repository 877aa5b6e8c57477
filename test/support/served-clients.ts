/** A server over the in-memory runtime for all tests of a file, and clients that are gone after each. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { openClient, type RealtimeClient } from './realtime-client.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export function serveClients() {
  let server: TestServer;
  const clients: RealtimeClient[] = [];
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  return {
    async connect(query?: string): Promise<RealtimeClient> {
      const client = await openClient(server.url, query);
      clients.push(client);
      await client.next('session.created');
      return client;
    },
    session: (id: string) => server.runtime.sessions.get(id)!,
  };
}

export const textItem = (value: string, id?: string) => ({
  type: 'message',
  role: 'user',
  ...(id === undefined ? {} : { id }),
  content: [{ type: 'input_text', text: value }],
});

export const addText = (client: RealtimeClient, value: string, id?: string) =>
  client.send({ type: 'conversation.item.create', item: textItem(value, id) });
