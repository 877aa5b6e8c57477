/**
 * The MCP servers that a client configures (docs/tools.md): each lists its tools once, in an item of its own, and they
 * become tools of the session that run here. What goes wrong with one is told, and the session lives on without its
 * tools.
 */
import { randomUUID } from 'node:crypto';
import type { Session, SessionSettings, Tool, ToolChoice } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { isTool } from '../../actors/tools/index.ts';
import type { Timers } from '../guard/index.ts';
import { type AllowedAddresses, type ListedTool, McpServer } from '../mcp/index.ts';
import type { McpApprovals } from './mcp-approvals.ts';
import {
  checkMcpTools,
  headersOf,
  isAllowed,
  isReadOnly,
  type McpTool,
  mcpToolsOf,
  needsApproval,
} from './mcp-fields.ts';
import type { SendEvent } from './outbox.ts';
import { refusal } from './protocol-error.ts';
import type { RealtimeState } from './state.ts';
import { forTool } from './tools.ts';

export interface McpServersOptions {
  readonly session: Session;
  readonly state: RealtimeState;
  readonly send: SendEvent;
  readonly clock: Timers;
  readonly allow: AllowedAddresses;
  readonly approvals: McpApprovals;
  /** Tools came: the session is to be told of them. */
  readonly onListed: () => void;
  /** Told to the client; the session lives on. */
  readonly onFailed: (error: unknown) => void;
}

/** One that was asked for, by all that the client said of it. */
interface Held {
  readonly given: McpTool;
  readonly server: McpServer | null;
  tools: readonly Tool[];
  /** Settles when it has listed, or failed to. */
  listing: Promise<void> | null;
}

/** A call of a tool of a server that answers nobody. */
const CALL_TIMEOUT_MS = 60_000;
const NAME = /^[\w.-]{1,64}$/;
/** Of all that one connection asks for while it lasts, those of single responses included. */
const MAX_HELD = 16;

export class McpServers {
  readonly #options: McpServersOptions;
  readonly #held = new Map<string, Held>();
  /** Names of tools that the process has besides. */
  readonly #taken = new Set<string>();
  /** Settings are compared by identity: the same tools are the same list. */
  #merged = new WeakMap<readonly unknown[], SessionSettings['tools']>();
  #closed = false;

  constructor(options: McpServersOptions) {
    this.#options = options;
  }

  /** Throws a refusal where the list itself is none. */
  check(tools: readonly unknown[], param: string): void {
    checkMcpTools(mcpToolsOf(tools), param);
  }

  /** From now on the session has these. They are connected to after what happens now. */
  use(tools: readonly unknown[]): void {
    const wanted = new Set(mcpToolsOf(tools).map(keyOf));
    for (const [key, held] of this.#held) {
      if (wanted.has(key)) continue;
      this.#held.delete(key);
      void held.server?.close();
    }
    this.#hold(tools, 'session.tools');
  }

