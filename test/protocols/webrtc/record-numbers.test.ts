/** On the wire, with the real library on both ends. */
import dgram from 'node:dgram';
import { afterEach, expect, it, vi } from 'vitest';
import type { Peer, PeerListener } from '../../../protocols/webrtc/peer.ts';
import { loadWerift } from '../../../protocols/webrtc/libraries.ts';
import { weriftPeers } from '../../../protocols/webrtc/werift-peer.ts';

const TEXTS = Array.from({ length: 40 }, (_, n) => `event ${n}`);
/** RFC 6347 §4.1: content type, version, epoch, number, length. */
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** Of a handshake message, behind the header: what is before the part that is sent again. */
const HELLO_VERIFY = 3;
const HEADER_BYTES = 13;

interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  readonly number: number;
}

/** Of one datagram; none where it is STUN or sound. */
function recordsOf(datagram: Uint8Array): DtlsRecord[] {
  const bytes = Buffer.from(datagram);
  const records: DtlsRecord[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const type = bytes[at];
    if (type < 20 || type > APPLICATION_DATA) break;
    records.push({ type, epoch: bytes.readUInt16BE(at + 3), number: bytes.readUIntBE(at + 5, 6) });
    at += HEADER_BYTES + bytes.readUInt16BE(at + 11);
  }
  return records;
}

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
  vi.restoreAllMocks();
});

it.each([
  ['', false],
  [', where the peer’s handshake comes once more when the call stands', true],
])(
  'no record has a number that an earlier one of its epoch had: receivers drop it%s',
  async (_when, isAgain) => {
    const sent = new Map<number, DtlsRecord[]>();
    const handshakes: { readonly socket: dgram.Socket; readonly given: unknown[] }[] = [];
    const send = dgram.Socket.prototype.send;
    vi.spyOn(dgram.Socket.prototype, 'send').mockImplementation(function (this: dgram.Socket, ...given) {
      const [message] = given as unknown[];
      if (message instanceof Uint8Array) {
        const { port } = this.address();
        const records = recordsOf(message);
        sent.set(port, [...(sent.get(port) ?? []), ...records]);
        if (
          records.some(({ type, epoch }) => type === HANDSHAKE && epoch === 0) &&
          message[HEADER_BYTES] !== HELLO_VERIFY
        )
          handshakes.push({ socket: this, given: given.with(0, Buffer.from(message)) });
      }
      return Reflect.apply(send, this, given);
    });

    let isOpen = false;
    const ignored = () => {};
    const listener: PeerListener = {
      ...{ onConnected: ignored, onAlive: ignored, onVoice: ignored, onPicture: ignored },
      ...{ onSenderReport: ignored, onText: ignored, onClosed: ignored, onChannel: () => (isOpen = true) },
    };
    const options = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
    const peer: Peer = await (await weriftPeers(options))(listener);
    cleanUp.push(() => peer.close());

    const { RTCPeerConnection } = await loadWerift();
    const caller = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    cleanUp.push(() => caller.close());
    caller.addTransceiver('audio');
    const channel = caller.createDataChannel('oai-events');
    const heard: string[] = [];
    channel.onMessage.subscribe(message => void heard.push(String(message)));
    await caller.setLocalDescription(await caller.createOffer());
    const answer = await peer.answer(caller.localDescription!.sdp);
    await caller.setRemoteDescription({ type: 'answer', sdp: answer });
    await expect.poll(() => isOpen, { timeout: 60_000 }).toBe(true);
    // Which pair of sockets they settle on is theirs to choose; they may change it.
    const offered = [...caller.localDescription!.sdp.matchAll(/ (\d+) typ host/g)];
    const ofCaller = new Set(offered.map(([, port]) => Number(port)));
    const theirs = handshakes.filter(({ socket }) => ofCaller.has(socket.address().port));
    expect(theirs.length).toBeGreaterThan(0);
    if (isAgain) for (const { socket, given } of theirs) Reflect.apply(send, socket, given);
    for (const text of TEXTS) {
      peer.sendText(text);
      if (isAgain) await expect.poll(() => heard.at(-1), { timeout: 60_000, interval: 5 }).toBe(text);
    }
    await expect.poll(() => heard, { timeout: 60_000 }).toEqual(TEXTS);
    const ours = [...sent]
      .filter(([port]) => !ofCaller.has(port))
      .flatMap(([, records]) => records.filter(({ epoch }) => epoch === 1));
    // The handshake's own last message is among them, sent again or not.
    expect(ours.some(({ type }) => type === HANDSHAKE)).toBe(true);
    const finished = new Set(ours.filter(({ type }) => type === HANDSHAKE).map(({ number }) => number));
    const numbers = ours.filter(({ type }) => type !== HANDSHAKE).map(({ number }) => number);
    expect(numbers.length).toBeGreaterThan(TEXTS.length / 2);
    expect(numbers.filter(number => finished.has(number))).toEqual([]);
    expect(new Set(numbers).size).toBe(numbers.length);
  },
  120_000,
);
