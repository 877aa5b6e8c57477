import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { openClient, type RealtimeClient, type WireRecord } from '../support/realtime-client.ts';
import { textItem } from '../support/served-clients.ts';

let server: LiveServer;
let client: RealtimeClient;

beforeAll(async () => {
  server = await startLiveServer();
});
afterAll(() => server.close());

afterEach(() => client.close());

async function connect(): Promise<void> {
  client = await openClient(server.url);
  await client.next('session.created');
}

const ask = (response: object) =>
  client.send({ type: 'response.create', response: { conversation: 'none', ...response } });
const sessions = async () =>
  ((await (await fetch(`${server.url}/healthz`)).json()) as { sessions: number }).sessions;
const items = () =>
  client.events
    .filter(({ type }) => type === 'conversation.item.added')
    .map(({ item }) => item as WireRecord);

describe('a response outside the conversation', () => {
  it('is whole, says nothing of a conversation, enters nothing into it, and its session is gone afterwards', async () => {
    await connect();
    ask({ output_modalities: ['text'], metadata: { purpose: 'title' }, input: [textItem('Name this.')] });
    const { response } = await client.next('response.done');
    expect(response).toMatchObject({
      status: 'completed',
      output_modalities: ['text'],
      metadata: { purpose: 'title' },
      output: [{ content: [{ type: 'output_text', text: server.reply }] }],
    });
    expect(response.conversation_id).toBeUndefined();
    expect(response.usage.input_token_details.text_tokens).toBeGreaterThan(0);
    expect(items()).toEqual([]);
    const { id } = response.output[0];
    expect((await client.refused({ type: 'conversation.item.retrieve', item_id: id })).code).toBe(
      'item_retrieve_invalid_item_id',
    );
    await expect.poll(sessions).toBe(1);
  });

  it('is made from the conversation, from references into it, or from what is given alone', async () => {
    await connect();
    const textTokens = async (response: object) => {
      ask({ output_modalities: ['text'], ...response });
      return (await client.next('response.done')).response.usage.input_token_details.text_tokens as number;
    };
    const nothing = await textTokens({ input: [] });
    client.send({ type: 'conversation.item.create', item: textItem('abcdefghij', 'ten') });
    client.send({ type: 'conversation.item.create', item: textItem('klm', 'three') });
    const all = await textTokens({});
    const referred = await textTokens({ input: [{ type: 'item_reference', id: 'ten' }] });
    const given = await textTokens({ input: [textItem('abcdefghij')] });
    expect(referred).toBe(given);
    expect(referred).toBeGreaterThanOrEqual(nothing + 10);
    expect(all).toBeGreaterThanOrEqual(referred + 3);
  });

  it('runs beside the conversation’s own and speaks', async () => {
    await connect();
    ask({ metadata: { which: 'aside' } });
    client.send({ type: 'response.create' });
    const ended = [await client.next('response.done'), await client.next('response.done')].map(
      ({ response }) => response,
    );
    expect(ended.every(({ status }) => status === 'completed')).toBe(true);
    const { id: aside } = ended.find(({ metadata }) => metadata?.which === 'aside');
    const { id: own } = ended.find(({ conversation_id }) => conversation_id !== undefined);
    expect(own).not.toBe(aside);
    const spoken = client.events.filter(({ type }) => type === 'response.output_audio.delta');
    expect(new Set(spoken.map(({ response_id }) => response_id))).toEqual(new Set([aside, own]));
    expect(items().map(({ role }) => role)).toEqual(['assistant']);
    expect((await client.refused({ type: 'response.cancel', response_id: aside })).code).toBe(
      'response_cancel_not_active',
    );
  });

  it('is refused with the field that is wrong, and leaves no session behind', async () => {
    await connect();
    const refused = (response: object) =>
      client.refused({ type: 'response.create', response: { conversation: 'none', ...response } });
    const reference = { type: 'item_reference', id: 'nobody' };
    expect(await refused({ input: [reference] })).toMatchObject({
      code: 'item_not_found',
      param: 'response.input[0].id',
    });
    expect(await refused({ input: [{ type: 'function_call' }] })).toMatchObject({
      code: 'missing_required_parameter',
      param: 'response.input[0].name',
    });
    expect(await refused({ input: [{ type: 'message', role: 'user', content: [] }] })).toMatchObject({
      code: 'invalid_value',
    });
    await expect.poll(sessions).toBe(1);
  });
});
