/**
 * Tools of MCP servers that a client configures: the wire of `openai`'s types, a real server of the official SDK
 * (docs/tools.md).
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { said, startMcpServer, type TestMcpServer, type TestTool } from '../support/mcp-server.ts';
import { openClient, type RealtimeClient, type WireRecord } from '../support/realtime-client.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Case {
  readonly tools?: readonly TestTool[];
  readonly replies?: readonly (readonly ScriptedSegment[])[];
  readonly allow?: (mcp: TestMcpServer) => readonly string[];
  readonly config?: object;
  /** False: the session is left as it is. */
  readonly configure?: boolean;
}

const LOOK: TestTool = { name: 'look', readOnly: true, run: () => said('{"degrees":21}') };
const SET: TestTool = { name: 'set', run: () => said('set') };
const ANSWER: ScriptedSegment = { text: 'It is done.', frames: 0 };
const calling = (name: string) => [[callSegment([name, { x: 5 }])], [ANSWER]];

async function world({
  tools = [LOOK, SET],
  replies = calling('look'),
  allow = mcp => [mcp.origin],
  config = {},
  configure = true,
}: Case = {}) {
  const mcp = await startMcpServer(tools);
  const server = await startLiveServer({ replies, toolTemplate: TOOL_TEMPLATE, mcpAllow: allow(mcp) });
  const client = await openClient(server.url);
  opened.push(mcp, server, client);
  const tool = { type: 'mcp', server_label: 'house', server_url: mcp.url, ...config };
  if (configure) {
    client.send({
      type: 'session.update',
      session: { type: 'realtime', output_modalities: ['text'], tools: [tool] },
    });
    await client.next('session.updated');
  }
  return { mcp, server, client, tool };
}

const NEVER = { require_approval: 'never' };

function ask(client: RealtimeClient, response: object = {}): void {
  const content = [{ type: 'input_text', text: 'Please.' }];
  client.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
  client.send({ type: 'response.create', response });
}

const ofType = (client: RealtimeClient, type: string): WireRecord[] =>
  client.events.filter(event => event.type === type);
const errors = (client: RealtimeClient) => ofType(client, 'error').map(({ error }) => error.code);
/** The answer to the results, which comes by itself. */
async function answered(client: RealtimeClient): Promise<WireRecord> {
  for (;;) {
    const { response } = await client.next('response.done');
    if (response.output.some(({ type }: WireRecord) => type === 'message')) return response;
  }
}