  /** Null: all of them have listed. */
  listing(tools: readonly unknown[]): Promise<void> | null {
    this.#hold(tools, 'response.tools');
    const waits = mcpToolsOf(tools).flatMap(given => this.#held.get(keyOf(given))?.listing ?? []);
    return waits.length === 0 ? null : Promise.all(waits).then(() => {});
  }

  /** The settings, with the tools that have listed. */
  into(
    settings: Partial<SessionSettings>,
    tools: readonly unknown[],
    choice: unknown,
  ): Partial<SessionSettings> {
    const hasServers = mcpToolsOf(tools).length > 0;
    const own = hasServers ? this.#mergedWith(tools, settings.tools ?? []) : settings.tools;
    const toolChoice = this.choice(choice, [...(own ?? []), ...this.#options.session.settings.tools]);
    return { ...settings, ...(hasServers && { tools: own }), ...(toolChoice && { toolChoice }) };
  }

  #mergedWith(tools: readonly unknown[], own: SessionSettings['tools']): SessionSettings['tools'] {
    let merged = this.#merged.get(tools);
    if (!merged) {
      merged = [...own, ...this.tools(tools, new Set([...own.map(({ name }) => name), ...this.#taken]))];
      this.#merged.set(tools, merged);
    }
    return merged;
  }

  /** True where a tool's name was the trouble, and it has another now. */
  avoids(error: unknown): boolean {
    if (!(error instanceof RuntimeError) || error.code !== 'tool.duplicate') return false;
    const name = String(error.values.name);
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    this.#merged = new WeakMap();
    return true;
  }

  /** Those that have listed, under names that nobody else among them and `taken` has; what gets none is left out. */
  tools(tools: readonly unknown[], taken: ReadonlySet<string>): readonly Tool[] {
    const names = new Set(taken);
    return mcpToolsOf(tools).flatMap(given =>
      (this.#held.get(keyOf(given))?.tools ?? []).flatMap(tool => {
        const { label, name: own } = tool.server!;
        const long = `${label}_${own}`.replaceAll(/[^\w.-]/g, '_').slice(0, 64);
        const name = [own, long].find(one => NAME.test(one) && !names.has(one));
        if (name === undefined) return [];
        names.add(name);
        return [name === tool.name ? tool : { ...tool, name }];
      }),
    );
  }

  close(): void {
    this.#closed = true;
    this.#options.approvals.close();
    for (const { server } of this.#held.values()) void server?.close();
    this.#held.clear();
  }

  #hold(tools: readonly unknown[], path: string): void {
    tools.forEach((given, i) => {
      if ((given as McpTool).type !== 'mcp' || this.#held.has(keyOf(given as McpTool))) return;
      this.#open(given as McpTool, `${path}[${i}]`);
    });
  }

  #open(given: McpTool, param: string): void {
    let server: McpServer | null = null;
    let refused: unknown = null;
    try {
      if (this.#held.size >= MAX_HELD)
        throw refusal('too_many_mcp_servers', `At most ${MAX_HELD} MCP servers a connection.`, param);
      server = this.#serverOf(given, param);
    } catch (error) {
      refused = error;
    }
    const held: Held = { given, server, tools: [], listing: null };
    if (this.#held.size < MAX_HELD) this.#held.set(keyOf(given), held);
    // Not in the middle of what asked for it: the client hears of that first.
    held.listing = new Promise<void>(resolve => this.#options.clock.setTimer(0, resolve))
      .then(() => (this.#closed ? undefined : this.#list(held, refused)))
      .catch(error => this.#options.onFailed(error))
      .finally(() => {
        held.listing = null;
      });
  }

  #serverOf(given: McpTool, param: string): McpServer {
    const { server_url } = given;
    if (server_url === undefined)
      throw refusal(
        'mcp_no_address',
        'Give server_url: there are no connectors or tunnels here.',
        `${param}.server_url`,
      );
    return new McpServer({
      address: this.#options.allow.check(server_url),
      headers: headersOf(given, param),
    });
  }

  async #list(held: Held, refused: unknown): Promise<void> {
    const { onFailed, onListed, send, session, state } = this.#options;
    const { server_label } = held.given;
    const id = `mcpl_${randomUUID()}`;
    const item_id = id;
    const content = [
      { type: 'foreign', kind: 'mcp_list_tools', fields: { server_label, tools: [] } },
    ] as const;
    state.unfinished.add(id);
    try {
      session.send({ type: 'item.add', item: { id, role: 'tool', content } });
      send('mcp_list_tools.in_progress', { item_id });
      if (refused !== null) throw refused;
      const listed = (await held.server!.list()).filter(tool => isAllowed(tool, held.given));
      if (this.#closed) return;
      held.tools = listed.map(tool => this.#toolOf(tool, held));
      this.#merged = new WeakMap();
      onListed();
      this.#finish(id, { server_label, tools: listed.map(toWire) });
      send('mcp_list_tools.completed', { item_id });
    } catch (error) {
      if (this.#closed) return;
      this.#finish(id, { server_label, tools: [] });
      send('mcp_list_tools.failed', { item_id });
      onFailed(error);
    }
  }

  /** Its item says what came of it, unless the client has deleted it meanwhile. */
  #finish(itemId: string, fields: Readonly<Record<string, unknown>>): void {
    const { session, state } = this.#options;
    state.unfinished.delete(itemId);
    if (session.items.some(({ id }) => id === itemId)) session.send({ type: 'item.update', itemId, fields });
  }

  #toolOf(listed: ListedTool, { given, server }: Held): Tool {
    const { approvals } = this.#options;
    const asks = needsApproval(listed, given);
    const { description, inputSchema: parameters, name } = listed;
    const { server_label: label } = given;
    return {
      ...{ name, description, parameters, server: { label, name, asks } },
      // What a person is asked about is never done on a guess.
      effect: isReadOnly(listed) && !asks ? 'none' : 'world',
      timeoutMs: CALL_TIMEOUT_MS + (asks ? approvals.timeoutMs : 0),
      async run(args, { callId, signal }) {
        if (asks) await approvals.ask({ callId, label, name, argumentsJson: JSON.stringify(args) }, signal);
        return server!.call(name, args, signal);
      },
    };
  }

  /** What the choice means among these tools; null: it is of another kind. */
  choice(choice: unknown, tools: SessionSettings['tools']): ToolChoice | null {
    const { name, server_label, type } = (choice ?? {}) as Readonly<Record<string, unknown>>;
    if (type !== 'mcp') return null;
    const named = tools.filter(tool => {
      const server = isTool(tool) ? tool.server : undefined;
      return server?.label === server_label && (name === undefined || server?.name === name);
    });
    const names = new Set(named.map(tool => tool.name));
    if (names.size === 1) return forTool(named[0].name);
    return names.size === 0 ? 'auto' : 'required';
  }
}

const keyOf = (given: McpTool): string => JSON.stringify(given);

function toWire({ name, description, inputSchema: input_schema, annotations }: ListedTool) {
  return { name, description, input_schema, annotations };
}
