/** `@mastra/voice-openai-realtime`. */
import { PassThrough } from 'node:stream';
import { OpenAIRealtimeVoice } from '@mastra/voice-openai-realtime';
import { drive, fault, key, packets, speech, step, until, wsUrl } from './say.mjs';

await drive(async () => {
  const voice = new OpenAIRealtimeVoice({ url: `${wsUrl}/v1/realtime`, model: 'any', apiKey: key });
  voice.addInstructions('Be brief.');
  voice.on('error', fault);
  const next = type => until(done => voice.on(type, done), type);
  const updated = next('session.updated');
  await voice.connect();
  await updated;
  step('opened');
  const [speaking, done] = [next('speaking'), next('response.done')];
  const microphone = new PassThrough();
  await voice.send(microphone);
  for (const packet of packets(speech(1000, 1000))) microphone.write(packet);
  if ((await speaking).audio.length > 0) step('spoken');
  await done;
  const written = until(
    tell => voice.on('writing', event => event.role === 'assistant' && tell(event)),
    'writing',
  );
  await voice.speak('Say this.');
  await written;
  step('written');
  voice.close();
});
