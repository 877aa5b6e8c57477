/** `openai`: PACKAGE is the alias of the version, SHAPE `ga` or `beta`. */
import { drive, fault, key, packets, speech, step, until, url } from './say.mjs';

const [name, shape] = process.argv.slice(4);
const { default: OpenAI } = await import(name);
const { OpenAIRealtimeWS } = await import(`${name}/${shape === 'beta' ? 'beta/' : ''}realtime/ws`);

await drive(async () => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
  const models = await client.models.list();
  if (models.data.length === 1) step('models');
  const realtime = new OpenAIRealtimeWS({ model: 'any' }, client);
  realtime.on('error', fault);
  const next = type => until(done => realtime.once(type, done), type);
  await next('session.created');
  step('opened');
  const vad = { type: 'server_vad', silence_duration_ms: 400 };
  const updated = next('session.updated');
  realtime.send({
    type: 'session.update',
    session:
      shape === 'beta'
        ? { modalities: ['text', 'audio'], turn_detection: vad, input_audio_format: 'pcm16' }
        : { type: 'realtime', audio: { input: { turn_detection: vad } } },
  });
  await updated;
  const sound = shape === 'beta' ? 'response.audio.delta' : 'response.output_audio.delta';
  const [delta, done] = [next(sound), next('response.done')];
  for (const packet of packets(speech(1000, 600))) {
    realtime.send({ type: 'input_audio_buffer.append', audio: packet.toString('base64') });
  }
  const { item_id } = await delta;
  if ((await done).response.status === 'completed') step('spoken');
  const truncated = next('conversation.item.truncated');
  realtime.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 0 });
  await truncated;
  step('truncated');
  const written = next('response.done');
  const content = [{ type: 'input_text', text: 'In writing?' }];
  realtime.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
  const asked = shape === 'beta' ? { modalities: ['text'] } : { output_modalities: ['text'] };
  realtime.send({ type: 'response.create', response: asked });
  const [item] = (await written).response.output;
  if (item.content[0].text.length > 0) step('written');
  const secrets = shape === 'beta' ? client.beta?.realtime?.sessions : client.realtime?.clientSecrets;
  if (secrets) {
    const made = await secrets.create(shape === 'beta' ? { model: 'any' } : {});
    if ((made.value ?? made.client_secret.value).startsWith('ek_')) step('key');
  }
  realtime.close();
});