describe('the list of an MCP server’s tools', () => {
  it('is an item, with its events, and holds what was allowed of it', async () => {
    const { client } = await world({ config: { ...NEVER, allowed_tools: ['look'] } });
    const { item_id } = await client.next('mcp_list_tools.completed');
    expect(ofType(client, 'mcp_list_tools.in_progress')).toMatchObject([{ item_id }]);
    const told = client.events.filter(({ item }) => item?.id === item_id);
    expect(told.map(({ type, item }) => [type, item.tools.length])).toEqual([
      ['conversation.item.added', 0],
      ['conversation.item.done', 1],
    ]);
    expect(told[1].item).toMatchObject({
      ...{ type: 'mcp_list_tools', server_label: 'house' },
      tools: [{ name: 'look', description: 'Does look.', annotations: { readOnlyHint: true } }],
    });
    expect(told[1].item.tools[0].input_schema.properties).toHaveProperty('x');
    client.send({ type: 'conversation.item.retrieve', item_id });
    expect((await client.next('conversation.item.retrieved')).item.tools).toHaveLength(1);
    expect(errors(client)).toEqual([]);
  });

  it('is asked for with the client’s keys, which nobody is shown', async () => {
    const keys = { authorization: 'secret-token', headers: { 'x-tenant': 'seven' } };
    const { client, mcp } = await world({ config: { ...NEVER, ...keys } });
    await client.next('mcp_list_tools.completed');
    expect(mcp.headers.length).toBeGreaterThan(0);
    for (const headers of mcp.headers)
      expect(headers).toMatchObject({ authorization: 'Bearer secret-token', 'x-tenant': 'seven' });
    const told = JSON.stringify(client.events);
    expect(told).toContain('"server_label":"house"');
    expect(told).not.toMatch(/secret-token|seven/);
  });

  it('is not asked for again by a session.update that changes nothing of it', async () => {
    const { client, mcp, tool } = await world({ config: NEVER });
    await client.next('mcp_list_tools.completed');
    const before = mcp.headers.length;
    client.send({
      type: 'session.update',
      session: { type: 'realtime', instructions: 'Be brief.', tools: [tool] },
    });
    await client.next('session.updated');
    ask(client);
    await answered(client);
    expect(ofType(client, 'mcp_list_tools.in_progress')).toHaveLength(1);
    expect(mcp.headers.length).toBe(before + 1); // The call.
  });

  it.each([
    ['where the operator allows no address', () => [], 'mcp_address_refused'],
    ['where the operator allows another', () => ['https://tools.example/mcp'], 'mcp_address_refused'],
  ])('fails %s, and nothing is fetched', async (_when, allow, code) => {
    const { client, mcp } = await world({ allow });
    const { item_id } = await client.next('mcp_list_tools.failed');
    expect((await client.next('error')).error).toMatchObject({ code, type: 'invalid_request_error' });
    expect(ofType(client, 'error')[0].error.message).toContain('mcpAllow');
    expect(client.events.findLast(({ item }) => item?.id === item_id)).toMatchObject({
      type: 'conversation.item.done',
      item: { tools: [] },
    });
    expect(mcp.headers).toEqual([]);
  });

  it('fails where the server is down, lists too many, or leads elsewhere; the session lives on', async () => {
    const many = Array.from({ length: 129 }, (_, i) => ({ name: `tool_${i}` }));
    const crowded = await startMcpServer(many);
    const elsewhere = await startMcpServer([LOOK]);
    const leading = await startMcpServer([LOOK], elsewhere.url);
    opened.push(crowded, elsewhere, leading);
    const gone = await startMcpServer([]);
    await gone.close();
    const all = { gone, crowded, leading };
    const { client } = await world({
      replies: [[ANSWER]],
      configure: false,
      allow: () => [...Object.values(all), elsewhere].map(({ origin }) => origin),
    });
    const tools = Object.entries(all).map(([server_label, { url }]) => ({
      type: 'mcp',
      server_label,
      server_url: url,
    }));
    client.send({
      type: 'session.update',
      session: { type: 'realtime', output_modalities: ['text'], tools },
    });
    for (const _ of tools) await client.next('mcp_list_tools.failed');
    ask(client);
    expect((await answered(client)).status).toBe('completed');
    expect(errors(client).sort()).toEqual(['mcp_list_failed', 'mcp_list_failed', 'mcp_list_too_long']);
    expect(elsewhere.headers).toEqual([]);
  });

  it('is refused by name where it cannot be one', async () => {
    const { client, mcp } = await world({ configure: false });
    const update = (tools: object[]) => client.refused({ type: 'session.update', session: { tools } });
    const tool = { type: 'mcp', server_label: 'a', server_url: mcp.url };
    expect(await update([tool, tool])).toMatchObject({ code: 'invalid_value', param: 'session.tools' });
    const nine = Array.from({ length: 9 }, (_, i) => ({ ...tool, server_label: `s${i}` }));
    expect(await update(nine)).toMatchObject({ code: 'too_many_mcp_servers' });
    const session = {
      tools: [
        { ...tool, headers: { Host: 'metadata' } },
        { type: 'mcp', server_label: 'b', connector_id: 'connector_gmail' },
      ],
    };
    client.send({ type: 'session.update', session });
    for (const [code, param] of [
      ['invalid_value', 'session.tools[0].headers'],
      ['mcp_no_address', 'session.tools[1].server_url'],
    ])
      expect((await client.next('error')).error).toMatchObject({ code, param });
    expect(mcp.headers).toEqual([]);
  });
});

