/**
 * The stock clients, each in a process of its own against the real server: what a person who installs one of them would
 * see.
 */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { prepareClients } from './prepare.ts';

const KEY = 'sk-test-0123456789';
const CERTIFICATE = 'test/fixtures/tls/cert.pem';

/** Client, its driver and the driver's arguments, the steps that must be reached. */
const MATRIX: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['openai 7.59', 'openai', ['openai', 'ga'], ['models', 'opened', 'spoken', 'truncated', 'written', 'key']],
  ['openai 6.8', 'openai', ['openai-6', 'ga'], ['models', 'opened', 'spoken', 'truncated', 'written', 'key']],
  [
    'openai 6.8, its beta client',
    'openai',
    ['openai-6', 'beta'],
    ['models', 'opened', 'spoken', 'truncated', 'written', 'key'],
  ],
  [
    'openai 5.18',
    'openai',
    ['openai-5', 'ga'],
    ['models', 'opened', 'spoken', 'truncated', 'written', 'key'],
  ],
  [
    '@openai/agents-realtime 0.20',
    'agents',
    ['@openai/agents-realtime'],
    ['opened', 'spoken', 'truncated', 'written'],
  ],
  [
    '@openai/agents-realtime 0.3',
    'agents',
    ['agents-realtime-0-3'],
    ['opened', 'spoken', 'truncated', 'written'],
  ],
  ['Twilio’s transport, @openai/agents-extensions 0.18', 'twilio', [], ['opened', 'spoken', 'truncated']],
  ['LiveKit’s plugin 1.9', 'livekit', [], ['opened', 'spoken', 'asked']],
  ['LiveKit’s transcription 1.9', 'livekit-stt', ['gpt-4o-transcribe'], ['heard', 'ended']],
  ['LiveKit’s transcription 1.9, its own model', 'livekit-stt', ['gpt-realtime-whisper'], ['heard', 'ended']],
  ['Vercel’s ai 7', 'ai-sdk', [], ['key', 'opened', 'spoken', 'written']],
  ['Mastra 0.14', 'mastra', [], ['opened', 'spoken', 'written']],
  ['openai-realtime-api 1.0', 'realtime-api', [], ['opened', 'spoken', 'truncated', 'written']],
];

/** With a tool of their own. */
const WITH_TOOLS: readonly (readonly [string, string, readonly string[]])[] = [
  ['LiveKit’s plugin 1.9', 'livekit-tool', ['opened', 'called', 'told', 'answered']],
];

const missing = await prepareClients();
if (missing !== null) {
  console.warn(`
NOT TESTED: the stock clients (test/clients): ${missing}.
Fetch and run them: npm run test:clients`);
}

describe.skipIf(missing !== null)('the stock client', () => {
  let server: LiveServer;
  beforeAll(async () => {
    const tlsKey = 'test/fixtures/tls/key.pem';
    // Long enough to be interrupted on a busy machine too.
    server = await startLiveServer({ keys: [KEY], tlsCert: CERTIFICATE, tlsKey, replyFrames: 200 });
  });
  afterAll(() => server.close());

  // Once more: a client waits in real time, and a busy machine is not a failure. Vitest shows which needed it.
  it.each(MATRIX)('%s', { retry: 1 }, async (_name, driver, args, steps) => {
    expect(await driven(server.url, driver, args)).toEqual({ steps, errors: [] });
  });
});

/** The report of a driver that has run to its end. */
async function driven(url: string, driver: string, args: readonly string[] = []): Promise<unknown> {
  const file = join(import.meta.dirname, 'drivers', `${driver}.mjs`);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: CERTIFICATE };
  const run = promisify(execFile)(process.execPath, [file, url, KEY, ...args], {
    env,
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
  const { stdout } = await run;
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

/** A backend of the Responses API that asks for the weather first, and then tells it. */
async function startBackend(): Promise<Server> {
  const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{}' };
  const rounds = [
    [{ type: 'response.output_item.done', item }],
    [{ type: 'response.output_text.delta', delta: 'It is sunny.' }],
  ];
  const backend = createServer((request, response) => {
    let body = '';
    request.on('data', part => {
      body += part;
    });
    request.on('end', () => {
      const round = rounds[body.includes('function_call_output') ? 1 : 0];
      const about = { id: 'resp_1', model: 'backend' };
      const created = { type: 'response.created', response: about };
      const completed = { type: 'response.completed', response: about };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of [created, ...round, completed])
        response.write(`data: ${JSON.stringify(event)}\n\n`);
      response.end();
    });
  });
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve));
  return backend;
}

describe.skipIf(missing !== null)('the stock client of GPT-Live', () => {
  it('LiveKit’s plugin 1.9: a tool at its backend, an interruption, a mute, a reconnect', {
    retry: 1,
  }, async () => {
    const backend = await startBackend();
    const { port } = backend.address() as AddressInfo;
    const server = await startLiveServer({
      ...{
        keys: [KEY],
        tlsCert: CERTIFICATE,
        tlsKey: 'test/fixtures/tls/key.pem',
        toolTemplate: TOOL_TEMPLATE,
      },
      replies: [
        [callSegment(['delegate', { task: 'weather' }])],
        [{ text: 'It is sunny here.', frames: 200 }],
      ],
      responses: { url: `http://127.0.0.1:${port}/v1` },
    });
    const steps = ['opened', 'called', 'spoken', 'interrupted', 'muted', 'reconnected'];
    try {
      expect(await driven(server.url, 'livekit-live')).toEqual({ steps, errors: [] });
    } finally {
      await server.close();
      backend.close();
    }
  });
});

describe.skipIf(missing !== null)('the stock client with a tool', () => {
  // Its own server: what the model says next is scripted.
  it.each(WITH_TOOLS)('%s', { retry: 1 }, async (_name, driver, steps) => {
    const tlsKey = 'test/fixtures/tls/key.pem';
    const server = await startLiveServer({
      ...{ keys: [KEY], tlsCert: CERTIFICATE, tlsKey, toolTemplate: TOOL_TEMPLATE },
      replies: [
        [{ text: 'One moment.', frames: 14 }, callSegment(['set_timer', { minutes: 5 }])],
        [{ text: 'It is done.', frames: 14 }],
      ],
    });
    try {
      expect(await driven(server.url, driver)).toEqual({ steps, errors: [] });
    } finally {
      await server.close();
    }
  });
});
