/** An endpoint of the Responses API over HTTP, as good and as bad as they come. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { responsesEndpoint } from '../../protocols/live/delegation/index.ts';

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

let server: Server | null = null;
afterEach(() => server?.close());

/** Answers with these pieces, as they are. */
async function endpoint(pieces: readonly (string | Buffer)[], status = 200) {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString());
      asked.push({ path: request.url!, headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) response.write(piece);
      response.end();
    });
  });
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server!.address() as AddressInfo).port}/v1`;
  return { asked, url };
}

async function events(url: string, key?: string) {
  const all: unknown[] = [];
  const backend = responsesEndpoint({ url, key });
  for await (const event of backend.ask({ model: 'm' }, new AbortController().signal)) all.push(event);
  return all;
}

describe('a Responses endpoint', () => {
  it('is asked with the key, and its events come as they are cut', async () => {
    const word = Buffer.from('data: {"type":"b","text":"ä"}\n\n');
    const { asked, url } = await endpoint([
      'event: a\r\ndata: {"type":',
      '"a"}\r\n\r\n: a comment\n\n',
      word.subarray(0, 24),
      word.subarray(24),
      'data: {"type":\ndata: "c"}\n\ndata: [DONE]\n\n',
    ]);
    expect(await events(`${url}/`, 'secret')).toEqual([
      { type: 'a' },
      { type: 'b', text: 'ä' },
      { type: 'c' },
    ]);
    expect(asked).toMatchObject([{ path: '/v1/responses', body: { model: 'm' } }]);
    expect(asked[0].headers).toMatchObject({ authorization: 'Bearer secret', accept: 'text/event-stream' });
  });

  it.each([
    [['{"error":"no such model"}'], 404, 'The backend answers 404: {"error":"no such model"}'],
    [['data: nonsense\n\n'], 200, 'The backend’s stream holds what is no event: nonsense'],
    [['data: {"a":1}\n\n'], 200, 'The backend’s stream holds what is no event: {"a":1}'],
    [[`data: "${'x'.repeat(2 << 20)}`], 200, 'The backend answers more than is read of it.'],
  ])('that answers %j is told apart', async (pieces, status, message) => {
    const { url } = await endpoint(pieces, status);
    await expect(events(url)).rejects.toThrow(message);
  });

  it('that is not there is an error', async () => {
    await expect(events('http://127.0.0.1:9/v1')).rejects.toThrow();
  });
});
