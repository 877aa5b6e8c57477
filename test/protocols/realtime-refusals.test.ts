import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../kernels/errors.ts';
import { CLIENT_EVENT_TYPES } from '../../protocols/realtime/client-events.ts';
import { wireError } from '../../protocols/realtime/protocol-error.ts';
import { serveClients, textItem } from '../support/served-clients.ts';
import { wireRig } from '../support/wire-rig.ts';

const { connect, session } = serveClients();

describe('a refused value', () => {
  const input = (fields: object) => ({ type: 'session.update', session: { audio: { input: fields } } });
  const at = 'session.audio.input';
  it.each([
    // Bug reports of clients' users: both said nothing but "Invalid input".
    [
      input({ turn_detection: { threshold: 0.7 } }),
      `${at}.turn_detection.type`,
      ['server_vad', 'semantic_vad'],
    ],
    [input({ format: { type: 'audio/pcm', rate: 16_000 } }), `${at}.format.rate`, ['24000']],
    [
      input({ turn_detection: { type: 'none' } }),
      `${at}.turn_detection.type`,
      ['server_vad', 'semantic_vad'],
    ],
    [
      input({ turn_detection: { type: 'server_vad', threshold: 'low' } }),
      `${at}.turn_detection.threshold`,
      ['number'],
    ],
    [input({ turn_detection: 7 }), `${at}.turn_detection`, ['object']],
    [
      input({ format: { type: 'audio/opus' } }),
      `${at}.format.type`,
      ['audio/pcm', 'audio/pcmu', 'audio/pcma'],
    ],
    [input({ format: 'opus' }), `${at}.format`, ['pcm16', 'g711_ulaw', 'g711_alaw']],
    [input({ format: 7 }), `${at}.format`, ['object', 'pcm16']],
    [input({ noise_reduction: {} }), `${at}.noise_reduction.type`, ['near_field', 'far_field']],
    [{ type: 'session.update' }, 'session', ['object']],
    [{ type: 'session.update', session: { max_output_tokens: 0 } }, 'session.max_output_tokens', ['1']],
    [
      { type: 'session.update', session: { tool_choice: 'any' } },
      'session.tool_choice',
      ['auto', 'none', 'required'],
    ],
    [
      { type: 'session.update', session: { tool_choice: { type: 'function' } } },
      'session.tool_choice.name',
      ['string'],
    ],
    [
      { type: 'session.update', session: { tools: [{ type: 'mcp' }] } },
      'session.tools[0].server_label',
      ['string'],
    ],
    [
      { type: 'session.update', session: { tools: [{ type: 'web' }] } },
      'session.tools[0].type',
      ['function', 'mcp'],
    ],
    [
      { type: 'session.update', session: { audio: { output: { voice: 7 } } } },
      'session.audio.output.voice',
      ['string', 'object'],
    ],
    [
      { type: 'session.update', session: { truncation: { type: 'retention_ratio', retention_ratio: 2 } } },
      'session.truncation.retention_ratio',
      ['1'],
    ],
    [{ type: 'conversation.item.create', item: { role: 'user', content: [] } }, 'item.type', ['message']],
    [
      {
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ text: 'hi' }] },
      },
      'item.content[0].type',
      ['input_text'],
    ],
    [
      { type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [] } },
      'item.content',
      ['content'],
    ],
    [
      {
        type: 'response.create',
        response: { input: [{ type: 'message', role: 'user', content: [] }], conversation: 'none' },
      },
      'response.input[0].content',
      ['content'],
    ],
    [{ type: 'conversation.item.truncate', item_id: 'x', content_index: 0 }, 'audio_end_ms', ['number']],
  ] as [Record<string, unknown>, string, string[]][])(
    'is named, with what is wanted: %j',
    async (event, param, wanted) => {
      const client = await connect();
      const error = await client.refused(event);
      expect(error.param).toBe(param);
      for (const word of wanted) expect(error.message).toContain(word);
      expect(error.message).not.toMatch(/Invalid input/i);
    },
  );
});

