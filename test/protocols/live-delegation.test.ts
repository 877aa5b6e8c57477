/**
 * What the voice model hands over, and what comes of it (docs/spec/gpt-live.md §8, docs/spec/tools.md §4), under the
 * virtual clock.
 */
import { describe, expect, it } from 'vitest';
import type { BackendEvent } from '../../protocols/live/delegation/backend.ts';
import { type LiveClient, LiveRig } from '../support/live-rig.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import type { ScriptedSegment } from '../support/zero-latency-engine.ts';

const TASK = 'weather in Rome';
const MOMENT: ScriptedSegment = { text: 'One moment.', frames: 14 };
/** “One moment” ends with the word that is being said when the answer is there. */
const BROKEN_OFF = 'OneIt is sunny.';
const CALL = callSegment(['delegate', { task: TASK }]);
const ANSWER: ScriptedSegment[] = [{ text: 'It is sunny.', frames: 14 }];
const OTHER: ScriptedSegment[] = [{ text: 'Hello again.', frames: 14 }];
const THIRD: ScriptedSegment[] = [{ text: 'And it is warm.', frames: 14 }];
const RESULT = 'Sunny, 25 degrees.';

function rigged(...replies: (readonly ScriptedSegment[])[]) {
  return new LiveRig({ replies, toolTemplate: TOOL_TEMPLATE });
}

async function ask(client: LiveClient, silenceMs = 2000) {
  await client.say(600);
  await client.silence(silenceMs);
}

const created = (client: LiveClient) => client.all('session.delegation.created');
const idOf = (client: LiveClient, at = 0): string => created(client)[at].delegation.id;
const count = (text: string, part: string) => text.split(part).length - 1;

describe('delegation to the client', () => {
  it('is told of once, after the turn, and the agent goes on with the answer', async () => {
    const live = rigged([MOMENT, CALL], ANSWER);
    const client = live.started({ delegation: { type: 'client' } });
    await ask(client);
    expect(created(client)).toMatchObject([
      { offset_ms: expect.any(Number), delegation: { type: 'delegation', target: 'client' } },
    ]);
    const [{ offset_ms, atMs }] = created(client);
    expect(offset_ms).toBe(atMs);
    expect(offset_ms).toBeGreaterThan(600);
    expect(client.all('info')).toEqual([]);
    expect(client.said('output')).toBe('One moment.');
    client.append('commentary', RESULT, idOf(client));
    client.last('session.commentary.appended');
    await client.silence(2000);
    expect(client.said('output')).toBe('One moment.It is sunny.');
    expect(live.contextText(1)).toContain(`TOOL:${RESULT}`);
    expect(client.errors).toEqual([]);
  });

  it('is not told of where the user goes on', async () => {
    const client = rigged([MOMENT, CALL], [MOMENT, CALL], ANSWER).started();
    await client.say(600);
    // The speculation has called by now; the turn has not ended.
    await client.silence(400);
    await client.say(400);
    await client.silence(2000);
    expect(created(client)).toHaveLength(1);
    expect(client.said('output')).toBe('One moment.');
  });

  it('that is answered after the user has gone on keeps its place, and is told when nobody has the floor', async () => {
    const live = rigged([MOMENT, CALL], OTHER, ANSWER);
    const client = live.started();
    await ask(client);
    await client.say(600);
    expect(live.contextText(1)).toContain('TOOL:{"status":"running"}');
    await client.silence(2500);
    expect(client.said('output')).toBe('One moment.Hello again.');
    client.append('commentary', RESULT, idOf(client));
    await client.silence(2500);
    expect(client.said('output')).toBe('One moment.Hello again.It is sunny.');
    const context = live.contextText(1);
    expect(context).not.toContain('running');
    expect(context.indexOf(RESULT)).toBeLessThan(context.indexOf('Hello again.'));
  });

  it('that is never answered ends; what comes later still is told', async () => {
    const live = rigged([MOMENT, CALL], OTHER, ANSWER);
    const client = live.started();
    await ask(client);
    await client.wait(119_000);
    expect(client.said('output')).toBe('One moment.');
    await client.wait(4000);
    expect(live.contextText(1)).toContain('TOOL:{"error":"No answer within 120000 ms');
    expect(client.said('output')).toBe('One moment.Hello again.');
    client.append('commentary', RESULT, idOf(client));
    await client.wait(3000);
    expect(live.contextText(1)).toContain(RESULT);
    expect(client.said('output')).toBe('One moment.Hello again.It is sunny.');
  });

  it('that is answered twice says both at once, or one after the other; an id that is none is refused', async () => {
    const live = rigged([MOMENT, CALL], ANSWER, THIRD);
    const client = live.started();
    await ask(client);
    client.append('thinking', 'Looking it up.', idOf(client));
    await client.silence(1000);
    // Silent, and no answer.
    expect(client.said('output')).toBe('One moment.');
    client.append('commentary', RESULT, idOf(client));
    client.append('commentary', 'It is warm.', idOf(client));
    await client.silence(2000);
    expect(client.said('output')).toBe('One moment.It is sunny.');
    client.append('commentary', 'It rains.', idOf(client));
    await client.silence(2000);
    expect(client.said('output')).toBe('One moment.It is sunny.And it is warm.');
    const context = live.contextText(1);
    expect([count(context, `TOOL:`), count(context, RESULT), count(context, 'It is warm.')]).toEqual([
      1, 1, 1,
    ]);
    expect(context).toContain('Looking it up.');
    expect(context.indexOf('It is warm.')).toBeLessThan(context.indexOf('It is sunny.'));
    client.append('commentary', 'x', 'dlg_none');
    expect(client.errors).toMatchObject([{ code: 'unknown_delegation', param: 'delegation_id' }]);
  });

  it('leaves "one moment" unsaid where the answer is there before it', async () => {
    const client = rigged([MOMENT, CALL], ANSWER).started({
      delegation: { type: 'client', acknowledgement_delay_ms: 900 },
    });
    await client.say(600);
    while (created(client).length === 0) await client.silence(20);
    client.append('commentary', RESULT, idOf(client));
    await client.silence(3000);
    expect(client.said('output')).toBe('It is sunny.');
    client.send({
      type: 'session.update',
      session: { delegation: { type: 'client', acknowledgement_delay_ms: 5 } },
    });
    expect(client.last('session.updated').session.delegation).toEqual({
      type: 'client',
      acknowledgement_delay_ms: 5,
    });
  });

  it('knows no backend', async () => {
    const client = rigged(ANSWER).started();
    client.send({ type: 'response.create', event_id: 'r' });
    client.send({ type: 'response.item.create', item: { type: 'message' } });
    const session = { delegation: { type: 'responses', responses: { model: 'x' } } };
    client.send({ type: 'session.update', session });
    expect(client.errors.map(({ code }) => code)).toEqual([
      ...['unsupported_event', 'unsupported_event', 'unsupported_value'],
    ]);
  });
});

