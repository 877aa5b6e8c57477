/** `openai-realtime-api`, the client of the beta shape from which others were made. */
import { RealtimeClient } from 'openai-realtime-api';
import { drive, fault, key, packets, speech, step, until, wsUrl } from './say.mjs';

await drive(async () => {
  const client = new RealtimeClient({
    url: `${wsUrl}/v1/realtime`,
    apiKey: key,
    sessionConfig: { turn_detection: { type: 'server_vad', silence_duration_ms: 400 } },
  });
  client.realtime.on('server.error', event => fault(event.error));
  const next = type => until(done => client.realtime.once(`server.${type}`, done), type);
  const updated = next('session.updated');
  await client.connect();
  await client.waitForSessionCreated();
  await updated;
  step('opened');
  const done = next('response.done');
  for (const packet of packets(speech(1000, 600))) {
    client.appendInputAudio(
      new Int16Array(packet.buffer.slice(packet.byteOffset, packet.byteOffset + packet.length)),
    );
  }
  await done;
  const reply = client.conversation.getItems().find(item => item.role === 'assistant');
  if (reply.formatted.audio.length > 0 && reply.formatted.transcript.length > 0) step('spoken');
  const truncated = next('conversation.item.truncated');
  client.realtime.send('conversation.item.truncate', {
    item_id: reply.id,
    content_index: 0,
    audio_end_ms: 0,
  });
  await truncated;
  step('truncated');
  const written = next('response.done');
  client.sendUserMessageContent([{ type: 'input_text', text: 'In writing?' }]);
  const { response } = await written;
  if (response.output[0].content[0].transcript.length > 0) step('written');
  client.disconnect();
});
