import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_EVENT_TYPES } from '../../protocols/realtime/client-events.ts';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { openClient, pcm } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const ids = fc.constantFrom('a', 'b', 'item_x', '', 'root');
const eventTypes = fc.constantFrom(...CLIENT_EVENT_TYPES, '__proto__', 'constructor', '');
const anything = fc.anything({ maxDepth: 3, withNullPrototype: false });
const wild = fc.record({
  type: eventTypes,
  event_id: anything,
  session: anything,
  item: anything,
  audio: anything,
  response: anything,
  item_id: anything,
});
const item = fc.record({
  type: fc.constantFrom('message', 'function_call', 'odd', 'item_reference'),
  id: ids,
  role: fc.constantFrom('user', 'assistant', 'system', 'tool'),
  content: fc.array(
    fc.record({
      type: fc.constantFrom('input_text', 'output_text', 'input_image', 'input_audio', 'output_audio'),
      text: fc.string(),
      image_url: fc.constantFrom('data:image/png;base64,AAAA', 'x'),
      audio: fc.base64String(),
    }),
    { maxLength: 3 },
  ),
});
const near = fc.record(
  {
    type: fc.constantFrom(...CLIENT_EVENT_TYPES),
    event_id: fc.string(),
    audio: fc.oneof(fc.base64String(), fc.constant(pcm(40, 0.5)), fc.string()),
    item_id: ids,
    previous_item_id: fc.option(ids),
    content_index: fc.constantFrom(0, 1),
    audio_end_ms: fc.integer({ min: -1, max: 500 }),
    image: fc.oneof(fc.base64String(), fc.string()),
    heard_ms: fc.integer({ min: -1, max: 100 }),
    session: fc.record(
      {
        instructions: fc.oneof(fc.string(), fc.constant(null)),
        output_modalities: fc.subarray(['audio', 'text', 'video']),
        longcat: fc.record({ extensions: fc.boolean() }),
        audio: fc.record({
          input: fc.record({
            turn_detection: fc.oneof(
              fc.constant(null),
              fc.record({
                type: fc.constantFrom('server_vad', 'semantic_vad'),
                threshold: fc.double({ min: -1, max: 2 }),
              }),
            ),
          }),
          output: fc.record({ format: fc.constantFrom('pcm16', 'g711_ulaw', 'mp3', { type: 'audio/pcma' }) }),
        }),
      },
      { requiredKeys: [] },
    ),
    item,
    response: fc.option(
      fc.record(
        {
          conversation: fc.constantFrom('auto', 'none'),
          input: fc.array(item, { maxLength: 3 }),
          output_modalities: fc.subarray(['audio', 'text']),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['type'] },
);

const frame = fc.oneof(
  fc.string(),
  wild.map(event => JSON.stringify(event) ?? ''),
  near.map(event => JSON.stringify(event)),
  fc.tuple(near, fc.nat()).map(([event, cut]) => JSON.stringify(event).slice(0, cut)),
);

describe.each([
  ['sessions kept in memory', () => startTestServer()],
  // Its engine needs no time, so that hundreds of replies pile up before this process gets to read them.
  ['the runtime', () => startLiveServer({ limits: { maxUnsentBytes: 2 ** 30 } })],
] as const)('a client of %s that sends anything at all', (_name, start) => {
  let server: TestServer | LiveServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());

  it('never ends its session, and every fault of its own is told as one', async () => {
    const check = async (frames: string[]) => {
      const client = await openClient(server.url);
      for (const text of frames) client.send(text);
      client.send({ type: 'no.such', event_id: 'the end' });
      for (
        let error = (await client.next('error')).error;
        error.event_id !== 'the end';
        error = (await client.next('error')).error
      ) {
        expect(error).toMatchObject({
          type: 'invalid_request_error',
          code: expect.stringMatching(/^[a-z0-9_-]+$/),
        });
      }
      // Still of use: it lets go of what runs and answers anew.
      client.send({ type: 'response.cancel' });
      client.send({ type: 'session.update', session: { longcat: { extensions: false } } });
      await client.next('session.updated');
      client.send({ type: 'response.create' });
      await client.next('response.done');
      client.close();
      await client.closed;
    };
    await fc.assert(fc.asyncProperty(fc.array(frame, { minLength: 5, maxLength: 40 }), check), {
      numRuns: 60,
      interruptAfterTimeLimit: 8_000,
    });
    expect('warnings' in server ? server.warnings : []).toEqual([]);
  });

  it('never opens or closes a response out of order', async () => {
    const client = await openClient(server.url);
    const moves = [
      { type: 'response.create' },
      { type: 'response.create', response: { conversation: 'none' } },
      { type: 'response.cancel' },
      { type: 'input_audio_buffer.commit' },
      { type: 'input_audio_buffer.clear' },
    ];
    for (const move of fc.sample(fc.constantFrom(...moves), { numRuns: 300, seed: 7 })) {
      client.send(move);
      client.send({ type: 'input_audio_buffer.append', audio: pcm(20, 0.5) });
    }
    client.send({ type: 'no.such', event_id: 'the end' });
    while ((await client.next('error')).error.event_id !== 'the end');
    const open = new Map<string, string[]>();
    for (const event of client.events) {
      const id = event.response?.id ?? event.response_id;
      if (id === undefined) continue;
      if (event.type === 'response.created') open.set(id, []);
      expect(open.has(id)).toBe(true);
      open.get(id)!.push(event.type);
      if (event.type !== 'response.done') continue;
      const seen = open.get(id)!;
      expect(seen.filter(type => type.endsWith('output_item.added')).length).toBe(
        seen.filter(type => type.endsWith('output_item.done')).length,
      );
      open.delete(id);
    }
    // The conversation's own and four beside it.
    expect(open.size).toBeLessThanOrEqual(5);
    client.close();
  });
});
