/** On the wire, with the real library on both ends: a caller's network changes within a call. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { followChanges } from '../../../protocols/webrtc/ice-changes.ts';
import { loadWerift } from '../../../protocols/webrtc/libraries.ts';
import type { Peer, PeerListener, RtpIn } from '../../../protocols/webrtc/peer.ts';
import { weriftPeers } from '../../../protocols/webrtc/werift-peer.ts';
import { type LossyRelay, openLossyRelay } from '../../support/lossy-relay.ts';

const PATIENCE = { timeout: 20_000, interval: 5 };
const PACKET = { payload: Uint8Array.of(8, 0), timestamp: 0, marker: false };
const CANDIDATE = /^(a=candidate:.* 127\.0\.0\.1 )(\d+)( typ host.*)$/gm;

/** Of the library's own agent, and not in its public face. */
interface Checking {
  readonly nominated: { readonly responsesReceived: number } | undefined;
  checkStart(pair: unknown): void;
}

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

let peer: Peer;
let isOpen = false;
let heard: string[];
let packets: number;
let voices: RtpIn[];
let closed: string | null;

beforeEach(async () => {
  [isOpen, heard, packets, voices, closed] = [false, [], 0, [], null];
  const ignored = () => {};
  const listener: PeerListener = {
    ...{
      onConnected: ignored,
      onAlive: ignored,
      onPicture: ignored,
      onVoice: packet => void voices.push(packet),
    },
    ...{ onSenderReport: ignored, onText: ignored, onChannel: () => (isOpen = true) },
    onClosed: reason => (closed = reason),
  };
  const options = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
  peer = await (await weriftPeers(options))(listener);
  cleanUp.push(() => peer.close());
});

/** Reaches the peer over relays alone: each description that it is given names another. */
async function openCaller() {
  const library = await loadWerift();
  const { MediaStreamTrack, RTCPeerConnection, RTCRtpHeaderExtensionParameters } = library;
  const level = new RTCRtpHeaderExtensionParameters({ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' });
  const caller = new RTCPeerConnection({
    headerExtensions: { audio: [level] },
    ...{ iceServers: [], iceUseIpv6: false, bundlePolicy: 'max-bundle' },
    ...{ iceAdditionalHostAddresses: ['127.0.0.1'], iceInterfaceAddresses: { udp4: '127.0.0.1' } },
  });
  cleanUp.push(() => caller.close());
  const voice = new MediaStreamTrack({ kind: 'audio' });
  caller.addTransceiver(voice);
  caller.onTrack.once(track => track.onReceiveRtp.subscribe(() => void packets++));
  const channel = caller.createDataChannel('oai-events');
  channel.onMessage.subscribe(message => void heard.push(String(message)));
  const relays: LossyRelay[] = [];
  const negotiate = async () => {
    await caller.setLocalDescription(await caller.createOffer());
    // As a browser, that names no address.
    const answer = await peer.answer(
      caller.localDescription!.sdp.replace(/^a=(?:candidate:.*|end-of-candidates)\r\n/gm, ''),
    );
    let serverPort = 0;
    const relay = await openLossyRelay({ serverPort: () => serverPort, loss: 0, seed: 1 });
    cleanUp.push(() => relay.close());
    relays.push(relay);
    const sdp = answer.replace(CANDIDATE, (_line, before, port, after) => {
      serverPort = Number(port);
      return `${before}${relay.port}${after}`;
    });
    await caller.setRemoteDescription({ type: 'answer', sdp });
  };
  await negotiate();
  await expect.poll(() => isOpen, PATIENCE).toBe(true);
  // A browser keeps its way during a restart; this one has to be taught.
  for (const transport of caller.iceTransports) followChanges(transport);
  let sequence = 0;
  const say = () => {
    sequence += 1;
    const extensions = [{ id: level.id, payload: Buffer.of(0x80 | 30) }];
    const header = new library.RtpHeader({ sequenceNumber: sequence, extension: true, extensions });
    voice.writeRtp(new library.RtpPacket(header, Buffer.of(8, 0)));
    peer.sendVoice(PACKET);
    return sequence;
  };
  return { caller, channel, relays, negotiate, say };
}

it.each(['a packet', 'a check'])('what is sent goes where the caller is now, as %s says', async what => {
  const { caller, channel, relays } = await openCaller();
  peer.sendText('before');
  await expect.poll(() => heard, PATIENCE).toEqual(['before']);
  await relays[0].move();
  const agent = caller.iceTransports[0].connection as unknown as Checking;
  if (what === 'a packet') channel.send('here');
  // As a browser checks the way that it has chosen, again and again.
  else agent.checkStart(agent.nominated);
  // Sent once, not again and again until it arrives, as texts are.
  await expect
    .poll(() => {
      peer.sendVoice(PACKET);
      return packets;
    }, PATIENCE)
    .toBeGreaterThan(0);
});

it('what is asked before an ICE restart and answered after it does not lead back', async () => {
  const { caller, relays, negotiate, say } = await openCaller();
  const agent = caller.iceTransports[0].connection as unknown as Checking;
  const before = agent.nominated;
  const release = relays[0].hold();
  agent.checkStart(before);
  caller.iceTransports[0].restart();
  await negotiate();
  void caller.iceTransports[0].start();
  await expect.poll(() => agent.nominated, PATIENCE).toBeTruthy();
  const chosen = agent.nominated;
  const answers = before!.responsesReceived;
  release();
  await expect.poll(() => before!.responsesReceived, PATIENCE).toBe(answers + 1);
  expect(agent.nominated).toBe(chosen);
  say();
  await expect.poll(() => [packets, voices.length], PATIENCE).toEqual([1, 1]);
});

it('an ICE restart loses nothing, and the way before it is not needed after it', async () => {
  const { caller, relays, negotiate, say } = await openCaller();
  const names = new Set([caller.iceTransports[0].connection.remoteUsername]);
  let sent = 0;
  for (const round of [1, 2]) {
    const before = sent;
    const timer = setInterval(() => {
      sent = say();
    }, 5);
    cleanUp.push(() => clearInterval(timer));
    caller.iceTransports[0].restart();
    await negotiate();
    names.add(caller.iceTransports[0].connection.remoteUsername);
    void caller.iceTransports[0].start();
    await expect.poll(() => caller.iceTransports[0].connection.nominated, PATIENCE).toBeTruthy();
    expect(sent).toBeGreaterThan(before);
    await expect.poll(() => relays[round].passed, PATIENCE).toBeGreaterThan(20);
    clearInterval(timer);
    await expect.poll(() => [packets, voices.length], PATIENCE).toEqual([sent, sent]);
    relays[round - 1].close();
  }
  expect(new Set(voices.map(({ level }) => JSON.stringify(level)))).toEqual(
    new Set(['{"belowFullDb":30,"isVoice":true}']),
  );
  expect(names.size).toBe(3);
  expect(closed).toBeNull();
});
