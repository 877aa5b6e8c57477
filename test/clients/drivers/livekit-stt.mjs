/**
 * LiveKit's transcription: `?intent=transcription&model=…` and its own configuration. With a model that detects turns the server ends
 * them; with the plugin's own choice, which has none, its Silero detector does, and an error from the server would end the stream.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializeLogger, stt } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { AudioFrame } from '@livekit/rtc-node';
import wavefile from 'wavefile';
import { drive, fault, key, step, url } from './say.mjs';

const RATE_HZ = 8000;
const PACKET = RATE_HZ / 50;
const SECONDS = 5;
const REFUSED_WITHIN_MS = 1000;
const wav = new wavefile.WaveFile(
  readFileSync(join(import.meta.dirname, '../../fixtures/talk/six-turns.wav')),
);
wav.fromMuLaw();
const speech = wav.getSamples(false, Int16Array).subarray(0, RATE_HZ * SECONDS);

const [model] = process.argv.slice(4);
initializeLogger({ pretty: false, level: 'silent' });
await drive(async () => {
  const { START_OF_SPEECH, END_OF_SPEECH } = stt.SpeechEventType;
  const recogniser = new openai.STT({ baseURL: `${url}/v1`, apiKey: key, model, useRealtime: true });
  recogniser.on('error', ({ error }) => fault(error));
  const stream = recogniser.stream();
  for (let at = 0; at < speech.length; at += PACKET)
    stream.pushFrame(new AudioFrame(speech.slice(at, at + PACKET), RATE_HZ, 1, PACKET));
  for await (const { type } of stream) {
    if (type === START_OF_SPEECH) step('heard');
    if (type === END_OF_SPEECH) break;
  }
  step('ended');
  // What the plugin commits now must not be refused.
  await new Promise(resolve => setTimeout(resolve, REFUSED_WITHIN_MS));
});
