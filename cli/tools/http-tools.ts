/** Tools behind an address: a list of them, calls, and what came of a call (docs/tools.md). */
import { z } from 'zod';
import { type Tool, ToolCrash } from '../../actors/index.ts';
import { toolsOpen } from './tools-open.ts';

const MAX_LIST_BYTES = 1 << 20;
const MAX_RESULT_BYTES = 64 << 10;
const LIST_TIMEOUT_MS = 10_000;
/** Asked after a crash. */
const HAPPENED_TIMEOUT_MS = 5000;

const list = z.object({
  tools: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().optional(),
        parameters: z.record(z.string(), z.unknown()).optional(),
        effect: z.enum(['none', 'world']).default('world'), // What is not declared may do anything.
        timeoutMs: z.number().optional(),
      }),
    )
    .max(128),
});

/** Error `tools.open`. */
export async function httpTools(address: string): Promise<readonly Tool[]> {
  const text = await answerOf(address, { signal: AbortSignal.timeout(LIST_TIMEOUT_MS) }, MAX_LIST_BYTES)
    .then(({ status, text }) => {
      if (status !== 200) throw new Error(`it answers ${status}`);
      return text;
    })
    .catch(error => {
      throw toolsOpen(address, messageOf(error));
    });
  const given = list.safeParse(jsonOf(text));
  if (!given.success) throw toolsOpen(address, z.prettifyError(given.error));
  return given.data.tools.map(tool => ({ ...tool, ...overHttp(address, tool.name) }));
}

function overHttp(address: string, name: string): Pick<Tool, 'run' | 'happened'> {
  return {
    async run(given, { key, sessionId, signal }) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const body = JSON.stringify({ name, arguments: given, key, session_id: sessionId });
      const { status, text } = await answerOf(
        address,
        { method: 'POST', headers, body, signal },
        MAX_RESULT_BYTES,
      ).catch(error => {
        throw new ToolCrash(messageOf(error));
      });
      if (status >= 200 && status < 300) return text;
      // Who refuses has done nothing; whoever breaks down may have.
      if (status >= 400 && status < 500) throw new Error(text.slice(0, 500) || `It answers ${status}.`);
      throw new ToolCrash(`It answers ${status}.`);
    },
    async happened(key) {
      const url = new URL(address);
      url.searchParams.set('key', key);
      const signal = AbortSignal.timeout(HAPPENED_TIMEOUT_MS);
      const { status, text } = await answerOf(url.href, { signal }, MAX_RESULT_BYTES);
      if (status === 200) return text;
      if (status === 404) return null;
      throw new ToolCrash(`It answers ${status}.`);
    },
  };
}

/** All of a short answer. */
async function answerOf(address: string, request: RequestInit, maxBytes: number) {
  const response = await fetch(address, { ...request, redirect: 'error' });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) throw new Error(`It answers more than ${maxBytes} bytes.`);
    parts.push(part);
  }
  return { status: response.status, text: Buffer.concat(parts).toString('utf8') };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
