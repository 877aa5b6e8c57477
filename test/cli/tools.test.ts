import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { RealClock } from '../../actors/core/index.ts';
import { ToolRunner } from '../../actors/tools/index.ts';
import { loadTools } from '../../cli/tools/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'longcat-tools-'));
afterAll(() => rmSync(folder, { recursive: true }));
let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
const LIST = {
  tools: [
    { name: 'look', effect: 'none' },
    { name: 'pay', parameters: { properties: { sum: { type: 'number' } } } },
  ],
};

/** A webhook: its list, and what it does with calls and questions about them. */
async function webhook(answer: Answer): Promise<string> {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    if (request.method === 'GET' && !request.url!.includes('key=')) response.end(JSON.stringify(LIST));
    else answer(request, response, body);
  });
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tools`;
}

async function output(source: string, name: string, given: Record<string, unknown> = {}): Promise<string> {
  const tool = (await loadTools(source)).find(one => one.name === name)!;
  const run = { tool, arguments: given, key: 's/1/0', callId: 'c', sessionId: 's' };
  return new Promise(resolve => new ToolRunner(new RealClock()).run(run, ({ output }) => resolve(output)));
}

describe('tools of a module', () => {
  it('are its default export, or `tools`', async () => {
    const body = `[{ name: 'now', effect: 'none', run: () => ({ hour: 7 }) }]`;
    writeFileSync(join(folder, 'a.mjs'), `export default ${body};`);
    writeFileSync(join(folder, 'b.mjs'), `export const tools = ${body};`);
    expect(await output(join(folder, 'a.mjs'), 'now')).toBe('{"hour":7}');
    expect(await output(join(folder, 'b.mjs'), 'now')).toBe('{"hour":7}');
  });

  it('are refused where there are none, or they are none', async () => {
    writeFileSync(join(folder, 'none.mjs'), 'export default 5;');
    writeFileSync(join(folder, 'odd.mjs'), `export default [{ name: 'x', run() {} }];`);
    await expect(loadTools(join(folder, 'none.mjs'))).rejects.toMatchObject({ code: 'tools.open' });
    await expect(loadTools(join(folder, 'gone.mjs'))).rejects.toMatchObject({ code: 'tools.open' });
    await expect(loadTools(join(folder, 'odd.mjs'))).rejects.toMatchObject({ code: 'tool.invalid' });
  });
});

describe('tools behind an address', () => {
  it('are called with their arguments and their key', async () => {
    const seen: unknown[] = [];
    const url = await webhook((request, response, body) => {
      seen.push(request.headers['idempotency-key'], JSON.parse(body));
      response.end('{"paid":true}');
    });
    expect(await output(url, 'pay', { sum: 3 })).toBe('{"paid":true}');
    expect(seen).toEqual(['s/1/0', { name: 'pay', arguments: { sum: 3 }, key: 's/1/0', session_id: 's' }]);
    const [look, pay] = await loadTools(url);
    expect([look.effect, pay.effect]).toEqual(['none', 'world']); // What is not declared may do anything.
  });

  it.each([
    ['refuses', 'pay', [409], 0, '{"error":"sold out"}', 1],
    ['breaks down, and it had happened', 'pay', [500], 200, 'sold out', 1],
    ['breaks down, and it had not', 'pay', [500, 200], 404, 'sold out', 2],
    [
      'breaks down, and nobody knows',
      'pay',
      [500],
      500,
      '{"error":"The tool broke down; nobody knows whether it happened."}',
      1,
    ],
    ['hangs up, without an effect', 'look', [0, 200], 0, 'sold out', 2],
  ] as const)('%s', async (_, name, statuses, aboutKey, expected, calls) => {
    let called = 0;
    const url = await webhook((request, response) => {
      if (request.method === 'GET') return response.writeHead(aboutKey).end('sold out');
      const status = statuses[Math.min(called++, statuses.length - 1)];
      if (status === 0) return request.socket.destroy();
      return response.writeHead(status).end('sold out');
    });
    expect(await output(url, name)).toBe(expected);
    expect(called).toBe(calls);
  });

  it('are refused where the list is none, and follow nobody elsewhere', async () => {
    const url = await webhook(
      (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    expect(await output(url, 'look')).toContain('nobody knows');
    await expect(loadTools(url.replace(/\d+\/tools/, '1/tools'))).rejects.toMatchObject({
      code: 'tools.open',
    });
  });
});