describe('a call of an MCP server’s tool', () => {
  it('is made by the server, told as the protocol has it, and answered by itself', async () => {
    const { client, mcp } = await world({ config: NEVER });
    await client.next('mcp_list_tools.completed');
    ask(client);
    const response = await answered(client);
    expect(response.output[0].content[0].text).toBe('It is done.');
    expect(mcp.calls).toEqual([{ name: 'look', given: { x: 5 } }]);
    expect(errors(client)).toEqual([]);
    const [added] = client.events.filter(({ item }) => item?.type === 'mcp_call');
    const { id } = added.item;
    const of = client.events.filter(({ item, item_id }) => (item?.id ?? item_id) === id);
    // The response may end before its call.
    const ended = of.filter(({ type }) => type === 'response.output_item.done');
    expect(ended).toHaveLength(1);
    expect(of.filter(event => event !== ended[0]).map(({ type }) => type)).toEqual([
      'response.output_item.added',
      'conversation.item.added',
      'response.mcp_call_arguments.delta',
      'response.mcp_call_arguments.done',
      'response.mcp_call.in_progress',
      'response.mcp_call.completed',
      'conversation.item.done',
    ]);
    expect(of[3]).toMatchObject({ arguments: '{"x":5}', output_index: 0 });
    expect(of.at(-1)!.item).toMatchObject({
      ...{ server_label: 'house', name: 'look', arguments: '{"x":5}', output: '{"degrees":21}' },
      ...{ error: null, approval_request_id: null },
    });
    const first = ofType(client, 'response.done')[0].response;
    expect(first.id).toBe(of[0].response_id);
    expect(first.output).toMatchObject([{ id, type: 'mcp_call' }]);
  });

  it('waits for approval, and is made once it is given', async () => {
    const { client, mcp } = await world({ replies: [...calling('set'), [ANSWER]] });
    await client.next('mcp_list_tools.completed');
    ask(client);
    const request = await requested(client);
    expect(request.item).toMatchObject({ server_label: 'house', name: 'set', arguments: '{"x":5}' });
    expect(mcp.calls).toEqual([]);
    expect(ofType(client, 'response.mcp_call.in_progress')).toEqual([]);
    approve(client, request, true);
    await answered(client);
    expect(mcp.calls).toEqual([{ name: 'set', given: { x: 5 } }]);
    const call = client.events.findLast(({ item }) => item?.type === 'mcp_call')!.item;
    expect(call).toMatchObject({ output: 'set', error: null, approval_request_id: request.item.id });
    expect(ofType(client, 'response.mcp_call.in_progress')).toHaveLength(1);
    approve(client, request, true); // Once more: nothing is asked any more.
    ask(client);
    await answered(client);
    expect(mcp.calls).toHaveLength(1);
  });

  it('is not made where approval is denied, and the model is told why', async () => {
    const { client, mcp } = await world({ replies: calling('set') });
    await client.next('mcp_list_tools.completed');
    ask(client);
    approve(client, await requested(client), false, 'not today');
    await answered(client);
    expect(mcp.calls).toEqual([]);
    expect(ofType(client, 'response.mcp_call.failed')).toHaveLength(1);
    const call = client.events.findLast(({ item }) => item?.type === 'mcp_call')!.item;
    expect(call.error).toMatchObject({ type: 'tool_execution_error' });
    expect(call.error.message).toContain('not approved: not today');
  });

  it('asks only about the tools that the client names', async () => {
    const config = { require_approval: { never: { tool_names: ['look'] } } };
    const { client, mcp } = await world({ config });
    await client.next('mcp_list_tools.completed');
    ask(client);
    await answered(client);
    expect(mcp.calls).toHaveLength(1);
    expect(client.events.filter(({ item }) => item?.type === 'mcp_approval_request')).toEqual([]);
  });

  it('fails readably where the tool fails, or the server does', async () => {
    const broken: TestTool = {
      name: 'look',
      run: () => ({ ...said('no such city'), isError: true }),
    };
    const replies = [...calling('look'), ...calling('look')];
    const { client, mcp } = await world({ tools: [broken], replies, config: NEVER });
    await client.next('mcp_list_tools.completed');
    ask(client);
    await answered(client);
    mcp.status = 503;
    ask(client);
    await answered(client);
    const outputs = client.events
      .filter(({ type, item }) => type === 'conversation.item.done' && item.type === 'mcp_call')
      .map(({ item }) => item.error.message);
    expect(outputs[0]).toBe('no such city');
    expect(outputs[1]).toContain('nobody knows whether it happened');
    expect(ofType(client, 'response.mcp_call.failed')).toHaveLength(2);
  });

  it('cuts an answer that is too long', async () => {
    const huge: TestTool = { name: 'look', readOnly: true, run: () => said('x'.repeat(3 << 20)) };
    const { client } = await world({ tools: [huge], config: NEVER });
    await client.next('mcp_list_tools.completed');
    ask(client);
    await answered(client);
    expect(client.events.findLast(({ item }) => item?.type === 'mcp_call')!.item.error).not.toBeNull();
  });

  it('goes on to its end where the session ends meanwhile; one that waits for approval is not made', async () => {
    let release = () => {};
    const begun = new Promise<void>(resolve => {
      SLOW.run = () => {
        resolve();
        return new Promise(done => {
          release = () => done(said('late'));
        });
      };
    });
    const { client, mcp, server } = await world({ tools: [SLOW], replies: calling('slow'), config: NEVER });
    await client.next('mcp_list_tools.completed');
    ask(client);
    await begun;
    client.close();
    await client.closed;
    await drained(server);
    release();
    expect(mcp.calls).toHaveLength(1);

    const asking = await world({ replies: calling('set') });
    await asking.client.next('mcp_list_tools.completed');
    ask(asking.client);
    await requested(asking.client);
    asking.client.close();
    await asking.client.closed;
    await drained(asking.server);
    expect(asking.mcp.calls).toEqual([]);
  });
});

