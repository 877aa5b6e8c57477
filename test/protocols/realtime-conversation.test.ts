import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { pcm } from '../support/realtime-client.ts';
import { addText, serveClients, textItem } from '../support/served-clients.ts';

const { connect, session } = serveClients();

describe('items', () => {
  it('keep the id a client chose and refuse it twice', async () => {
    const client = await connect();
    addText(client, 'one', 'item_mine');
    expect((await client.next('conversation.item.done')).item.id).toBe('item_mine');
    expect(
      await client.refused({ type: 'conversation.item.create', item: textItem('two', 'item_mine') }),
    ).toMatchObject({ code: 'item_create_duplicate_id', param: 'item.id' });
  });

  it('go where previous_item_id says: root, after an item, or an error', async () => {
    const client = await connect();
    addText(client, 'b', 'b');
    client.send({ type: 'conversation.item.create', item: textItem('a', 'a'), previous_item_id: 'root' });
    client.send({ type: 'conversation.item.create', item: textItem('ab', 'ab'), previous_item_id: 'a' });
    await client.next('conversation.item.done');
    expect((await client.next('conversation.item.added')).previous_item_id).toBeNull();
    expect((await client.next('conversation.item.added')).previous_item_id).toBe('a');
    const missing = { type: 'conversation.item.create', item: textItem('x'), previous_item_id: 'nobody' };
    expect(await client.refused(missing)).toMatchObject({
      code: 'item_create_invalid_previous_item_id',
      param: 'previous_item_id',
    });
  });

  it('come back with audio on retrieve, go on delete, and are unknown after', async () => {
    const client = await connect();
    client.send({
      type: 'conversation.item.create',
      item: {
        id: 'spoken',
        type: 'message',
        role: 'user',
        content: [{ type: 'input_audio', audio: pcm(100, 0.5) }],
      },
    });
    client.send({ type: 'conversation.item.retrieve', item_id: 'spoken' });
    const { item } = await client.next('conversation.item.retrieved');
    expect(Buffer.from(item.content[0].audio, 'base64')).toHaveLength(100 * 48);
    client.send({ type: 'conversation.item.delete', item_id: 'spoken' });
    expect((await client.next('conversation.item.deleted')).item_id).toBe('spoken');
    expect(await client.refused({ type: 'conversation.item.retrieve', item_id: 'spoken' })).toMatchObject({
      code: 'item_retrieve_invalid_item_id',
      param: 'item_id',
    });
    expect(await client.refused({ type: 'conversation.item.delete', item_id: 'spoken' })).toMatchObject({
      code: 'item_delete_invalid_item_id',
      param: 'item_id',
    });
  });

  it('hold pictures, which echoes leave out, in the order sent', async () => {
    const client = await connect();
    const png = await sharp({ create: { width: 20, height: 10, channels: 4, background: 'red' } })
      .png()
      .toBuffer();
    const image_url = `data:image/png;base64,${png.toString('base64')}`;
    client.send({
      type: 'conversation.item.create',
      item: {
        id: 'seen',
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'what?' },
          { type: 'input_image', image_url },
        ],
      },
    });
    addText(client, 'after', 'after');
    const { item } = await client.next('conversation.item.added');
    expect(item).toMatchObject({ id: 'seen', content: [{ type: 'input_text', text: 'what?' }] });
    expect((await client.next('conversation.item.added')).item.id).toBe('after');
    const [first] = session(client.events[0].session.id).items;
    expect(first.content[1]).toMatchObject({ type: 'image', image: { width: 20, height: 10 } });
    const { image } = first.content[1] as { image: { data: Uint8Array } };
    expect([...image.data.subarray(0, 3), image.data.length]).toEqual([255, 0, 0, 600]);
  });

  it('are refused with pictures that are none, of another type, or links', async () => {
    const client = await connect();
    const gif = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .gif()
      .toBuffer();
    const item = (image_url: string) => ({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_image', image_url }],
    });
    for (const url of [
      'data:image/png;base64,AAAA',
      'data:image/png;base64,',
      'data:image/jpeg;base64,',
      `data:image/png;base64,${gif.toString('base64')}`,
      'http://127.0.0.1/a.png',
    ]) {
      const error = await client.refused({ type: 'conversation.item.create', item: item(url) });
      expect(error).toMatchObject({ code: 'invalid_image', param: 'item.content[0].image_url' });
    }
  });

  it('cannot hold parts of the other side', async () => {
    const client = await connect();
    const odd = { type: 'message', role: 'system', content: [{ type: 'input_audio', audio: '' }] };
    expect(await client.refused({ type: 'conversation.item.create', item: odd })).toMatchObject({
      param: 'item.content[0].type',
    });
  });

  it('are truncated where the client says, at their end at most; not of the user, not unknown', async () => {
    const client = await connect();
    addText(client, 'hi', 'user_item');
    client.send({ type: 'response.create' });
    const { response } = await client.next('response.done');
    const truncate = (item_id: string, audio_end_ms: number) => ({
      type: 'conversation.item.truncate',
      item_id,
      content_index: 0,
      audio_end_ms,
    });
    const item_id = response.output[0].id;
    const code = 'item_truncate_invalid_item_id';
    expect(await client.refused(truncate('user_item', 10))).toMatchObject({ code, param: 'item_id' });
    expect(await client.refused(truncate('nobody', 10))).toMatchObject({ code, param: 'item_id' });
    // Stock clients measure by the clock, which runs on after the sound has ended, and in fractions.
    client.send(truncate(item_id, 5000.7));
    expect(await client.next('conversation.item.truncated')).toMatchObject({ item_id, audio_end_ms: 1000 });
    client.send(truncate(item_id, 400));
    expect(await client.next('conversation.item.truncated')).toMatchObject({
      item_id,
      content_index: 0,
      audio_end_ms: 400,
    });
    client.send(truncate(item_id, 200));
    await client.next('conversation.item.truncated');
    client.send({ type: 'conversation.item.retrieve', item_id });
    const { item } = await client.next('conversation.item.retrieved');
    expect(item.content[0].transcript).toBe('Hello,');
  });
});

