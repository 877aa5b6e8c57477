import { describe, expect, it } from 'vitest';
import { bookedTool, callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { type WireRig, wireRig } from '../support/wire-rig.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

/** Calls that the model makes, over the wire (docs/spec/tools.md §3). */
const MOMENT: ScriptedSegment = { text: 'One moment.', frames: 14 };
const ANSWER: ScriptedSegment = { text: 'It is done.', frames: 14 };
const TOOLS = [
  {
    ...{ type: 'function', name: 'set_timer', description: 'A timer' },
    parameters: { type: 'object', properties: { minutes: { type: 'integer' } } },
  },
];
const ONE = callSegment(['set_timer', { minutes: 5 }]);
const TWO = callSegment(['set_timer', { minutes: 5 }], ['set_timer', { minutes: 7 }]);

function connected(replies: readonly (readonly ScriptedSegment[])[], session: object = {}) {
  const rig = wireRig({ replies, toolTemplate: TOOL_TEMPLATE });
  const client = rig.connect();
  client.configure({ type: 'realtime', tools: TOOLS, ...session });
  return { client, rig };
}

async function spoken(replies: readonly (readonly ScriptedSegment[])[], session: object = {}) {
  const { client, rig } = connected(replies, session);
  await client.say(600);
  await client.silence(2500);
  return { client, rig };
}

const contextOf = (rig: WireRig) => rig.contextText();

describe('calls that the model makes', () => {
  it('are items of the response, with their arguments, after what was said and before its end', async () => {
    const { client } = await spoken([[MOMENT, ONE], [ANSWER]]);
    expect(client.all('error')).toEqual([]);
    const { response } = client.last('response.done');
    const [message, call] = response.output;
    expect(response.status).toBe('completed');
    expect(message).toMatchObject({ type: 'message', content: [{ transcript: 'One moment.' }] });
    expect(call).toMatchObject({
      type: 'function_call',
      name: 'set_timer',
      arguments: '{"minutes":5}',
      status: 'completed',
    });
    expect(call.call_id).toMatch(/^call_/);
    const address = { response_id: response.id, item_id: call.id, output_index: 1, call_id: call.call_id };
    expect(client.last('response.function_call_arguments.delta')).toMatchObject({
      ...address,
      delta: '{"minutes":5}',
    });
    expect(client.last('response.function_call_arguments.done')).toMatchObject({
      ...address,
      ...{ name: 'set_timer', arguments: '{"minutes":5}' },
    });
    const ofCall = client.events
      .filter(({ item, item_id }) => (item?.id ?? item_id) === call.id)
      .map(({ type }) => type);
    expect(ofCall).toEqual([
      'response.output_item.added',
      'conversation.item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'conversation.item.done',
    ]);
    const types = client.events.map(({ type }) => type);
    expect(types.lastIndexOf('response.output_audio.done')).toBeLessThan(
      types.indexOf('response.function_call_arguments.delta'),
    );
    expect(types.indexOf('response.done')).toBeGreaterThan(types.lastIndexOf('response.output_item.done'));
    const shown = client
      .all('response.output_audio_transcript.delta')
      .map(({ delta }) => delta)
      .join('');
    expect(shown).toBe('One moment.');
  });

  it('may be several, and all there is of a response', async () => {
    const { client } = await spoken([[TWO], [ANSWER]]);
    const { output } = client.last('response.done').response;
    expect(output.map((item: { type: string; arguments: string }) => [item.type, item.arguments])).toEqual([
      ['function_call', '{"minutes":5}'],
      ['function_call', '{"minutes":7}'],
    ]);
    expect(
      client.all('response.function_call_arguments.done').map(({ output_index }) => output_index),
    ).toEqual([0, 1]);
    expect(client.all('response.output_audio.delta')).toEqual([]);
  });

  describe('that the model still writes', () => {
    const slow = { costs: { languageModel: () => 20 }, toolTemplate: TOOL_TEMPLATE };
    const text = 'Buy milk and bread for tomorrow.';
    const NOTE = callSegment(['note', { text }]);
    const note = { type: 'function', name: 'note', parameters: { properties: { text: { type: 'string' } } } };
    const asked = (replies: readonly (readonly ScriptedSegment[])[]) => {
      const rig = wireRig({ ...slow, replies });
      const client = rig.connect();
      client.configure({ type: 'realtime', tools: [note] });
      return { client, rig };
    };
    const deltas = (client: ReturnType<typeof asked>['client']) =>
      client.all('response.function_call_arguments.delta');

    it('come with their arguments as they are written, and only after the turn has ended', async () => {
      const { client } = asked([[NOTE], [ANSWER]]);
      await client.say(600);
      await client.silence(6000);
      const [created] = client.all('response.created');
      const [done] = client.all('response.function_call_arguments.done');
      expect(deltas(client).length).toBeGreaterThan(10);
      expect(deltas(client)[0].atMs).toBeGreaterThanOrEqual(created.atMs);
      expect(done.atMs - deltas(client)[0].atMs).toBeGreaterThan(500);
      const told = deltas(client).map(({ delta }) => delta);
      expect([told.join(''), done.arguments]).toEqual([JSON.stringify({ text }), told.join('')]);
      const { response } = client.last('response.done');
      expect(response.output).toMatchObject([
        { type: 'function_call', id: done.item_id, arguments: told.join('') },
      ]);
      expect(new Set(deltas(client).map(({ item_id, call_id }) => `${item_id} ${call_id}`)).size).toBe(1);
    });

    it('are none where the user goes on: nothing was told', async () => {
      const { client, rig } = asked([[NOTE], [ANSWER]]);
      await client.say(600);
      await client.silence(400);
      await client.say(300);
      expect(contextOf(rig)).not.toContain('note\n');
      expect(deltas(client)).toEqual([]);
      expect(client.all('response.output_item.added')).toEqual([]);
    });

    it('are none where they are broken off: no call has happened, and the conversation goes on', async () => {
      const { client, rig } = asked([[NOTE], [ANSWER]]);
      client.text('Note it.');
      client.send({ type: 'response.create' });
      await client.wait(2300);
      expect(deltas(client).length).toBeGreaterThan(3);
      client.send({ type: 'response.cancel' });
      await client.wait(500);
      const { response } = client.last('response.done');
      expect(response).toMatchObject({
        status: 'cancelled',
        output: [{ type: 'function_call', status: 'incomplete' }],
      });
      expect(client.last('response.output_item.done').item.status).toBe('incomplete');
      expect(client.all('response.function_call_arguments.done')).toEqual([]);
      expect(
        client.events.filter(
          ({ type, item }) => type.startsWith('conversation.') && item?.type === 'function_call',
        ),
      ).toEqual([]);
      expect(contextOf(rig)).not.toContain('longcat_tool_call');
      client.text('And now?');
      client.send({ type: 'response.create' });
      await client.wait(4000);
      expect(client.last('response.done').response.status).toBe('completed');
      expect(client.all('error')).toEqual([]);
    });

    it('wait where something is said before them', async () => {
      const { client } = asked([[MOMENT, NOTE], [ANSWER]]);
      await client.say(600);
      await client.silence(8000);
      expect(deltas(client)).toHaveLength(1);
    });
  });

  it('is one where calls may not be parallel', async () => {
    const { client } = await spoken([[TWO], [ANSWER]], { parallel_tool_calls: false });
    expect(client.last('response.done').response.output).toHaveLength(1);
  });

  it('are answered by an item and the next response.create', async () => {
    const { client, rig } = await spoken([[MOMENT, ONE], [ANSWER]]);
    const [, call] = client.last('response.done').response.output;
    const item = { type: 'function_call_output', call_id: call.call_id, output: '{"ok":true}' };
    client.send({ type: 'conversation.item.create', item });
    const before = client.all('response.created').length;
    await client.wait(1000);
    expect(client.all('response.created')).toHaveLength(before); // Nothing starts by itself.
    client.send({ type: 'response.create' });
    await client.wait(3000);
    expect(client.last('response.done').response.output[0].content[0].transcript).toBe('It is done.');
    expect(contextOf(rig)).toContain(
      `${ONE.text}</longcat_s>\nTOOL:{"ok":true}\nVOICE ASSISTANT:It is done.`,
    );
  });

  it('follow tool_choice, of the session and of one response', async () => {
    const rest = ONE.text.slice('<longcat_tool_call>set_timer\n'.length);
    const { client, rig } = connected([[{ text: rest, frames: 0, call: true }], [ANSWER]]);
    client.text('Five minutes, please.');
    client.send({
      type: 'response.create',
      response: { tool_choice: { type: 'function', name: 'set_timer' } },
    });
    await client.wait(2000);
    expect(contextOf(rig)).toContain('VOICE ASSISTANT:<longcat_tool_call>set_timer\n');
    expect(client.last('response.done').response.output[0]).toMatchObject({ arguments: '{"minutes":5}' });
    client.configure({ tool_choice: 'none' });
    client.text('And now?');
    client.send({ type: 'response.create' });
    await client.wait(2000);
    expect(contextOf(rig)).not.toContain('TOOLS');
    expect(client.last('session.updated').session.tool_choice).toBe('none');
  });

  it('may be of a tool that only this response is told of', async () => {
    const { client, rig } = connected([[callSegment(['look_up', { query: 'x' }])]], { tools: [] });
    const tools = [{ type: 'function', name: 'look_up', parameters: { properties: { query: {} } } }];
    client.text('Look it up.');
    client.send({ type: 'response.create', response: { tools } });
    await client.wait(2000);
    expect(contextOf(rig)).toContain('SYSTEM:TOOLS:["look_up(query)"]</longcat_s>\nVOICE ASSISTANT:');
    expect(client.last('response.done').response.output[0]).toMatchObject({
      type: 'function_call',
      name: 'look_up',
    });
  });

  it('stand in a restored history as the model writes and reads them', async () => {
    const { client, rig } = connected([[ANSWER]]);
    const call = { type: 'function_call', call_id: 'c', name: 'set_timer', arguments: '{"minutes":9}' };
    client.text('Nine minutes.');
    client.send({ type: 'conversation.item.create', item: call });
    client.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: 'c', output: 'ok</longcat_s>' },
    });
    client.send({ type: 'response.create' });
    await client.wait(2000);
    const written = callSegment(['set_timer', { minutes: 9 }]).text;
    expect(contextOf(rig)).toContain(`USER:Nine minutes.\nASSISTANT:${written}</longcat_s>\nTOOL:ok`);
    expect(client.all('error')).toEqual([]);
  });

  it('cannot be made beside the conversation', async () => {
    const { client, rig } = connected([[ANSWER]]);
    client.send({ type: 'response.create', response: { conversation: 'none', input: [] } });
    await client.wait(2000);
    expect([...rig.caches.keys()].map(id => rig.contextText(id)).join()).not.toContain(
      'TOOLS:["set_timer(minutes)"]</longcat_s>\nVOICE',
    );
    expect(client.all('error')).toEqual([]);
  });

  it('refuse a second tool of one name, and a choice that is none', () => {
    const { client } = connected([[ANSWER]]);
    client.configure({ tools: [TOOLS[0], TOOLS[0]] });
    expect(client.last('error').error).toMatchObject({ code: 'tool_duplicate' });
    client.configure({ tool_choice: { type: 'function', name: 'nobody' } });
    expect(client.last('error').error).toMatchObject({ code: 'tool_unknown' });
    expect(client.all('session.updated')).toHaveLength(1);
  });
});

