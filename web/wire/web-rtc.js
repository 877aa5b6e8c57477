import { keepWay } from './network-change.js';

/**
 * A protocol over WebRTC (docs/video-call.md): events on a data channel, the voices, the camera and the screen on
 * tracks. The server owns play-out and tells of it.
 *
 * @typedef {object} Media
 * @property {() => MediaStreamTrack | null} microphone
 * @property {(name: 'camera' | 'screen') => MediaStreamTrack | null} shown
 * @property {(stream: MediaStream) => void} onSound the agent's voice
 *
 * @typedef {object} Network
 * @property {number | null} roundTripMs
 * @property {number | null} jitterBufferMs what this browser holds back to play without gaps, in the mean of late
 */

/** From the server's answer to the first packet; a network that lets no UDP pass says nothing. */
const NO_WAY_MS = 6000;
/** From there to the first event. */
const GIVE_UP_MS = 15_000;
/** A picture is asked for twice a second: more would be for nothing. */
const PICTURES = { maxBitrate: 600_000, maxFramerate: 10 };
/** Writing has to be read. */
const SCREEN = { maxBitrate: 1_500_000, maxFramerate: 5 };
const CLOSED = 1006;
const REACHED = new Set(['connected', 'completed']);

/**
 * @param {import('./doors.js').Door} door
 * @param {string} key an API key; empty where the server wants none
 * @param {import('./web-socket.js').TransportListener} listener `onClose` with the reason `refused` where the server
 * answered so
 * @param {Media} media
 * @returns {import('./web-socket.js').Transport}
 */
export function openWebRtc(door, key, { onOpen, onText, onClose }, media) {
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel('oai-events');
  const voice = peer.addTransceiver(media.microphone() ?? 'audio', { direction: 'sendrecv' });
  const pictures = {
    camera: peer.addTransceiver('video', { direction: 'sendonly', sendEncodings: [PICTURES] }),
    screen: peer.addTransceiver('video', { direction: 'sendonly', sendEncodings: [SCREEN] }),
  };
  for (const name of /** @type {const} */ (['camera', 'screen']))
    void pictures[name].sender.replaceTrack(media.shown(name));
  let over = false;
  const end = reason => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    stopWatch();
    peer.close();
    onClose(CLOSED, reason);
  };
  let timer = 0;
  let stopWatch = () => {};
  const wait = () => {
    timer = setTimeout(() => {
      if (!REACHED.has(peer.iceConnectionState)) return end('no connection');
      timer = setTimeout(() => end('no channel'), GIVE_UP_MS);
    }, NO_WAY_MS);
  };
  peer.ontrack = ({ streams }) => media.onSound(streams[0]);
  peer.onconnectionstatechange = () => peer.connectionState === 'failed' && end('the network failed');
  channel.onopen = () => {
    clearTimeout(timer);
    onOpen();
  };
  channel.onmessage = ({ data }) => onText(data);
  channel.onclose = () => end('the server ended the call');
  let answeredMs = 0;
  const answered = () => {
    answeredMs = performance.now();
  };
  call(peer, door, key, answered).then(
    location => {
      if (over) return;
      if (location)
        stopWatch = keepWay(
          peer,
          sdp => change(location, key, sdp),
          () => end('the call is gone'),
        );
      if (channel.readyState !== 'open') wait();
    },
    error => end(error.message),
  );
  return {
    kind: 'WebRTC',
    carriesMedia: true,
    send: text => channel.send(text),
    isOpen: () => channel.readyState === 'open',
    backlogBytes: () => channel.bufferedAmount,
    useMicrophone: track => void voice.sender.replaceTrack(track),
    show: (name, track) => void pictures[name].sender.replaceTrack(track),
    network: () => networkOf(peer),
    sinceAnswerMs: () => performance.now() - answeredMs,
    close: () => {
      over = true;
      clearTimeout(timer);
      stopWatch();
      peer.close();
      onClose(1000, 'OK');
    },
  };
}

/**
 * @param {RTCPeerConnection} peer @param {import('./doors.js').Door} door @param {string} key @param {() => void}
 * onAnswered
 * @returns {Promise<string | null>} where the call is to be found
 */
async function call(peer, door, key, onAnswered) {
  await peer.setLocalDescription();
  const answer = await fetch(door.callPath, {
    method: 'POST',
    headers: headers(door.offerType, key),
    body: door.offer(peer.localDescription?.sdp ?? ''),
  });
  const text = await answer.text();
  onAnswered();
  // 404: no such door here; anything else is no matter of the transport's.
  if (!answer.ok) throw new Error(answer.status === 404 ? 'not offered' : 'refused');
  await peer.setRemoteDescription({ type: 'answer', sdp: door.answer(text) });
  return answer.headers.get('location');
}

/** @returns {Promise<string | null>} the answer to an offer within a call; null: there is no such call */
async function change(location, key, sdp) {
  const answer = await fetch(location, {
    method: 'PATCH',
    headers: headers('application/sdp', key),
    body: sdp,
  });
  return answer.ok ? await answer.text() : null;
}

const headers = (type, key) => ({ 'content-type': type, ...(key ? { authorization: `Bearer ${key}` } : {}) });

/** @param {RTCPeerConnection} peer @returns {Promise<Network>} */
async function networkOf(peer) {
  /** @type {Network} */
  const network = { roundTripMs: null, jitterBufferMs: null };
  for (const report of (await peer.getStats()).values()) {
    if (report.type === 'candidate-pair' && report.nominated && report.currentRoundTripTime !== undefined)
      network.roundTripMs = report.currentRoundTripTime * 1000;
    if (report.type === 'inbound-rtp' && report.kind === 'audio' && report.jitterBufferEmittedCount > 0)
      network.jitterBufferMs = (report.jitterBufferDelay / report.jitterBufferEmittedCount) * 1000;
  }
  return network;
}
