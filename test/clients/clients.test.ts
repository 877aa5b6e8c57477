/** The stock clients, each in a process of its own against the real server: what a person who installs one of them would see. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
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
    const file = join(import.meta.dirname, 'drivers', `${driver}.mjs`);
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: CERTIFICATE };
    const run = promisify(execFile)(process.execPath, [file, server.url, KEY, ...args], {
      env,
      timeout: 100_000,
      killSignal: 'SIGKILL',
    });
    const { stdout } = await run;
    const report = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(report).toEqual({ steps, errors: [] });
  });
});
