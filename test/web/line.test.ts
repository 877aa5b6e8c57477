import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { liveDoor, REALTIME_DOOR } from '../../web/wire/doors.js';
import { Resumption } from '../../web/wire/resumption.js';
import { openLine } from '../../web/wire/line.js';

/** What the page remembers of this tab. */
let kept: Map<string, string>;
let answer: { status: number };
let isReachable: boolean;
let online: (() => void) | undefined;
let peers: FakePeer[];
let sockets: FakeSocket[];
let told: string[];
let asked: [path: string, body: string][];

class FakePeer {
  connectionState = 'new';
  iceConnectionState = 'checking';
  ontrack: unknown = null;
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  channel = {
    readyState: 'connecting',
    bufferedAmount: 0,
    sent: [] as string[],
    send: (text: string) => void this.channel.sent.push(text),
  } as {
    readyState: string;
    bufferedAmount: number;
    sent: string[];
    send: (text: string) => void;
    onopen?: () => void;
    onclose?: () => void;
  };
  localDescription = { sdp: 'offer' };
  constructor() {
    peers.push(this);
  }
  answered: unknown = null;
  createDataChannel() {
    return this.channel;
  }
  addTransceiver() {
    return { sender: { replaceTrack: async () => {} } };
  }
  restarts = 0;
  restartIce() {
    this.restarts += 1;
  }
  oniceconnectionstatechange: (() => void) | null = null;
  async setLocalDescription() {
    this.localDescription = { sdp: this.restarts === 0 ? 'offer' : `offer ${this.restarts}` };
  }
  async setRemoteDescription(answered: unknown) {
    this.answered = answered;
  }
  close() {
    this.closed = true;
  }
}

class FakeSocket {
  static OPEN = 1;
  readyState = 1;
  onopen: (() => void) | null = null;
  readonly url: URL;
  readonly offered: string[];
  constructor(url: URL, offered: string[]) {
    [this.url, this.offered] = [url, offered];
    sockets.push(this);
  }
  close() {}
}

beforeEach(() => {
  vi.useFakeTimers();
  kept = new Map();
  answer = { status: 201 };
  isReachable = true;
  [peers, sockets, told, asked] = [[], [], [], []];
  vi.stubGlobal('location', { href: 'http://localhost:8080/' });
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
  vi.stubGlobal('RTCPeerConnection', FakePeer);
  vi.stubGlobal('addEventListener', (_name: string, listener: () => void) => (online = listener));
  vi.stubGlobal('removeEventListener', () => (online = undefined));
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', async (path: string, { body }: { body: string }) => {
    asked.push([path, body]);
    if (!isReachable) throw new TypeError('unreachable');
    const text = path === REALTIME_DOOR.callPath ? 'answer' : '{"transport":{"sdp":"answer"}}';
    const headers = new Headers({ location: `${path}/one` });
    return { ok: answer.status < 300, status: answer.status, headers, text: async () => text };
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const listener = {
  onOpen: () => void told.push('open'),
  onText() {},
  onClose: (_code: number, reason: string) => void told.push(`closed: ${reason}`),
};
const media = { microphone: () => null, shown: () => null, onSound() {} };
const open = (choice: 'auto' | 'webrtc' | 'websocket', door = REALTIME_DOOR, key = '') =>
  openLine(choice, door, key, listener, media, new Resumption());

test('it is WebRTC where its channel opens', async () => {
  const line = open('auto');
  await vi.advanceTimersByTimeAsync(100);
  peers[0].channel.readyState = 'open';
  peers[0].channel.onopen?.();
  expect([line.kind, line.carriesMedia, line.isOpen()]).toEqual(['WebRTC', true, true]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([told, sockets.length]).toEqual([['open'], 0]);
  // What is lost later is the connection's to make good.
  peers[0].channel.onclose?.();
  expect(told).toEqual(['open', 'closed: the server ended the call']);
});

test.each([
  ['offers none', 404, 100],
  ['answers, and the network lets nothing pass', 201, 6100],
])('it is a WebSocket where the server %s, and is so at once the next time', async (_why, status, ms) => {
  answer = { status };
  const line = open('auto');
  await vi.advanceTimersByTimeAsync(ms);
  expect([line.kind, sockets.length, peers[0].closed]).toEqual(['WebSocket', 1, true]);
  sockets[0].onopen?.();
  expect(told).toEqual(['open']);
  expect(open('auto').kind).toBe('WebSocket');
  expect(peers).toHaveLength(1);
});

test('a refusal is no matter of the transport: the next line tries WebRTC again', async () => {
  answer = { status: 401 };
  open('auto');
  await vi.advanceTimersByTimeAsync(100);
  expect(sockets).toHaveLength(1);
  open('auto');
  expect(peers).toHaveLength(2);
});

test('who chose one gets that one', async () => {
  expect(open('websocket').kind).toBe('WebSocket');
  expect(peers).toHaveLength(0);
  answer = { status: 404 };
  open('webrtc');
  await vi.advanceTimersByTimeAsync(100);
  expect([told, sockets.length]).toEqual([['closed: not offered'], 1]);
});

test('each protocol has a door of its own, on both transports', async () => {
  const door = liveDoor(() => ({ model: 'any' }));
  open('webrtc', door);
  open('webrtc');
  await vi.advanceTimersByTimeAsync(100);
  const session = { session: { model: 'any' }, transport: { type: 'webrtc', sdp: 'offer' } };
  expect(asked.map(([path]) => path)).toEqual(['/v1/live/sessions', '/v1/realtime/calls']);
  expect(JSON.parse(asked[0][1])).toEqual(session);
  expect(peers.map(({ answered }) => answered)).toEqual(Array(2).fill({ type: 'answer', sdp: 'answer' }));
  open('websocket', door, 'sk');
  expect(sockets[0].url.href).toBe('ws://localhost:8080/v1/live/sessions');
  expect(sockets[0].offered).toEqual(['live', 'openai-insecure-api-key.sk']);
});

test('a call whose network changes goes on: it asks until the server is reached, or the call is no more', async () => {
  open('webrtc');
  await vi.advanceTimersByTimeAsync(100);
  peers[0].channel.readyState = 'open';
  peers[0].channel.onopen?.();
  const lose = () => {
    peers[0].iceConnectionState = 'disconnected';
    peers[0].oniceconnectionstatechange?.();
  };
  isReachable = false;
  lose();
  await vi.advanceTimersByTimeAsync(1100);
  // What says so again meanwhile is the same change.
  online?.();
  isReachable = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.slice(1)).toEqual(Array(4).fill(['/v1/realtime/calls/one', 'offer 1']));
  online?.();
  await vi.advanceTimersByTimeAsync(10);
  expect(asked.at(-1)).toEqual(['/v1/realtime/calls/one', 'offer 2']);
  expect([peers[0].restarts, told]).toEqual([2, ['open']]);

  answer = { status: 404 };
  lose();
  await vi.advanceTimersByTimeAsync(10);
  expect([told, online]).toEqual([['open', 'closed: the call is gone'], undefined]);
});
