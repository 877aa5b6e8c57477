/** A page of somebody else's: the stock client of the Realtime protocol, with its stock WebRTC transport. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';

window.events = [];

/** A microphone that says what it is told, when it is told. */
const context = new AudioContext();
const mouth = context.createMediaStreamDestination();

window.say = async name => {
  const file = await fetch(`${name}.wav`);
  const source = context.createBufferSource();
  source.buffer = await context.decodeAudioData(await file.arrayBuffer());
  source.connect(mouth);
  source.start();
};

window.start = async () => {
  const secret = await fetch('/v1/realtime/client_secrets', { method: 'POST', body: '{}' });
  const { value: apiKey } = await secret.json();
  const { stream: mediaStream } = mouth;
  const camera = await navigator.mediaDevices.getUserMedia({ video: true });
  const transport = new OpenAIRealtimeWebRTC({
    baseUrl: `${location.origin}/v1/realtime/calls`,
    mediaStream,
    changePeerConnection: connection => {
      window.connection = connection;
      connection.addTrack(camera.getVideoTracks()[0], camera);
      return connection;
    },
  });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Guide', instructions: '' }), { transport });
  session.on('transport_event', event => window.events.push({ ...event, atMs: performance.now() }));
  session.on('error', ({ error }) => window.events.push({ type: 'client.error', error: String(error) }));
  await session.connect({ apiKey });
  window.session = session;
  return transport.callId;
};

window.sound = async () => {
  const reports = [...(await window.connection.getStats()).values()];
  const { totalAudioEnergy, packetsReceived } = reports.find(
    ({ type, kind }) => type === 'inbound-rtp' && kind === 'audio',
  );
  return { totalAudioEnergy, packetsReceived };
};
