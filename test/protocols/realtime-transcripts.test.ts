import { describe, expect, it } from 'vitest';
import { type WireClient, wireRig } from '../support/wire-rig.ts';

const COMPLETED = 'conversation.item.input_audio_transcription.completed';
const FAILED = 'conversation.item.input_audio_transcription.failed';

function open(transcription: object | null, words: string | null) {
  const rig = wireRig(words === null ? {} : { words: true });
  if (words !== null) rig.word = words;
  const client = rig.connect();
  client.configure({ audio: { input: { transcription } } });
  return client;
}

async function spoken(client: WireClient): Promise<string> {
  await client.say(600);
  await client.silence(1500);
  await client.wait(500);
  return client.last('input_audio_buffer.committed').item_id;
}

const transcripts = (client: WireClient, itemId: string) =>
  client.events.flatMap(({ type, item }) => {
    if (item?.id !== itemId) return [];
    return [[type.split('.').at(-1), item.content[0].transcript]];
  });

describe('the words of a spoken turn', () => {
  it('are null in its item until they are final', async () => {
    const client = open({ model: 'any' }, 'hello');
    const id = await spoken(client);
    expect(client.last(COMPLETED)).toMatchObject({ item_id: id, transcript: 'hello' });
    expect(client.all(COMPLETED)).toHaveLength(1);
    client.send({ type: 'conversation.item.retrieve', item_id: id });
    expect(transcripts(client, id)).toEqual([
      ['added', null],
      ['done', null],
      ['retrieved', 'hello'],
    ]);
  });

  it('are never shown without transcription', async () => {
    const client = open(null, 'hello');
    const id = await spoken(client);
    client.send({ type: 'conversation.item.retrieve', item_id: id });
    expect(transcripts(client, id).map(([, transcript]) => transcript)).toEqual([null, null, null]);
    expect(client.all(COMPLETED)).toEqual([]);
  });

  it('are completed with nothing where nothing was recognised', async () => {
    const client = open({ model: 'any' }, '');
    const id = await spoken(client);
    expect(client.last(COMPLETED)).toMatchObject({ item_id: id, content_index: 0, transcript: '' });
    client.send({ type: 'conversation.item.retrieve', item_id: id });
    expect(client.last('conversation.item.retrieved').item.content[0].transcript).toBe('');
  });

  it('are completed too where the client commits by hand', async () => {
    const client = open({ model: 'any' }, '');
    client.configure({ audio: { input: { turn_detection: null } } });
    await client.say(400);
    client.send({ type: 'input_audio_buffer.commit' });
    await client.wait(500);
    expect(client.last(COMPLETED).item_id).toBe(client.last('input_audio_buffer.committed').item_id);
  });

  it('are said to fail with a model that hears none', async () => {
    const client = open({ model: 'any' }, null);
    const id = await spoken(client);
    expect(client.all(COMPLETED)).toEqual([]);
    expect(client.all(FAILED)).toMatchObject([
      { item_id: id, content_index: 0, error: { code: 'transcription_unsupported' } },
    ]);
  });

  it('are completed with nothing for the empty segment of an idle timeout', async () => {
    const client = open({ model: 'any' }, 'hello');
    const turn_detection = { type: 'server_vad', idle_timeout_ms: 5000 };
    client.configure({ audio: { input: { turn_detection } } });
    client.send({ type: 'response.create' });
    await client.wait(8000);
    const { item_id } = client.last('input_audio_buffer.timeout_triggered');
    expect(client.all(COMPLETED)).toMatchObject([{ item_id, transcript: '' }]);
  });
});
