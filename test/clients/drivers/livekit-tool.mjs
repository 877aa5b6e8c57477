/** LiveKit's plugin with a tool of its own: the model calls it, its result goes into the history, the answer is asked for. */
import { initializeLogger, llm } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { AudioFrame } from '@livekit/rtc-node';
import { drive, fault, key, packets, speech, step, until, url } from './say.mjs';

const PATIENCE_MS = 25_000;

initializeLogger({ pretty: false, level: 'silent' });
await drive(async () => {
  const model = new openai.realtime.RealtimeModel({
    ...{ baseURL: `${url}/v1`, apiKey: key, model: 'gpt-realtime' },
    turnDetection: { type: 'server_vad', silence_duration_ms: 400 },
  });
  const session = model.session();
  session.on('error', ({ error }) => fault(error));
  const next = (name, wanted = () => true) =>
    until(done => session.on(name, event => wanted(event) && done(event)), name, PATIENCE_MS);
  const of = type => next('openai_server_event_received', event => event.type === type);
  const within = (promise, what) => until(done => void promise.then(done, fault), what, PATIENCE_MS);
  await of('session.updated');
  const setTimer = llm.tool({
    ...{ name: 'set_timer', description: 'Sets a timer.', execute: async () => 'set' },
    parameters: { type: 'object', properties: { minutes: { type: 'integer' } }, required: ['minutes'] },
  });
  const told = of('session.updated');
  await within(session.updateTools(new llm.ToolContext([setTimer])), 'updateTools');
  await told;
  step('opened');
  const [generation, done] = [next('generation_created'), of('response.done')];
  for (const packet of packets(speech(1000, 800))) {
    const samples = new Int16Array(packet.buffer.slice(packet.byteOffset, packet.byteOffset + packet.length));
    session.pushAudio(new AudioFrame(samples, 24_000, 1, samples.length));
  }
  const { functionStream } = await generation;
  const { value: call } = await within(functionStream.getReader().read(), 'the call');
  if (call.name === 'set_timer' && JSON.parse(call.args).minutes === 5) step('called');
  await done;
  const history = session.chatCtx.copy();
  const { callId, name } = call;
  history.insert(llm.FunctionCallOutput.create({ callId, name, output: 'set', isError: false }));
  await within(session.updateChatCtx(history), 'updateChatCtx');
  step('told');
  const answered = of('response.done');
  const { messageStream } = await within(session.generateReply(), 'generateReply');
  const { value: message } = await within(messageStream.getReader().read(), 'the answer');
  let text = '';
  for await (const part of message.textStream) text += typeof part === 'string' ? part : part.text;
  if (text === 'It is done.') step('answered');
  await answered;
  await within(session.close(), 'close');
});
