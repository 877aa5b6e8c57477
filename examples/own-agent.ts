/**
 * An agent of your own: nano hears the caller and takes turns, any text model answers. `npx tsx examples/own-agent.ts
 * question.wav` (16 kHz mono, 16 bit); with CHAT_URL (…/v1/chat/completions of an OpenAI-compatible server), CHAT_MODEL
 * and CHAT_KEY that model speaks for the agent, without them the five lines below do. In writing: nano's voice says
 * only what nano thinks.
 */
import { readFileSync } from 'node:fs';
import {
  createEngine,
  createRandom,
  createRuntime,
  engineOnClock,
  fastestEngine,
  NANO_DIRECTORY,
  VirtualClock,
} from 'longcat-rt';

const INSTRUCTIONS = 'You are the porter of a small hotel. Answer in one sentence.';
interface Message {
  readonly role: string;
  readonly content: string;
}

async function answer(messages: readonly Message[]): Promise<string> {
  const { CHAT_URL, CHAT_MODEL, CHAT_KEY } = process.env;
  const said = messages[messages.length - 1].content;
  if (!CHAT_URL) return /count/.test(said) ? 'I would rather carry your bags.' : `You said: ${said}.`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${CHAT_KEY}` };
  const response = await fetch(CHAT_URL, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: CHAT_MODEL, messages }),
  });
  if (!response.ok) throw new Error(`${CHAT_URL} says ${response.status}: ${await response.text()}`);
  const { choices } = (await response.json()) as { choices: { message: Message }[] };
  return choices[0].message.content;
}

const clock = new VirtualClock();
const engine = engineOnClock(
  await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY }),
  clock,
);
const runtime = createRuntime({ engine, clock, random: createRandom(1) });
const session = runtime.openSession();
const { turnDetection } = session.settings;
if (turnDetection.mode === 'vad')
  session.send({
    type: 'settings.update',
    settings: { turnDetection: { ...turnDetection, createResponse: false } },
  });

const messages: Message[] = [{ role: 'system', content: INSTRUCTIONS }];
const heard = new Map<string, string>();
session.events$.subscribe(async event => {
  if (event.type !== 'input.transcript') return;
  const words = (heard.get(event.itemId) ?? '') + event.delta;
  heard.set(event.itemId, words);
  if (!event.final || !words) return;
  console.log('caller:', words);
  messages.push({ role: 'user', content: words });
  const text = await answer(messages);
  messages.push({ role: 'assistant', content: text });
  // So that nano knows what was said, too.
  session.send({ type: 'item.add', item: { role: 'assistant', content: [{ type: 'text', text }] } });
  console.log('agent: ', text);
});

const wav = readFileSync(process.argv[2]);
const pcm = new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) >> 1);
for (let at = 0; at < pcm.length + 32_000; at += 320) {
  const samples = Float32Array.from({ length: 320 }, (_, i) => (pcm[at + i] ?? 0) / 32768);
  session.send({ type: 'audio', samples });
  await clock.runFor(20);
}
await runtime.close();
await engine.close();
