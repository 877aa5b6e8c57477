/** A real MCP server over Streamable HTTP, made with the official SDK, in the test's process. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CallToolResult, createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export interface TestTool {
  readonly name: string;
  readonly readOnly?: boolean;
  run?(given: Record<string, unknown>): CallToolResult | Promise<CallToolResult>;
}

export interface TestMcpServer {
  readonly url: string;
  readonly origin: string;
  /** Calls that came in. */
  readonly calls: { readonly name: string; readonly given: unknown }[];
  /** Of each request. */
  readonly headers: IncomingHttpHeaders[];
  /** Answers with this status from now on; 0: as ever. */
  status: number;
  close(): Promise<void>;
}

export const said = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });

export async function startMcpServer(
  tools: readonly TestTool[],
  redirectTo: string | null = null,
): Promise<TestMcpServer> {
  const calls: TestMcpServer['calls'] = [];
  const headers: IncomingHttpHeaders[] = [];
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'test', version: '1' });
    for (const { name, readOnly, run } of tools)
      server.registerTool(
        name,
        {
          description: `Does ${name}.`,
          inputSchema: z.looseObject({ x: z.number().optional() }),
          ...(readOnly !== undefined && { annotations: { readOnlyHint: readOnly } }),
        },
        given => {
          calls.push({ name, given });
          return run?.(given) ?? said(`${name} done`);
        },
      );
    return server;
  });
  const http = createServer(async (request, response) => {
    headers.push(request.headers);
    if (redirectTo !== null || server.status !== 0) {
      const elsewhere = redirectTo === null ? {} : { location: redirectTo };
      response.writeHead(server.status || 307, elsewhere).end('no');
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const asked = new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method,
      headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]) as [
        string,
        string,
      ][],
      ...(hasBody && { body: Buffer.concat(parts) }),
    });
    const answer = await handler.fetch(asked);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const part of answer.body ?? []) response.write(part);
    response.end();
  });
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server = {
    ...{ url: `${origin}/mcp`, origin, calls, headers, status: 0 },
    async close() {
      await handler.close();
      http.closeAllConnections();
      await new Promise(resolve => http.close(resolve));
    },
  };
  return server;
}
