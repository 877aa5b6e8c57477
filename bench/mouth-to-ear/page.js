/**
 * Runs in the browser: a click every 407 ms into a call, and the time until it comes out of it, by one audio clock. The
 * track is fed by the page, so what devices take is not in it.
 */

/** No multiple of a packet's 20 ms, so that clicks stand everywhere in them. */
const CLICK_EVERY_S = 0.407;
const CLICK_S = 0.01;
const PITCH_HZ = 1000;
const LOUD = 0.05;
/** A click that is heard later is the next one's. */
const LONGEST_S = 0.38;
const SETTLE_S = 2;

const LISTENER = `
registerProcessor('listener', class extends AudioWorkletProcessor {
  process([[samples]]) {
    const at = samples ? samples.findIndex(sample => Math.abs(sample) > ${LOUD}) : -1;
    if (at >= 0) this.port.postMessage((currentFrame + at) / sampleRate);
    return true;
  }
});`;

/** @param {string} offer @returns {Promise<string>} of a peer in this page that sends back the track that it gets */
async function ownEcho(offer) {
  const peer = new RTCPeerConnection();
  window.echo = peer;
  const tracks = new Promise(resolve => {
    peer.ontrack = ({ track }) => resolve(track);
  });
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  const [{ sender }] = peer.getTransceivers();
  peer.getTransceivers()[0].direction = 'sendrecv';
  await sender.replaceTrack(await tracks);
  await peer.setLocalDescription(await peer.createAnswer());
  await gathered(peer);
  return peer.localDescription.sdp;
}

const gathered = peer =>
  new Promise(resolve => {
    const look = () => peer.iceGatheringState === 'complete' && resolve();
    peer.onicegatheringstatechange = look;
    look();
  });

/** How long the browser held back what it got, so far: milliseconds a sample, and samples. */
async function heldBack(peer) {
  const reports = [...(await peer.getStats()).values()];
  const voice = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  return [voice?.jitterBufferDelay ?? 0, voice?.jitterBufferEmittedCount ?? 0];
}

/**
 * Called from outside.
 *
 * @returns {Promise<{ clicksMs: number[], heldBackMs: number }>} a click each, and the browser's jitter buffer in the
 *   mean of them
 */
window.clicksThrough = async (where, clicks) => {
  const context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
  await context.audioWorklet.addModule(
    URL.createObjectURL(new Blob([LISTENER], { type: 'text/javascript' })),
  );
  const mouth = context.createMediaStreamDestination();
  const pitch = context.createOscillator();
  pitch.frequency.value = PITCH_HZ;
  const gain = context.createGain();
  gain.gain.value = 0;
  pitch.connect(gain).connect(mouth);
  pitch.start();

  const peer = new RTCPeerConnection();
  peer.createDataChannel('oai-events');
  peer.addTransceiver(mouth.stream.getAudioTracks()[0], { direction: 'sendrecv' });
  const sound = new Promise(resolve => {
    peer.ontrack = ({ track }) => resolve(new MediaStream([track]));
  });
  await peer.setLocalDescription();
  await gathered(peer);
  const { sdp } = peer.localDescription;
  const answer = where === 'page' ? await ownEcho(sdp) : await window.exchange(where, sdp);
  await peer.setRemoteDescription({ type: 'answer', sdp: answer });

  const stream = await sound;
  // Chromium lets nothing through that no element plays.
  const player = new Audio();
  player.muted = true;
  player.srcObject = stream;
  await player.play();
  const listener = new AudioWorkletNode(context, 'listener');
  context.createMediaStreamSource(stream).connect(listener).connect(context.destination);
  const heardS = [];
  listener.port.onmessage = ({ data }) => heardS.push(data);

  const firstS = context.currentTime + SETTLE_S;
  for (let i = 0; i < clicks; i++) {
    gain.gain.setValueAtTime(0.8, firstS + i * CLICK_EVERY_S);
    gain.gain.setValueAtTime(0, firstS + i * CLICK_EVERY_S + CLICK_S);
  }
  const passed = ms => new Promise(resolve => setTimeout(resolve, ms));
  await passed(SETTLE_S * 1000);
  const [beforeS, before] = await heldBack(peer);
  await passed((clicks + 1) * CLICK_EVERY_S * 1000);
  const [afterS, after] = await heldBack(peer);
  peer.close();
  window.echo?.close();
  await context.close();
  const clicksMs = Array.from({ length: clicks }, (_, i) => {
    const saidS = firstS + i * CLICK_EVERY_S;
    const first = heardS.find(atS => atS > saidS && atS < saidS + LONGEST_S);
    return first === undefined ? null : (first - saidS) * 1000;
  }).filter(ms => ms !== null);
  return { clicksMs, heldBackMs: ((afterS - beforeS) * 1000) / (after - before) };
};