describe('responses', () => {
  it('run one at a time; a second create is refused and quotes its event', async () => {
    const client = await connect();
    client.send({ type: 'response.create' });
    client.send({ type: 'response.create', event_id: 'mine' });
    const { error } = await client.next('error');
    expect(error).toMatchObject({ code: 'conversation_already_has_active_response', event_id: 'mine' });
    expect((await client.next('response.done')).response.status).toBe('completed');
  });

  it('are cancelled once; with nothing active the session lives on', async () => {
    const client = await connect();
    client.send({ type: 'response.create' });
    await client.next('response.created');
    client.send({ type: 'response.cancel' });
    const { response } = await client.next('response.done');
    expect(response).toMatchObject({ status: 'cancelled', status_details: { reason: 'client_cancelled' } });
    expect(await client.refused({ type: 'response.cancel' })).toMatchObject({
      code: 'response_cancel_not_active',
    });
    client.send({ type: 'response.create' });
    await client.next('response.done');
  });

  it('take overrides for themselves only', async () => {
    const client = await connect();
    const metadata = { topic: 'weather' };
    client.send({ type: 'response.create', response: { output_modalities: ['text'], metadata } });
    const written = (await client.next('response.done')).response;
    expect(written).toMatchObject({ output_modalities: ['text'], metadata });
    expect(written.output[0].content).toEqual([{ type: 'output_text', text: 'Hello, this is a reply.' }]);
    client.send({
      type: 'response.create',
      response: { audio: { output: { format: { type: 'audio/pcma' } } } },
    });
    const spoken = (await client.next('response.done')).response;
    expect(spoken).toMatchObject({
      output_modalities: ['audio'],
      audio: { output: { format: { type: 'audio/pcma' } } },
    });
    const deltas = client.events.filter(event => event.type === 'response.output_audio.delta');
    // 1 s at 8 kHz, one byte a sample.
    expect(deltas.reduce((sum, event) => sum + Buffer.from(event.delta, 'base64').length, 0)).toBe(8000);
  });

  it('have a bound for their metadata', async () => {
    const client = await connect();
    const pairs = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v']));
    expect(await client.refused({ type: 'response.create', response: { metadata: pairs } })).toMatchObject({
      code: 'invalid_value',
    });
  });

  it('outside the conversation are cancelled by their id alone, and only so many run at once', async () => {
    const client = await connect();
    const ask = { type: 'response.create', response: { conversation: 'none' } };
    client.send(ask);
    const { id } = (await client.next('response.created')).response;
    expect((await client.refused({ type: 'response.cancel' })).code).toBe('response_cancel_not_active');
    client.send({ type: 'response.cancel', response_id: id });
    const { response } = await client.next('response.done');
    expect(response).toMatchObject({
      id,
      status: 'cancelled',
      status_details: { reason: 'client_cancelled' },
    });
    for (let n = 0; n < 4; n++) client.send(ask);
    expect((await client.refused(ask)).code).toBe('too_many_responses');
  });

  it('whose item is deleted while it is being generated end', async () => {
    const client = await connect();
    client.send({ type: 'response.create' });
    const { item } = await client.next('response.output_item.added');
    client.send({ type: 'conversation.item.delete', item_id: item.id });
    expect((await client.next('response.done')).response.status).toBe('cancelled');
  });
});
