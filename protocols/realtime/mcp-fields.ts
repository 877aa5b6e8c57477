/**
 * A tool of type `mcp`, as a client configures it: which server, which of its tools, and which calls a person is asked
 * about first.
 */
import type { ListedTool } from '../mcp/index.ts';
import { refusal } from './protocol-error.ts';
import type { mcpToolSchema } from './session-fields.ts';
import type { z } from 'zod';

export type McpTool = z.infer<typeof mcpToolSchema>;
type Filter = { readonly tool_names?: readonly string[]; readonly read_only?: boolean };

/** Of one connection. */
const MAX_SERVERS = 8;

/** Those of a list that are of this type. */
export function mcpToolsOf(tools: readonly unknown[]): readonly McpTool[] {
  return tools.filter((tool): tool is McpTool => (tool as McpTool).type === 'mcp');
}

/** Throws a refusal. */
export function checkMcpTools(tools: readonly McpTool[], param: string): void {
  if (tools.length > MAX_SERVERS)
    throw refusal('too_many_mcp_servers', `At most ${MAX_SERVERS} MCP servers, please.`, param);
  const labels = tools.map(({ server_label }) => server_label);
  const twice = labels.find((label, i) => labels.indexOf(label) < i);
  if (twice !== undefined)
    throw refusal('invalid_value', `Two MCP servers have the server_label ${twice}.`, param);
}

/** What a client is shown of it: its keys stay here, because others may look at the session too. */
export function withoutKeys(tools: readonly unknown[]): readonly unknown[] {
  return tools.map(tool => {
    if ((tool as McpTool).type !== 'mcp') return tool;
    const { authorization: _authorization, headers: _headers, ...shown } = tool as McpTool;
    return shown;
  });
}

/** Of headers that the protocol itself sends, and of those that steer the connection, a client has none. */
const RESERVED =
  /^(mcp-.*|proxy-.*|sec-.*|host|connection|content-.*|accept.*|transfer-encoding|upgrade|te|trailer|expect|keep-alive)$/i;
const MAX_HEADERS = 32;

/** Throws a refusal. */
export function headersOf({ authorization, headers = {} }: McpTool, param: string): Record<string, string> {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS)
    throw refusal('invalid_value', `At most ${MAX_HEADERS} headers.`, `${param}.headers`);
  const reserved = names.find(name => RESERVED.test(name));
  if (reserved !== undefined)
    throw refusal('invalid_value', `The header ${reserved} is not for you to set.`, `${param}.headers`);
  const bearer =
    authorization && (/^bearer /i.test(authorization) ? authorization : `Bearer ${authorization}`);
  const given = { ...headers, ...(bearer && { authorization: bearer }) };
  try {
    new Headers(given);
  } catch {
    throw refusal(
      'invalid_value',
      'A header’s name or value has characters that none may have.',
      `${param}.headers`,
    );
  }
  return given;
}

export function isAllowed(tool: ListedTool, { allowed_tools }: McpTool): boolean {
  if (allowed_tools === undefined) return true;
  return Array.isArray(allowed_tools) ? allowed_tools.includes(tool.name) : matches(tool, allowed_tools);
}

/** What nothing is said of is asked about. */
export function needsApproval(tool: ListedTool, { require_approval = 'always' }: McpTool): boolean {
  if (typeof require_approval === 'string') return require_approval === 'always';
  const { always, never } = require_approval;
  if (always && matches(tool, always)) return true;
  return !(never && matches(tool, never));
}

/** It says so itself. */
export const isReadOnly = ({ annotations }: ListedTool): boolean => annotations?.readOnlyHint === true;

function matches(tool: ListedTool, { tool_names, read_only }: Filter): boolean {
  if (tool_names === undefined && read_only === undefined) return false;
  return (tool_names?.includes(tool.name) ?? true) && (read_only ?? isReadOnly(tool)) === isReadOnly(tool);
}
