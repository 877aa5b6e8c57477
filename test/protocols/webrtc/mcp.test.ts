/** Tools of an MCP server that a client brings over WebRTC (docs/tools.md). */
import { afterEach, describe, expect, it } from 'vitest';
import { said, startMcpServer, type TestMcpServer, type TestTool } from '../../support/mcp-server.ts';
import type { WireRecord } from '../../support/realtime-client.ts';
import { type RtcCaller, RtcRig } from '../../support/rtc-rig.ts';
import { callSegment, TOOL_TEMPLATE } from '../../support/tool-calls.ts';

const opened: TestMcpServer[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
const SET: TestTool = { name: 'set', run: () => said('set') };

describe('a call over WebRTC', () => {
  /** What is real here, the MCP server, needs turns of the event loop and no time. */
  async function told(rig: RtcRig, caller: RtcCaller, type: string): Promise<WireRecord> {
    for (let turn = 0; turn < 20_000 && caller.all(type).length === 0; turn++) {
      await rig.clock.runFor(0);
      await new Promise(setImmediate);
    }
    expect(caller.all(type)).toHaveLength(1);
    return caller.all(type)[0] as WireRecord;
  }

  it('has the tools of MCP servers too, asks before they are called, and says what came of it', async () => {
    const mcp = await startMcpServer([SET]);
    opened.push(mcp);
    const replies = [[callSegment(['set', { x: 5 }])], [{ text: 'It is done.', frames: 14 }]];
    const rig = new RtcRig({ replies, toolTemplate: TOOL_TEMPLATE }, {}, [], [mcp.origin]);
    await rig.openDoor();
    const caller = await rig.call();
    const tool = { type: 'mcp', server_label: 'house', server_url: mcp.url };
    caller.send({ type: 'session.update', session: { type: 'realtime', tools: [tool] } });
    await told(rig, caller, 'mcp_list_tools.completed');
    await caller.say(600);
    await caller.silence(1500);
    expect(mcp.calls).toEqual([]);
    const asked = caller
      .all('conversation.item.added')
      .find(({ item }) => (item as WireRecord).type === 'mcp_approval_request');
    const { id, arguments: given } = asked!.item as WireRecord;
    expect(given).toBe('{"x":5}');
    const approval = { type: 'mcp_approval_response', approval_request_id: id, approve: true };
    caller.send({ type: 'conversation.item.create', item: approval });
    await told(rig, caller, 'response.mcp_call.completed');
    expect(mcp.calls).toEqual([{ name: 'set', given: { x: 5 } }]);
    await caller.silence(3000);
    expect(caller.heardMs).toBe(14 * 60);
    expect(caller.all('error')).toEqual([]);
    const { output } = caller.all('response.done').at(-1)!.response as WireRecord;
    expect(output[0].content[0].transcript).toBe('It is done.');
  });
});
