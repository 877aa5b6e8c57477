/** LiveKit's model of GPT-Live without a room: a conversation with an interruption, a tool, a mute and a reconnect. */
import { initializeLogger, llm } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { AudioFrame } from '@livekit/rtc-node';
import { drive, fault, key, speech, step, until, url } from './say.mjs';

initializeLogger({ pretty: false, level: 'silent' });
const FRAME = 2400;

/** Silence goes on as from an open microphone: the plugin counts by what it is given. */
function microphone(session) {
  let queue = Buffer.alloc(0);
  const timer = setInterval(() => {
    const bytes = Buffer.concat([queue.subarray(0, 2 * FRAME), Buffer.alloc(2 * FRAME)]).subarray(
      0,
      2 * FRAME,
    );
    queue = queue.subarray(2 * FRAME);
    const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    session.pushAudio(new AudioFrame(samples, 24_000, 1, FRAME));
  }, 100);
  return { say: ms => void (queue = speech(ms, 0)), stop: () => clearInterval(timer) };
}

/** What the line says: the next sound, and the next half second of silence. */
function ear(session) {
  const waiting = new Set();
  let quietMs = 0;
  void (async () => {
    for await (const { frame } of session.audioStream) {
      const isLoud = frame.data.some(sample => sample !== 0);
      quietMs = isLoud ? 0 : quietMs + (frame.samplesPerChannel * 1000) / frame.sampleRate;
      for (const one of [...waiting]) {
        if (one.wantsSound ? !isLoud : quietMs < 500) continue;
        waiting.delete(one);
        one.done();
      }
    }
  })().catch(fault);
  const wait = (wantsSound, what) => until(done => waiting.add({ wantsSound, done }), what, 20_000);
  return { sound: what => wait(true, `sound: ${what}`), silence: what => wait(false, `silence: ${what}`) };
}

await drive(async () => {
  const model = new openai.realtime.GPTLiveModel({
    ...{ baseURL: `${url}/v1`, apiKey: key, delegation: 'responses' },
    responsesOptions: { model: 'backend' },
  });
  const session = model.session();
  session.on('error', ({ error, recoverable }) => recoverable || fault(error));
  const next = (name, wanted = () => true) =>
    until(done => session.on(name, event => wanted(event) && done(event)), name, 20_000);
  const of = type => next('openai_server_event_received', event => event.type === type);
  const weather = llm.tool({ name: 'weather', description: 'The weather', execute: async () => 'sunny' });
  const started = of('session.started');
  // As the framework does it for an agent.
  await session._updateSession('Be brief.', undefined, new llm.ToolContext([weather]));
  await started;
  step('opened');
  const [mouth, heard] = [microphone(session), ear(session)];
  // The voice model hands over; the backend calls a function of ours, and its answer is spoken.
  const called = next('function_call');
  mouth.say(1000);
  const { callId, name } = await called;
  if (name === 'weather') step('called');
  const done = of('response.event');
  const output = { callId, name, output: 'sunny', isError: false };
  await session._appendItems([llm.FunctionCallOutput.create(output)]);
  await done;
  await heard.sound('the answer');
  step('spoken');
  mouth.say(900);
  await heard.silence('interrupted');
  step('interrupted');
  await heard.sound('what interrupted');
  const muted = of('session.input_audio.muted');
  session.muteInput();
  await muted;
  session.unmuteInput();
  await of('session.input_audio.unmuted');
  step('muted');
  const again = next('session_reconnected');
  session.ws.terminate();
  await again;
  step('reconnected');
  mouth.stop();
  await session.close();
});
