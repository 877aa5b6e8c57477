import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { openClient, type RealtimeClient, type WireRecord } from '../support/realtime-client.ts';
import { addText } from '../support/served-clients.ts';

let server: LiveServer;
const clients: RealtimeClient[] = [];
beforeAll(async () => {
  server = await startLiveServer();
});
afterAll(() => server.close());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(session: object = {}): Promise<RealtimeClient> {
  const client = await openClient(server.url);
  clients.push(client);
  const audio = { input: { turn_detection: null } };
  client.send({ type: 'session.update', session: { audio, ...session } });
  await client.next('session.updated');
  return client;
}

async function ask(client: RealtimeClient, question: string, response: object = {}): Promise<WireRecord> {
  addText(client, question);
  client.send({ type: 'response.create', response });
  return (await client.next('response.done')).response;
}

const sum = (details: Record<string, number>) =>
  details.text_tokens + details.audio_tokens + (details.image_tokens ?? 0);

describe('usage', () => {
  it('adds up, and counts what was heard before and what the cache held of it', async () => {
    const client = await connect();
    const [first, second] = [await ask(client, 'One?'), await ask(client, 'Two?')];
    for (const { usage } of [first, second]) {
      expect(sum(usage.input_token_details)).toBe(usage.input_tokens);
      expect(sum(usage.output_token_details)).toBe(usage.output_tokens);
      expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
      const { cached_tokens, cached_tokens_details: cached } = usage.input_token_details;
      expect(sum(cached)).toBe(cached_tokens);
      for (const kind of ['text_tokens', 'audio_tokens', 'image_tokens'])
        expect(cached[kind]).toBeLessThanOrEqual(usage.input_token_details[kind]);
    }
    // This engine has a token for a character: 'USER:One?\nVOICE ASSISTANT:', then the reply, closed by a newline.
    expect(first.usage.input_tokens).toBe(26);
    expect(first.usage.output_token_details.audio_tokens).toBeGreaterThan(0);
    expect(second.usage.input_tokens).toBe(26 + first.usage.output_tokens + 1 + 26);
    expect(second.usage.input_token_details.audio_tokens).toBe(first.usage.output_token_details.audio_tokens);
    expect(second.usage.input_token_details.cached_tokens).toBeGreaterThanOrEqual(
      26 + first.usage.output_tokens - 1,
    );
  });

  it('no longer counts what was cut away because nobody heard it', async () => {
    const client = await connect();
    const first = await ask(client, 'One?');
    const item_id = first.output[0].id;
    client.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 0 });
    await client.next('conversation.item.truncated');
    const second = await ask(client, 'Two?');
    expect(second.usage.input_tokens).toBeLessThan(26 + 26 + 5);
    expect(second.usage.input_token_details.audio_tokens).toBe(0);
  });

  it.each([1, 2, 7, 30])('never puts out more than %i tokens where that is the bound', async bound => {
    const client = await connect();
    const spoken = await ask(client, 'One?', { max_output_tokens: bound });
    expect(spoken).toMatchObject({
      status: 'incomplete',
      status_details: { type: 'incomplete', reason: 'max_output_tokens' },
    });
    expect(spoken.usage.output_tokens).toBe(bound);
    const written = await ask(client, 'Two?', { max_output_tokens: bound, output_modalities: ['text'] });
    expect(written.usage.output_tokens).toBeLessThanOrEqual(bound);
  });
});

describe('speed', () => {
  const audioMs = async (session: object) => {
    const client = await connect(session);
    await ask(client, 'One?');
    const bytes = client.events
      .filter(({ type }) => type === 'response.output_audio.delta')
      .reduce((all, { delta }) => all + Buffer.from(delta, 'base64').length, 0);
    return bytes / 48;
  };

  it('changes how long a reply lasts, and the echo says so', async () => {
    const usual = await audioMs({});
    for (const speed of [0.25, 0.5, 1.5]) {
      const audio = { input: { turn_detection: null }, output: { speed } };
      expect(Math.abs((await audioMs({ audio })) - usual / speed)).toBeLessThanOrEqual(40);
    }
    const client = await connect({ audio: { output: { speed: 1.25 } } });
    client.send({ type: 'session.update', session: { instructions: 'Hm.' } });
    expect((await client.next('session.updated')).session.audio.output.speed).toBe(1.25);
    for (const speed of [0.2, 1.6]) {
      const error = await client.refused({
        type: 'session.update',
        session: { audio: { output: { speed } } },
      });
      expect(error).toMatchObject({ code: 'invalid_value', param: 'session.audio.output.speed' });
    }
  });
});
