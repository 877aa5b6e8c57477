/** `@openai/agents-realtime`: the stock session. */
import { drive, fault, key, packets, speech, step, until, wsUrl } from './say.mjs';

const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } = await import(process.argv[4]);

await drive(async () => {
  const transport = new OpenAIRealtimeWebSocket({ url: `${wsUrl}/v1/realtime?model=any` });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Guide', instructions: 'Be brief.' }), {
    transport,
  });
  session.on('error', fault);
  const next = type =>
    until(done => {
      const look = event => event.type === type && done(event);
      session.on('transport_event', look);
    }, type);
  const updated = next('session.updated');
  await session.connect({ apiKey: key });
  await updated;
  step('opened');
  const say = (ms, silenceMs) => {
    for (const packet of packets(speech(ms, silenceMs))) {
      session.sendAudio(packet.buffer.slice(packet.byteOffset, packet.byteOffset + packet.length));
    }
  };
  const sound = next('response.output_audio.delta');
  say(1200, 1000);
  await sound;
  step('spoken');
  const [interrupted, truncated] = [
    until(done => session.on('audio_interrupted', done), 'audio_interrupted'),
    next('conversation.item.truncated'),
  ];
  say(800, 0);
  await Promise.all([interrupted, truncated]);
  step('truncated');
  const second = next('response.done');
  say(0, 1200);
  await second;
  const third = next('response.done');
  session.sendMessage('And in writing?');
  await third;
  if (session.history.filter(item => item.type === 'message').length === 6) step('written');
  session.close();
});