const delta = (text: string): BackendEvent => ({ type: 'response.output_text.delta', delta: text });
const started = (id: string): BackendEvent => ({
  type: 'response.created',
  response: { id, input: ['secret'], instructions: 'long', tools: [1], output: [1] },
});
const completed: BackendEvent = { type: 'response.completed', response: { id: 'r' } };
const calls = (...ids: string[]): BackendEvent[] =>
  ids.map(call_id => ({
    type: 'response.output_item.done',
    item: { type: 'function_call', call_id, name: 'weather', arguments: '{}' },
  }));

/** A backend that streams these, a round each; an empty one never answers. */
function backendOf(...rounds: BackendEvent[][]) {
  const requests: Record<string, unknown>[] = [];
  const signals: AbortSignal[] = [];
  return {
    requests,
    signals,
    async *ask(request: Readonly<Record<string, unknown>>, signal: AbortSignal) {
      requests.push(request);
      signals.push(signal);
      const round = rounds[requests.length - 1] ?? [];
      yield* round;
      if (round.length === 0)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))));
    },
  };
}

const RESPONSES = {
  model: 'gpt-5.6-luna',
  instructions: 'Be exact.',
  tools: [{ type: 'function', name: 'weather' }],
};

function delegating(backend: ReturnType<typeof backendOf>, ...replies: (readonly ScriptedSegment[])[]) {
  const live = new LiveRig({ replies, toolTemplate: TOOL_TEMPLATE, captions: true });
  live.backend = backend;
  const client = live.started({ delegation: { type: 'responses', responses: RESPONSES } });
  return { live, client };
}

const nested = (client: LiveClient) => client.all('response.event').map(({ event }) => event.type);

