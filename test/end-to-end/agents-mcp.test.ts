import { hostedMcpTool } from '@openai/agents-core';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';
import { describe, expect, it } from 'vitest';
import { startLiveServer } from '../support/live-server.ts';
import { said, startMcpServer } from '../support/mcp-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { pcm16, voice } from '../support/voice.ts';

/** The stock client with a tool that the server is to run, unmodified, over a WebSocket. */
describe('the stock @openai/agents-realtime session with an MCP server', () => {
  it('learns of its tools, approves the call, and hears one answer', async () => {
    const mcp = await startMcpServer([{ name: 'set_timer', run: ({ x }) => said(`set to ${x}`) }]);
    const server = await startLiveServer({
      toolTemplate: TOOL_TEMPLATE,
      mcpAllow: [mcp.origin],
      replies: [
        [{ text: 'One moment.', frames: 14 }, callSegment(['set_timer', { x: 5 }])],
        [{ text: 'It is done.', frames: 14 }],
        [{ text: 'Twice.', frames: 14 }],
      ],
    });
    const house = hostedMcpTool({ serverLabel: 'house', serverUrl: mcp.url, requireApproval: 'always' });
    const agent = new RealtimeAgent({ name: 'Clock', instructions: 'Be brief.', tools: [house] });
    const url = `${server.url.replace('http', 'ws')}/v1/realtime?model=any`;
    const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url }) });
    const errors: unknown[] = [];
    const heard: string[] = [];
    session.on('error', error => errors.push(error));
    // Approved once “One moment.” was said: with the result at hand it would not be.
    const approval = new Promise<() => void>(resolve =>
      session.on('tool_approval_requested', (_context, _agent, { approvalItem }) =>
        resolve(() => void session.approve(approvalItem)),
      ),
    );
    const tools = new Promise<string[]>(resolve =>
      session.on('mcp_tools_changed', listed => resolve(listed.map(({ name }) => name))),
    );
    const completed = new Promise<string | null>(resolve =>
      session.on('mcp_tool_call_completed', (_context, _agent, { output }) => resolve(output)),
    );
    const answered = new Promise<void>(resolve => {
      session.on('transport_event', event => {
        if (event.type === 'response.output_audio_transcript.done') {
          heard.push(event.transcript as string);
          if (heard.length === 1) void approval.then(approve => approve());
        }
        if (event.type === 'response.done' && heard.includes('It is done.')) resolve();
      });
    });
    await session.connect({ apiKey: 'any-on-loopback' });
    expect(await tools).toEqual(['set_timer']);
    for (const part of [voice(600, 24_000), new Float32Array(1500 * 24)])
      for (let at = 0; at < part.length; at += 480) {
        const bytes = pcm16(part.subarray(at, at + 480));
        session.sendAudio(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        );
      }
    expect(await completed).toBe('set to 5');
    await answered;
    // Whatever the client has asked for meanwhile has been answered by now.
    const retrieved = new Promise<void>(resolve =>
      session.on('transport_event', ({ type }) => {
        if (type === 'session.updated') resolve();
      }),
    );
    session.transport.sendEvent({ type: 'session.update', session: { type: 'realtime' } });
    await retrieved;
    expect(errors).toEqual([]);
    expect(heard).toEqual(['One moment.', 'It is done.']);
    expect(mcp.calls).toEqual([{ name: 'set_timer', given: { x: 5 } }]);
    const calls = session.history.filter(item => item.type === 'mcp_call');
    expect(calls).toMatchObject([{ name: 'set_timer', arguments: '{"x":5}', output: 'set to 5' }]);
    session.close();
    await server.close();
    await mcp.close();
  });
});
