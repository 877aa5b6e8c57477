import { describe, expect, it } from 'vitest';
import { wireRig } from '../support/wire-rig.ts';

const said = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });

function open(stepMs = 0) {
  const rig = wireRig({ costs: { languageModel: () => stepMs } });
  const client = rig.connect();
  client.configure({ instructions: 'Be brief.' });
  client.text('Of the conversation.');
  return { rig, client };
}
const ask = { input: [said('Of its own.')] };

describe('a response in the conversation with an input of its own', () => {
  it('is made from it alone, and joins the conversation', async () => {
    const { rig, client } = open(20);
    client.send({ type: 'response.create', response: ask });
    await client.wait(200);
    expect(rig.contextText()).toContain('Be brief.');
    expect(rig.contextText()).toContain('Of its own.');
    expect(rig.contextText()).not.toContain('Of the conversation.');
    await client.wait(5000);
    const { response } = client.last('response.done');
    expect(response).toMatchObject({ status: 'completed', conversation_id: expect.stringMatching(/^conv_/) });
    const context = rig.contextText();
    expect(context).toContain('Of the conversation.');
    expect(context).not.toContain('Of its own.');
    expect(context).toMatch(/Of the conversation\.[\s\S]*Yes, I can hear you/);
    client.send({ type: 'conversation.item.retrieve', item_id: response.output[0].id });
    expect(client.last('conversation.item.retrieved').item.role).toBe('assistant');
    // What stood before it was read again is what the next reply stands on.
    client.text('And now?');
    client.send({ type: 'response.create' });
    await client.wait(5000);
    expect(client.all('response.done').map(({ response: { status } }) => status)).toEqual([
      'completed',
      'completed',
    ]);
    expect(client.all('error')).toEqual([]);
  });

  it('counts what it was made from', async () => {
    const { client } = open();
    client.send({ type: 'response.create', response: { ...ask, output_modalities: ['text'] } });
    await client.wait(1000);
    client.send({ type: 'response.create', response: { input: [], output_modalities: ['text'] } });
    await client.wait(1000);
    const [own, empty] = client.all('response.done').map(({ response }) => response.usage.input_tokens);
    expect(own - empty).toBeGreaterThanOrEqual('Of its own.'.length);
    expect(own - empty).toBeLessThan('Of its own.'.length + 'USER:'.length + 4);
  });

  it('may be interrupted and truncated, and items change meanwhile', async () => {
    const { rig, client } = open(50);
    const content = said('Goes.').content;
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', id: 'goes', content },
    });
    client.send({ type: 'response.create', response: ask });
    await client.wait(1500);
    client.send({ type: 'conversation.item.delete', item_id: 'goes' });
    client.text('Comes.');
    await client.wait(200);
    const { id } = client.last('response.output_item.added').item;
    client.send({ type: 'response.cancel' });
    client.truncate(id, 800);
    await client.wait(1000);
    expect(client.last('response.done').response.status).toBe('cancelled');
    expect(client.last('conversation.item.truncated')).toMatchObject({ item_id: id, audio_end_ms: 800 });
    const context = rig.contextText();
    expect(context).toContain('Of the conversation.');
    expect(context).toContain('Comes.');
    expect(context).not.toContain('Goes.');
    expect(context).not.toContain('Of its own.');
    expect(client.all('error')).toEqual([]);
  });

  it('is in the one conversation there is, whatever name that is given', async () => {
    const { client } = open();
    for (const conversation of ['auto', client.last('conversation.created').conversation.id, 'mine', null]) {
      client.send({ type: 'response.create', response: { conversation } });
      await client.wait(6000);
      expect(client.last('response.done').response.conversation_id).toMatch(/^conv_/);
    }
    expect(client.all('response.done')).toHaveLength(4);
  });
});
