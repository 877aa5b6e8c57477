/**
 * One server of tools: what it offers, and calls of them. The client library is loaded when the first one is needed.
 */
import type { CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ToolCrash } from '../../actors/tools/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { boundedFetch } from './bounded-fetch.ts';

type Library = typeof import('@modelcontextprotocol/client');

export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, unknown>> | null;
}

export interface McpServerOptions {
  /** One that is allowed. */
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
}

interface McpConnection {
  readonly library: Library;
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
}

const MAX_TOOLS = 128;
const MAX_PAGES = 16;
/** Of one answer: a page of the list, a result. */
const MAX_ANSWER_BYTES = 1 << 20;
/** Of connecting, and of all of the list. */
const LIST_TIMEOUT_MS = 10_000;
/** The caller's own limit comes before it. */
const CALL_TIMEOUT_MS = 600_000;
const NO_SUCH_SESSION = 404;

export class McpServer {
  readonly #options: McpServerOptions;
  #connection: Promise<McpConnection> | null = null;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: McpServerOptions) {
    this.#options = options;
  }

  /** Errors `mcp.list-failed`, `mcp.list-too-long`, `mcp.missing`. */
  async list(): Promise<readonly ListedTool[]> {
    const { address } = this.#options;
    try {
      const { client } = await this.#connected();
      const { tools } = await client.listTools(undefined, { timeout: LIST_TIMEOUT_MS });
      if (tools.length > MAX_TOOLS) throw tooLong(address, tools.length);
      return tools.map(({ name, description = '', inputSchema, annotations = null }) => ({
        ...{ name, description, inputSchema, annotations },
      }));
    } catch (error) {
      this.#drop();
      if (error instanceof RuntimeError) throw error;
      const values = { address: withoutQuery(address), cause: messageOf(error) };
      throw new RuntimeError('mcp.list-failed', 'The server did not list its tools.', values, REMEDY);
    }
  }

  /**
   * What a call gives, as text. What the server refuses is an `Error`; where nobody knows what happened, a `ToolCrash`.
   */
  async call(name: string, given: Record<string, unknown>, signal: AbortSignal): Promise<string> {
    const running = this.#call(name, given, signal, true);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** What is under way is waited for: nobody would know what came of it. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#running]);
    this.#drop();
  }

  async #call(
    name: string,
    given: Record<string, unknown>,
    signal: AbortSignal,
    mayReconnect: boolean,
  ): Promise<string> {
    const connection = await this.#connected().catch(error => {
      this.#drop();
      throw new Error(`The tool's server cannot be reached: ${messageOf(error)}`);
    });
    const { client, library } = connection;
    const timeout = { timeout: CALL_TIMEOUT_MS, maxTotalTimeout: CALL_TIMEOUT_MS };
    let result: CallToolResult;
    try {
      result = await client.callTool({ name, arguments: given }, { signal, ...timeout });
    } catch (error) {
      if (error instanceof library.ProtocolError) throw new Error(error.message);
      this.#drop();
      if (!(error instanceof library.SdkHttpError)) throw new ToolCrash(messageOf(error));
      // It has forgotten us, and done nothing.
      if (error.status === NO_SUCH_SESSION && mayReconnect) return this.#call(name, given, signal, false);
      if (error.status < 500) throw new Error(`The tool's server answers ${error.status}.`);
      throw new ToolCrash(`The tool's server answers ${error.status}.`);
    }
    const text = textOf(result);
    if (result.isError) throw new Error(text || 'The tool failed.');
    return text;
  }

  #connected(): Promise<McpConnection> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  async #connect(): Promise<McpConnection> {
    const library = await import('@modelcontextprotocol/client').catch(error => {
      const remedy = 'Install the optional package @modelcontextprotocol/client.';
      throw new RuntimeError(
        'mcp.missing',
        'This server has no MCP client.',
        { cause: messageOf(error) },
        remedy,
      );
    });
    const { address, headers } = this.#options;
    const transport = new library.StreamableHTTPClientTransport(address, {
      fetch: boundedFetch(address, MAX_ANSWER_BYTES, () => this.#drop()),
      requestInit: { headers },
    });
    const client = new library.Client(
      { name: 'longcat-rt', version: '1' },
      {
        versionNegotiation: { mode: 'auto' },
        listMaxPages: MAX_PAGES,
        // No code is made of what a server says its results look like.
        jsonSchemaValidator: {
          getValidator: () => input => ({ valid: true, data: input as never, errorMessage: undefined }),
        },
      },
    );
    client.onerror = () => {}; // Whatever was asked hears of it too.
    await client.connect(transport, { timeout: LIST_TIMEOUT_MS });
    return { library, client, transport };
  }

  /** The next call connects anew. */
  #drop(): void {
    const dropped = this.#connection;
    this.#connection = null;
    dropped
      ?.then(async ({ client, transport }) => {
        await transport.terminateSession().catch(() => {});
        await client.close();
      })
      .catch(() => {}); // It was never open.
  }
}

const REMEDY = 'See that its address is one of an MCP server over Streamable HTTP, and that it runs.';

function tooLong(address: URL, count: number): RuntimeError {
  const values = { address: withoutQuery(address), count, most: MAX_TOOLS };
  const remedy = 'Have the server list fewer tools.';
  return new RuntimeError('mcp.list-too-long', 'The server lists too many tools.', values, remedy);
}

/** What a model can read of it. */
function textOf({ content, structuredContent }: CallToolResult): string {
  const parts = content.map(part => {
    if (part.type === 'text') return part.text;
    if (part.type === 'resource_link') return part.uri;
    if (part.type === 'resource') return 'text' in part.resource ? part.resource.text : part.resource.uri;
    return `[${part.type}: ${part.mimeType}]`;
  });
  const text = parts.join('\n');
  return text === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : text;
}

/** A query may hold a key. */
const withoutQuery = ({ origin, pathname }: URL): string => `${origin}${pathname}`;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
