/**
 * A page of somebody else's: the stock clients of the Realtime protocol and of GPT-Live, with their stock WebRTC
 * transports.
 */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { OpenAILiveWebRTC } from 'openai/lib/live/webrtc';

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

/** What the tool of this page was called with. */
window.called = [];
const setTimer = tool({
  name: 'set_timer',
  description: 'Sets a timer',
  strict: false,
  parameters: {
    type: 'object',
    properties: { minutes: { type: 'integer' } },
    required: ['minutes'],
    additionalProperties: true,
  },
  execute: given => {
    window.called.push(given);
    return 'set';
  },
});

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
      if (window.turn) connection.setConfiguration({ iceServers: window.turn, iceTransportPolicy: 'relay' });
      connection.addTrack(camera.getVideoTracks()[0], camera);
      return connection;
    },
  });
  const session = new RealtimeSession(
    new RealtimeAgent({ name: 'Guide', instructions: '', tools: [setTimer] }),
    { transport },
  );
  session.on('transport_event', event => window.events.push({ ...event, atMs: performance.now() }));
  session.on('error', ({ error }) => window.events.push({ type: 'client.error', error: String(error) }));
  await session.connect({ apiKey });
  window.session = session;
  return transport.callId;
};

window.startLive = async () => {
  window.events = [];
  const live = new OpenAILiveWebRTC();
  window.connection = live.peerConnection;
  const [voice] = mouth.stream.getAudioTracks();
  live.peerConnection.addTrack(voice, mouth.stream);
  live.peerConnection.ontrack = ({ streams }) => {
    const speaker = new Audio();
    speaker.srcObject = streams[0];
    void speaker.play();
  };
  live.onEvent(event => window.events.push({ ...event, atMs: performance.now() }));
  live.onConnectionEvent(event => window.events.push({ ...event, type: `connection.${event.type}` }));
  let id;
  await live.connect({
    exchangeSdp: async (sdp, { signal }) => {
      const body = JSON.stringify({ session: { model: 'gpt-live-1' }, transport: { type: 'webrtc', sdp } });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch('/v1/live/sessions', { method: 'POST', headers, body, signal });
      const { session, transport } = await answer.json();
      id = session.id;
      return transport.sdp;
    },
  });
  window.live = live;
  return id;
};

window.sound = async () => {
  const reports = [...(await window.connection.getStats()).values()];
  const { totalAudioEnergy, packetsReceived } = reports.find(
    ({ type, kind }) => type === 'inbound-rtp' && kind === 'audio',
  );
  return { totalAudioEnergy, packetsReceived };
};

/** Digits, by RFC 4733. A microphone that says nothing sends no packets, and none of these either, so it hums. */
window.press = digits => {
  const hum = new OscillatorNode(context, { frequency: 100 });
  hum.connect(new GainNode(context, { gain: 0.001 })).connect(mouth);
  hum.start();
  const sender = window.connection.getSenders().find(({ track }) => track?.kind === 'audio');
  sender.dtmf.insertDTMF(digits, 100, 70);
};

/** The kinds of our candidates over which packets go. */
window.ways = async () => {
  const reports = [...(await window.connection.getStats()).values()];
  const used = reports.filter(
    ({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded',
  );
  const kinds = used.map(pair => reports.find(({ id }) => id === pair.localCandidateId).candidateType);
  return [...new Set(kinds)];
};

/** A screen as a second track of pictures, by an offer within the call. */
window.share = async callId => {
  const screen = await navigator.mediaDevices.getDisplayMedia({ video: true });
  const { connection } = window;
  connection.addTrack(screen.getVideoTracks()[0], screen);
  await connection.setLocalDescription();
  const answer = await fetch(`/v1/realtime/calls/${callId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/sdp' },
    body: connection.localDescription.sdp,
  });
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
};