describe('a response with an MCP server of its own', () => {
  it('waits for its list, and may call its tools', async () => {
    const { client, mcp, tool } = await world({ configure: false, config: NEVER });
    ask(client, { output_modalities: ['text'], tools: [tool] });
    await client.next('response.created');
    const types = client.types();
    expect(types.indexOf('mcp_list_tools.completed')).toBeGreaterThan(-1);
    expect(types.indexOf('mcp_list_tools.completed')).toBeLessThan(types.indexOf('response.created'));
    await client.next('response.mcp_call.completed');
    expect(mcp.calls).toEqual([{ name: 'look', given: { x: 5 } }]);
  });

  it('can be given up while it waits', async () => {
    const { client, tool } = await world({ configure: false, config: NEVER });
    ask(client, { output_modalities: ['text'], tools: [tool] });
    client.send({ type: 'response.cancel' });
    await client.next('mcp_list_tools.completed');
    client.send({ type: 'conversation.item.retrieve', item_id: 'nobody' });
    await client.next('error');
    expect(ofType(client, 'response.created')).toEqual([]);
  });
});

describe('names and choices', () => {
  it('are given to tools that have the name of another, and back on the wire', async () => {
    const replies = [[callSegment(['house_look', { x: 5 }])], [ANSWER]];
    const { client, mcp, tool } = await world({ configure: false, replies, config: NEVER });
    const own = { type: 'function', name: 'look', parameters: {} };
    client.send({
      type: 'session.update',
      session: { type: 'realtime', output_modalities: ['text'], tools: [own, tool] },
    });
    await client.next('mcp_list_tools.completed');
    ask(client);
    await answered(client);
    expect(mcp.calls).toEqual([{ name: 'look', given: { x: 5 } }]);
    expect(client.events.findLast(({ item }) => item?.type === 'mcp_call')!.item.name).toBe('look');
  });

  it('make a call of one tool', async () => {
    const rest = callSegment(['look', { x: 5 }]).text.slice('<longcat_tool_call>look\n'.length);
    const replies = [[{ text: rest, frames: 0, call: true }], [ANSWER]];
    const { client, mcp } = await world({ replies, config: NEVER });
    await client.next('mcp_list_tools.completed');
    ask(client, { tool_choice: { type: 'mcp', server_label: 'house', name: 'look' } });
    await answered(client);
    expect(mcp.calls).toHaveLength(1);
  });
});

const SLOW: TestTool = { name: 'slow' };

async function requested(client: RealtimeClient): Promise<WireRecord> {
  for (;;) {
    const event = await client.next('conversation.item.done');
    if (event.item.type === 'mcp_approval_request') return event;
  }
}

function approve(client: RealtimeClient, { item }: WireRecord, approved: boolean, reason?: string): void {
  const answer = { type: 'mcp_approval_response', approval_request_id: item.id, approve: approved, reason };
  client.send({ type: 'conversation.item.create', previous_item_id: item.id, item: answer });
}

/** Its sessions have ended. */
async function drained(server: LiveServer): Promise<void> {
  await server.drain(2000);
}
