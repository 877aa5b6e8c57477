import { describe, expect, it } from 'vitest';
import { wireRig } from '../support/wire-rig.ts';

const message = (id: string, role: string, type: string, text: string) => ({
  ...{ type: 'message', id, role },
  content: [{ type, text }],
});
/** As a client restores it, each item named as the one before the next. */
const HISTORY = [
  message('asked', 'user', 'input_text', 'What is the weather?'),
  { type: 'function_call', id: 'called', call_id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' },
  { type: 'function_call_output', id: 'answered', call_id: 'call_1', output: '{"degrees":21}' },
  { type: 'mcp_call', id: 'foreign', server_label: 's', name: 'n', arguments: '{}', output: 'done' },
  message('said', 'assistant', 'output_text', 'It is 21 degrees.'),
  message('thanked', 'user', 'input_text', 'Thanks.'),
];

function restored() {
  const rig = wireRig();
  const client = rig.connect();
  HISTORY.forEach((item, i) => {
    const previous_item_id = i === 0 ? null : HISTORY[i - 1].id;
    client.send({ type: 'conversation.item.create', item, previous_item_id });
  });
  return { client, rig };
}

describe('items of tools', () => {
  it('are kept and echoed, in the chain that the client gives', () => {
    const { client } = restored();
    expect(client.all('error')).toEqual([]);
    for (const type of ['added', 'done']) {
      const told = client.all(`conversation.item.${type}`);
      expect(told.map(({ item, previous_item_id }) => [previous_item_id, item.id])).toEqual(
        HISTORY.map(({ id }, i) => [i === 0 ? null : HISTORY[i - 1].id, id]),
      );
      told.forEach(({ item }, i) => {
        expect(item).toMatchObject({ ...HISTORY[i], object: 'realtime.item' });
      });
    }
  });

  it('may be retrieved and deleted', () => {
    const { client } = restored();
    for (const item of HISTORY.slice(1, 4)) {
      client.send({ type: 'conversation.item.retrieve', item_id: item.id });
      expect(client.last('conversation.item.retrieved').item).toMatchObject(item);
      client.send({ type: 'conversation.item.delete', item_id: item.id });
      expect(client.last('conversation.item.deleted').item_id).toBe(item.id);
    }
    expect(client.all('error')).toEqual([]);
  });

  it('stand in nobody’s way: the answer comes, in and beside the conversation', async () => {
    const { client, rig } = restored();
    client.send({ type: 'response.create' });
    await client.wait(5000);
    expect(client.last('response.done').response.status).toBe('completed');
    expect(rig.contextText()).toContain('It is 21 degrees.');
    const input = [...HISTORY.slice(0, 3), { type: 'item_reference', id: 'called' }].map(({ id, ...item }) =>
      item.type === 'item_reference' ? { id, ...item } : item,
    );
    client.send({ type: 'response.create', response: { conversation: 'none', input } });
    await client.wait(5000);
    expect(client.all('response.done').map(({ response }) => response.status)).toEqual([
      'completed',
      'completed',
    ]);
    expect(client.all('error')).toEqual([]);
  });

  it('get an id where the client gives none, and may be empty', () => {
    const { client } = restored();
    const call = { type: 'function_call', name: 'f', call_id: null, arguments: null };
    client.send({ type: 'conversation.item.create', item: call });
    expect(client.last('conversation.item.done').item).toMatchObject({
      type: 'function_call',
      arguments: '',
    });
    expect(client.last('conversation.item.done').item.call_id).toMatch(/^call_/);
    const output = { type: 'function_call_output', call_id: 'call_9', output: '' };
    client.send({ type: 'conversation.item.create', item: output });
    expect(client.last('conversation.item.done').item).toMatchObject(output);
  });

  it('are refused by name where they lack what makes them one', () => {
    const { client } = restored();
    client.send({ type: 'conversation.item.create', item: { type: 'function_call_output', output: 'x' } });
    expect(client.last('error').error).toMatchObject({
      code: 'missing_required_parameter',
      param: 'item.call_id',
    });
    const huge = { type: 'mcp_list_tools', tools: ['x'.repeat(300_000)] };
    client.send({ type: 'conversation.item.create', item: huge });
    expect(client.last('error').error).toMatchObject({ code: 'string_above_max_length', param: 'item' });
  });
});