describe('delegation to a backend', () => {
  it('is asked with the conversation, streams to the client, and its text is the answer', async () => {
    const backend = backendOf([started('r1'), delta('Sunny, '), delta('25 degrees.'), completed]);
    const { live, client } = delegating(backend, [MOMENT, CALL], ANSWER);
    await ask(client, 4000);
    const [{ delegation }] = created(client);
    expect(delegation).toMatchObject({ target: 'responses' });
    expect(backend.requests).toHaveLength(1);
    const [{ input, ...asked }] = backend.requests;
    expect(asked).toMatchObject({ ...RESPONSES, stream: true, store: false });
    expect(input).toMatchObject([
      { role: 'user', content: expect.stringContaining('w0') },
      { role: 'developer', content: `What is wanted: ${TASK}` },
    ]);
    expect(nested(client)).toEqual([
      'response.created',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.completed',
    ]);
    const [first] = client.all('response.event');
    expect(first).toMatchObject({
      delegation_id: delegation.id,
      event: { response: { id: 'r1', tools: [] } },
    });
    expect(JSON.stringify(first)).not.toContain('secret');
    expect(live.contextText(1)).toContain(`TOOL:${RESULT}`);
    expect(client.said('output')).toBe(BROKEN_OFF);
    expect(client.errors).toEqual([]);
  });

  it('goes on when all its calls are answered, once each', async () => {
    const backend = backendOf([...calls('c1', 'c2'), completed], [delta(RESULT), completed]);
    const { live, client } = delegating(backend, [MOMENT, CALL], ANSWER);
    await ask(client);
    const output = (call_id: string) =>
      client.send({
        type: 'response.item.create',
        item: { type: 'function_call_output', call_id, output: `{"${call_id}":1}` },
      });
    const go = () => client.send({ type: 'response.create' });
    go();
    output('c1');
    go();
    output('c1');
    output('c9');
    expect(client.errors.map(({ code }) => code)).toEqual([
      ...['missing_outputs', 'missing_outputs', 'unknown_call', 'unknown_call'],
    ]);
    expect(backend.requests).toHaveLength(1);
    output('c2');
    go();
    await client.silence(3000);
    const items = (backend.requests[1].input as { type?: string; call_id?: string }[]).filter(
      ({ type }) => type,
    );
    expect(items.map(({ type, call_id }) => `${type} ${call_id}`)).toEqual([
      ...['function_call c1', 'function_call c2', 'function_call_output c1', 'function_call_output c2'],
    ]);
    expect(live.contextText(1)).toContain(`TOOL:${RESULT}`);
    expect(client.said('output')).toBe('One moment.It is sunny.');
  });

  it('that fails is told to the client and to the model', async () => {
    const failed = { type: 'response.failed', response: { error: { message: 'No credit.' } } };
    const { live, client } = delegating(backendOf([failed]), [MOMENT, CALL], ANSWER);
    await ask(client, 4000);
    expect(client.errors).toMatchObject([
      { type: 'server_error', code: 'delegation_failed', message: 'No credit.' },
    ]);
    expect(live.contextText(1)).toContain('TOOL:{"error":"No credit."}');
    expect(client.said('output')).toBe(BROKEN_OFF);
  });

  it('may be changed for the next, asked anew by the client, and ends with the session', async () => {
    const backend = backendOf([delta('It is warm.'), completed]);
    const { live, client } = delegating(backend, THIRD, [MOMENT, CALL]);
    client.send({
      type: 'session.update',
      session: { delegation: { type: 'responses', responses: { model: 'other' } } },
    });
    expect(client.last('session.updated').session.delegation.responses).toEqual({
      ...RESPONSES,
      model: 'other',
    });
    client.append('commentary', 'x', 'dlg_any');
    expect(client.errors).toMatchObject([{ code: 'unsupported_value', param: 'delegation_id' }]);
    const item = { type: 'message', role: 'user', content: 'And the temperature?' };
    client.send({ type: 'response.item.create', item });
    client.send({ type: 'response.create' });
    await client.wait(2500);
    expect(backend.requests[0]).toMatchObject({ model: 'other', input: [item] });
    expect(client.all('response.event')[0].delegation_id).toBeNull();
    expect(live.contextText(1)).toContain('It is warm.');
    expect(client.said('output')).toBe('And it is warm.');
    await ask(client);
    expect(backend.signals[1].aborted).toBe(false);
    client.send({ type: 'session.close' });
    expect(backend.signals[1].aborted).toBe(true);
    await client.wait(100);
    expect(client.errors).toHaveLength(1);
  });
});