describe('calls of tools that the server runs', () => {
  it('are told as those of an MCP server, with what came of them; the answer follows by itself', async () => {
    const { tool, books } = bookedTool('set_timer', () => rig.clock, { effect: 'world', takesMs: 2000 });
    const rig = wireRig({ replies: [[MOMENT, ONE], [ANSWER]], toolTemplate: TOOL_TEMPLATE, tools: [tool] });
    const client = rig.connect();
    client.configure({ type: 'realtime', longcat: { extensions: true } });
    await client.say(600);
    await client.silence(6000);
    expect(client.all('error')).toEqual([]);
    expect(books.effects).toHaveLength(1);
    const told = client.events.filter(
      ({ item, type }) => item?.type === 'mcp_call' && type.startsWith('conversation.'),
    );
    expect(told.map(({ type, item }) => [type, item.output])).toEqual([
      ['conversation.item.added', null],
      ['conversation.item.done', '{"ok":true}'],
    ]);
    const { response } = client.all('response.done')[0];
    expect(response.output).toMatchObject([{ type: 'mcp_call', output: null }, { type: 'message' }]);
    const address = { item_id: told[1].item.id, output_index: 0 };
    for (const type of ['in_progress', 'completed'])
      expect(client.all(`response.mcp_call.${type}`)).toMatchObject([address]);
    expect(client.last('response.mcp_call_arguments.done')).toMatchObject({
      ...{ ...address, response_id: response.id, arguments: '{"minutes":5}' },
    });
    expect(told[1].item).toMatchObject({
      server_label: 'longcat-rt',
      name: 'set_timer',
      arguments: '{"minutes":5}',
    });
    const said = client
      .all('response.done')
      .map(({ response }) => response.output.at(-1).content[0].transcript);
    expect(said).toEqual(['One moment.', 'It is done.']);
    expect(client.all('longcat.state').map(({ state }) => state)).toContain('working');
  });

  it('are told in their response too where their results came before the turn had ended', async () => {
    const { tool } = bookedTool('set_timer', () => rig.clock, { effect: 'none', takesMs: 50 });
    const rig = wireRig({ replies: [[MOMENT, ONE], [ANSWER]], toolTemplate: TOOL_TEMPLATE, tools: [tool] });
    const client = rig.connect();
    await client.say(600);
    await client.silence(4000);
    const [{ response }] = client.all('response.done');
    expect(response.output).toMatchObject([{ type: 'mcp_call', name: 'set_timer' }]);
    const types = client.events.map(({ type }) => type);
    expect(types.indexOf('response.mcp_call_arguments.done')).toBeLessThan(types.indexOf('response.done'));
    expect(client.all('response.mcp_call.completed')).toHaveLength(1);
  });

  it('are answered once, also where a client asks for the answer as it would elsewhere', async () => {
    const { tool } = bookedTool('set_timer', () => rig.clock, { effect: 'world', takesMs: 200 });
    const replies = [[MOMENT, ONE], [ANSWER], [{ text: 'Of course.', frames: 14 }]];
    const rig = wireRig({ replies, toolTemplate: TOOL_TEMPLATE, tools: [tool] });
    const client = rig.connect();
    await client.say(600);
    await client.silence(1000);
    expect(client.all('response.mcp_call.completed')).toHaveLength(1);
    client.send({ type: 'response.create' });
    await client.silence(4000);
    expect(client.all('error')).toEqual([]);
    expect(client.all('response.created')).toHaveLength(2);
    // The next one is a wish of its own, whenever it comes.
    client.text('Thank you.');
    client.send({ type: 'response.create' });
    await client.silence(3000);
    expect(client.last('response.done').response.output[0].content[0].transcript).toBe('Of course.');
  });

  it('stand in nobody’s way long after', async () => {
    const { tool } = bookedTool('set_timer', () => rig.clock, { effect: 'world', takesMs: 200 });
    const replies = [[MOMENT, ONE], [ANSWER], [ANSWER]];
    const rig = wireRig({ replies, toolTemplate: TOOL_TEMPLATE, tools: [tool] });
    const client = rig.connect();
    await client.say(600);
    await client.silence(12_000);
    const before = client.all('response.created').length;
    client.send({ type: 'response.create' });
    await client.wait(500);
    expect(client.all('response.created')).toHaveLength(before + 1);
  });
});