describe('codes and texts that clients branch on', () => {
  it('are those they know', async () => {
    const client = await connect();
    const of = async (event: Record<string, unknown>) => {
      const { code, message } = await client.refused(event);
      return { code, message };
    };
    expect(await of({ type: 'response.cancel' })).toEqual({
      code: 'response_cancel_not_active',
      message: 'Cancellation failed: no active response found',
    });
    const ids = { item_id: 'nobody', content_index: 0, audio_end_ms: 1 };
    for (const verb of ['retrieve', 'delete', 'truncate']) {
      const { code } = await of({ type: `conversation.item.${verb}`, ...ids });
      expect(code).toBe(`item_${verb}_invalid_item_id`);
    }
    client.send({ type: 'conversation.item.create', item: textItem('one', 'mine') });
    const twice = { type: 'conversation.item.create', item: textItem('two', 'mine') };
    expect((await of(twice)).code).toBe('item_create_duplicate_id');
    client.send({ type: 'response.create' });
    const second = await of({ type: 'response.create' });
    expect(second.code).toBe('conversation_already_has_active_response');
    expect(second.message).toMatch(/^Conversation already has an active response in progress: resp_/);
    expect((await of({ type: 'input_audio_buffer.commit' })).code).toBe('input_audio_buffer_commit_empty');
  });

  it('are words joined by underscores, wherever in the code base they come from', async () => {
    const files = ['kernels', 'actors', 'protocols'].flatMap(room =>
      readdirSync(room, { recursive: true, encoding: 'utf8' })
        .filter(name => name.endsWith('.ts'))
        .map(name => join(room, name)),
    );
    const codes = files.flatMap(file => {
      const text = readFileSync(file, 'utf8');
      const thrown = text.matchAll(/(?:RuntimeError|refusal)\(\s*[`'"]([^`'"]+)[`'"]/g);
      const answered = text.matchAll(/(?:errorAnswer\(\s*\d+,|\bcode:)\s*'([^']+)'/g);
      return [...thrown, ...answered].map(([, code]) => code.replace(/\$\{.*?\}/, 'x'));
    });
    expect(codes.length).toBeGreaterThan(100);
    expect(codes.some(code => code.includes('-'))).toBe(true); // Or this test sees nothing.
    for (const code of new Set(codes)) {
      for (const during of [null, ...CLIENT_EVENT_TYPES]) {
        expect(wireError(new RuntimeError(code, ''), null, during).code).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
      }
    }
  });

  it('are so also where the session says them itself', async () => {
    const client = await connect();
    const one = session(client.events[0].session.id);
    one.say({ type: 'error', code: 'actor.mailbox-full', message: 'Full.', fatal: false });
    expect((await client.next('error')).error.code).toBe('actor_mailbox_full');
    const address = { responseId: 'resp_x', itemId: 'item_x' };
    one.say({ type: 'response.created', ...address });
    const input = { inputTextTokens: 0, inputAudioTokens: 0, inputImageTokens: 0 };
    const tokens = { ...input, cachedTextTokens: 0, cachedAudioTokens: 0, cachedImageTokens: 0 };
    const usage = { ...tokens, outputTextTokens: 0, outputAudioTokens: 0 };
    const status = { kind: 'failed', code: 'context.no-item', message: 'No such item.' } as const;
    one.say({ type: 'response.done', ...address, status, usage });
    const { response } = await client.next('response.done');
    // Pipecat reads the message, and stops at a response without usage.
    const error = { type: 'invalid_request_error', code: 'context_no_item', message: 'No such item.' };
    expect(response).toMatchObject({ status_details: { error }, usage: { total_tokens: 0 } });
  });
});

it('binary frames are told off one by one, and a stream of them ends the connection', () => {
  const client = wireRig().connect();
  for (let i = 0; i < 1000; i++) client.binary(Buffer.alloc(3));
  expect(client.events.filter(({ type }) => type === 'error').length).toBeLessThanOrEqual(51);
  expect(client.closed).toBe('binary frames mean nothing here');
});
