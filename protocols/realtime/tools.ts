/** Tools between the wire (docs/spec/tools.md §3) and the session. */
import type { ConversationItem, ItemContent, ToolChoice, ToolDeclaration } from '../../actors/session-api.ts';

import { approvalId } from './mcp-approvals.ts';

/** The same list gives the same declarations, so that nobody takes them for others. */
const known = new WeakMap<readonly unknown[], readonly ToolDeclaration[]>();

/** Functions that have a name; those of an `mcp` tool come when its server has listed them (`mcp-servers.ts`). */
export function toDeclarations(tools: readonly unknown[]): readonly ToolDeclaration[] {
  let declared = known.get(tools);
  if (!declared) {
    declared = tools
      .filter(isFunction)
      .map(({ name, description, parameters }) => ({ name, description, parameters }));
    known.set(tools, declared);
  }
  return declared;
}

export function toToolChoice(choice: unknown): ToolChoice {
  if (choice === 'none' || choice === 'required') return choice;
  const named = choice as { readonly type?: unknown; readonly name?: unknown } | null;
  return named?.type === 'function' && typeof named.name === 'string' ? forTool(named.name) : 'auto';
}

/** One object a name: settings are compared by identity. */
export function forTool(name: string): ToolChoice {
  const choice = choices.get(name) ?? { name };
  if (choices.size > MAX_CHOICES) choices.clear();
  choices.set(name, choice);
  return choice;
}

const choices = new Map<string, { readonly name: string }>();
const MAX_CHOICES = 1000;

type CallContent = Extract<ItemContent, { type: 'call' }>;

/** Tools of the process itself are told of by this name. */
const SERVER_LABEL = 'longcat-rt';

/**
 * A call that the server has run, or runs, is to a client what one of an MCP server is: there is nothing to do but to
 * know of it.
 */
export function toWireCall(
  { id, status }: ConversationItem,
  call: CallContent,
): Readonly<Record<string, unknown>> {
  const head = { id, object: 'realtime.item' } as const;
  const { argumentsJson, callId, failed = false, name, output, server } = call;
  if (output === undefined)
    return { ...head, type: 'function_call', status, call_id: callId, name, arguments: argumentsJson };
  return {
    ...head,
    type: 'mcp_call',
    server_label: server?.label ?? SERVER_LABEL,
    name: server?.name ?? name,
    arguments: argumentsJson,
    approval_request_id: server?.asks ? approvalId(callId) : null,
    output,
    error: failed ? { type: 'tool_execution_error', message: messageOf(output) } : null,
  };
}

/** Of `{"error": …}`, as a failed tool is told of to the model. */
function messageOf(output: string | null): string {
  try {
    const { error } = JSON.parse(output ?? '') as { readonly error?: unknown };
    return typeof error === 'string' ? error : (output ?? '');
  } catch {
    return output ?? '';
  }
}

function isFunction(tool: unknown): tool is ToolDeclaration {
  const { name, type } = tool as { readonly name?: unknown; readonly type?: unknown };
  return type === 'function' && typeof name === 'string' && name !== '';
}
