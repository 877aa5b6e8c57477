/** Vercel's `ai` and `@ai-sdk/openai`: its realtime model's own events over its own URL, and its streaming transcription. */
import { createOpenAI } from '@ai-sdk/openai';
import { WebSocket } from 'ws';
import { drive, fault, key, packets, speech, step, until, url } from './say.mjs';

await drive(async () => {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
  const model = openai.experimental_realtime('gpt-realtime');
  const { token, url: address } = await openai.experimental_realtime.getToken({ model: 'gpt-realtime' });
  if (token.startsWith('ek_')) step('key');
  const { protocols } = model.getWebSocketConfig({ token, url: address });
  const socket = new WebSocket(address, protocols);
  const heard = [];
  let wake = () => {};
  socket.on('error', fault);
  socket.on('message', data => {
    const parsed = model.parseServerEvent(JSON.parse(data.toString()));
    for (const event of Array.isArray(parsed) ? parsed : [parsed]) {
      heard.push(event);
      if (event?.type === 'error') fault(event.message);
    }
    wake();
  });
  const next = async type => {
    for (;;) {
      const at = heard.findIndex(event => event?.type === type);
      if (at >= 0) return heard.splice(0, at + 1).at(-1);
      await until(done => {
        wake = done;
      }, type);
    }
  };
  const send = event => {
    const wire = model.serializeClientEvent(event);
    for (const one of Array.isArray(wire) ? wire : [wire]) if (one) socket.send(JSON.stringify(one));
  };
  await next('session-created');
  step('opened');
  const turnDetection = { type: 'server-vad', silenceDurationMs: 400 };
  send({ type: 'session-update', config: { instructions: 'Be brief.', turnDetection } });
  await next('session-updated');
  for (const packet of packets(speech(1000, 600))) {
    send({ type: 'input-audio-append', audio: packet.toString('base64') });
  }
  const { delta } = await next('audio-delta');
  if (delta.length > 0) step('spoken');
  await next('response-done');
  const content = { type: 'text-message', role: 'user', text: 'In writing?' };
  send({ type: 'conversation-item-create', item: content });
  send({ type: 'response-create' });
  await next('response-done');
  step('written');
  socket.close();
});
