/** LiveKit's plugin: its realtime model without a room. */
import { initializeLogger } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { AudioFrame } from '@livekit/rtc-node';
import { drive, fault, key, packets, speech, step, until, url } from './say.mjs';

initializeLogger({ pretty: false, level: 'silent' });
await drive(async () => {
  const model = new openai.realtime.RealtimeModel({
    ...{ baseURL: `${url}/v1`, apiKey: key, model: 'gpt-realtime' },
    turnDetection: { type: 'server_vad', silence_duration_ms: 400 },
  });
  const session = model.session();
  session.on('error', ({ error }) => fault(error));
  const next = (name, wanted = () => true) =>
    until(done => session.on(name, event => wanted(event) && done(event)), name);
  const of = type => next('openai_server_event_received', event => event.type === type);
  await of('session.updated');
  step('opened');
  const [generation, done] = [next('generation_created'), of('response.done')];
  for (const packet of packets(speech(1000, 800))) {
    const samples = new Int16Array(packet.buffer.slice(packet.byteOffset, packet.byteOffset + packet.length));
    session.pushAudio(new AudioFrame(samples, 24_000, 1, samples.length));
  }
  const { messageStream } = await generation;
  const { value: message } = await messageStream.getReader().read();
  const { value: frame } = await message.audioStream.getReader().read();
  if (frame.samplesPerChannel > 0) step('spoken');
  await done;
  await session.updateInstructions('Be briefer.');
  const reply = await session.generateReply('Say something.');
  if (reply) step('asked');
  await of('response.done');
  await session.close();
});
