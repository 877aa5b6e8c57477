/** WebRTC calls over the real door, session and control, with a peer in memory and scripted models, in virtual time. */
import { readFileSync } from 'node:fs';
import { silentLogger } from '../../actors/core/index.ts';
import type { SessionSettings } from '../../actors/index.ts';
import type { ConnectionListener } from '../../protocols/connection.ts';
import type { DoorContext } from '../../protocols/door.ts';
import { WorkQuota } from '../../protocols/guard/index.ts';
import { AllowedAddresses } from '../../protocols/mcp/index.ts';
import { PictureDecoder } from '../../protocols/realtime/index.ts';
import { Authentication } from '../../protocols/server/authentication.ts';
import { RouteTable } from '../../protocols/server/http-host.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import { Readiness } from '../../protocols/server/readiness.ts';
import { Switchboard } from '../../protocols/switchboard.ts';
import type { HttpAnswer } from '../../protocols/server/socket-server.ts';
import { liveDoor } from '../../protocols/live/live-door.ts';
import { type RunningCalls, webRtcDoor } from '../../protocols/webrtc/index.ts';
import type { OpusLibrary } from '../../protocols/media/index.ts';
import type { Peer, PeerListener, RtpIn, VoiceOut } from '../../protocols/webrtc/peer.ts';
import { type RigOptions, SessionRig } from './session-rig.ts';

/** What Chromium 156 offers: sound both ways, its camera, a channel for events. */
export const OFFER = readFileSync(new URL('../fixtures/webrtc/chromium-156.sdp', import.meta.url), 'utf8');

const PACKET_MS = 20;
const TICKS = 960;
const SPEECH_LEVEL = 0.1;
const OPUS_TYPE = 111;
const KEY_TYPE = 110;
const VOICE_SSRC = 1111;
/** One frame of 20 ms (RFC 6716 §3.1). */
const TOC = 1 << 3;

/** As Opus, but a packet says its level in plain, and its copy of the one before in the next byte. */
const plainOpus: OpusLibrary = {
  decoder: async () => ({
    decode: packet => level(packet[1]),
    recover: (next, ms) => (next[2] === 255 ? level(1, ms) : level(next[2], ms)),
    conceal: ms => level(1, ms),
    free() {},
  }),
  encoder: async () => ({
    encode: samples => Uint8Array.of(TOC, Math.round(Math.abs(samples[0]) * 250)),
    free() {},
  }),
};

const level = (byte: number, ms = PACKET_MS) => new Float32Array(ms * 16).fill(byte / 1000);

/** A caller's peer: what it was sent, and what it sends. */
export class MemoryPeer implements Peer {
  readonly listener: PeerListener;
  readonly voice: (VoiceOut & { readonly atMs: number })[] = [];
  readonly keyFrames: { readonly ssrc: number; readonly atMs: number }[] = [];
  readonly texts: (Record<string, unknown> & { readonly type: string; readonly atMs: number })[] = [];
  readonly candidates: string[] = [];
  readonly offers: string[] = [];
  closed = false;
  acknowledged = true;
  roundTrip: number | null = 30;
  readonly #nowMs: () => number;

  constructor(listener: PeerListener, nowMs: () => number) {
    this.listener = listener;
    this.#nowMs = nowMs;
  }

  async answer(offer: string): Promise<string> {
    this.offers.push(offer);
    return offer.replace('a=setup:actpass', 'a=setup:active');
  }

  async addCandidate(candidate: string): Promise<void> {
    this.candidates.push(candidate);
  }

  sendVoice(packet: VoiceOut): void {
    this.voice.push({ ...packet, atMs: this.#nowMs() });
  }

  requestKeyFrame(ssrc: number): void {
    this.keyFrames.push({ ssrc, atMs: this.#nowMs() });
  }

  sendText(text: string): void {
    this.texts.push({ ...JSON.parse(text), atMs: this.#nowMs() });
  }

  isAcknowledged(): boolean {
    return this.acknowledged;
  }

  unsentBytes(): number {
    return 0;
  }

  async roundTripMs(): Promise<number | null> {
    return this.roundTrip;
  }

  close(): void {
    this.closed = true;
  }
}

export class RtcRig extends SessionRig {
  readonly metrics = new Metrics(this.runtime);
  readonly routes = new RouteTable(silentLogger, this.metrics);
  readonly authentication: Authentication;
  readonly peers: MemoryPeer[] = [];
  readonly logged: string[] = [];
  #calls: RunningCalls | null = null;
  readonly #context: DoorContext;
  readonly #mcpAllow: AllowedAddresses;

  constructor(
    options: RigOptions = {},
    defaults: Partial<SessionSettings> = {},
    keys: readonly string[] = [],
    mcpAllow: readonly string[] = [],
  ) {
    super({ quietBelow: 0.01, ...options });
    this.#mcpAllow = new AllowedAddresses(mcpAllow);
    const { metrics, routes: host, clock, runtime } = this;
    this.authentication = new Authentication({ host: '127.0.0.1', keys, allowedOrigins: [], clock });
    const keep = (values: object, text: string) =>
      void this.logged.push(`${text} ${(values as { reason?: string }).reason ?? ''}`.trim());
    this.#context = {
      ...{ host, runtime, metrics, clock, modelName: 'test', unixTimeMs: () => 0 },
      sessionDefaults: defaults,
      log: { debug() {}, info: keep, warn: keep, error: keep },
      readiness: new Readiness(runtime, clock),
      switchboard: new Switchboard(() => 0),
      authentication: this.authentication,
      quota: new WorkQuota(clock),
      limits: { maxUnsentBytes: 1 << 20, idleMs: 60_000, lifetimeMs: 3_600_000 },
    };
  }

  async openDoor(): Promise<void> {
    const openPeer = async (listener: PeerListener) => {
      const peer = new MemoryPeer(listener, () => this.clock.nowMs());
      this.peers.push(peer);
      return peer;
    };
    const options = { iceServers: [], hosts: [], relayOnly: false, ports: null, openPeer, opus: plainOpus };
    const realtime = { ...this.#context, pictures: new PictureDecoder(0), mcpAllow: this.#mcpAllow };
    const door = webRtcDoor(options, realtime, this.#context, calls => {
      this.#calls = calls;
    });
    await door.open(this.#context);
    await liveDoor(this.#context, () => this.#calls?.live ?? null).open(this.#context);
  }

  async request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body: string | Buffer = '',
  ): Promise<HttpAnswer> {
    return await this.routes.answer({
      ...{ method, path, query: new URLSearchParams() },
      headers: new Map(Object.entries({ host: 'localhost:8080', ...headers })),
      body: Buffer.from(body),
    });
  }

  /** A caller who is connected, with an open channel. */
  async call(path = '/v1/realtime/calls', offer = OFFER): Promise<RtcCaller> {
    const answer = await this.request('POST', path, { 'content-type': 'application/sdp' }, offer);
    if (answer.status !== 201) throw new Error(`Refused: ${answer.status} ${String(answer.body)}`);
    const caller = new RtcCaller(this, this.peers.at(-1)!, answer.headers.location);
    caller.peer.listener.onConnected();
    if (offer.includes('m=application')) caller.peer.listener.onChannel();
    return caller;
  }

  /** The same, whose call carries the GPT-Live protocol. */
  async liveCall(session: object = {}): Promise<RtcCaller> {
    const transport = { type: 'webrtc', sdp: OFFER };
    const body = JSON.stringify({ session: { model: 'gpt-live-1', ...session }, transport });
    const answer = await this.request('POST', '/v1/live/sessions', {}, body);
    if (answer.status !== 201) throw new Error(`Refused: ${answer.status} ${String(answer.body)}`);
    const caller = new RtcCaller(this, this.peers.at(-1)!, answer.headers.location);
    caller.peer.listener.onConnected();
    caller.peer.listener.onChannel();
    return caller;
  }

  attach(callId: string, side: { texts: string[]; closed: string | null }): ConnectionListener | null {
    const attach = callId.startsWith('live_') ? this.#calls?.live.attach : this.#calls?.find;
    return (
      attach?.(callId)?.({
        send: text => void side.texts.push(String(text)),
        unsentBytes: () => 0,
        pauseReading() {},
        close: (_code, reason) => {
          side.closed = reason;
        },
      }) ?? null
    );
  }
}

/** A person in front of a browser. */
export class RtcCaller {
  readonly peer: MemoryPeer;
  readonly location: string;
  readonly #rig: RtcRig;
  #sequence = 65_530;
  #timestamp = 2 ** 32 - 5 * TICKS;
  #before = 255;

  constructor(rig: RtcRig, peer: MemoryPeer, location: string) {
    this.#rig = rig;
    this.peer = peer;
    this.location = location;
  }

  get id(): string {
    return this.location.split('/').at(-1)!;
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.peer.listener.onText(JSON.stringify(event));
  }

  all(type: string) {
    return this.peer.texts.filter(event => event.type === type);
  }

  async say(ms: number, isLost: (index: number) => boolean = () => false): Promise<void> {
    await this.#packets(ms, SPEECH_LEVEL, isLost);
  }

  async silence(ms: number, isLost: (index: number) => boolean = () => false): Promise<void> {
    await this.#packets(ms, 0, isLost);
  }

  /**
   * Speech, then silence, each packet so much later than it was full as is said; null: it is lost. Says when the last
   * of the speech was spoken.
   */
  async sayOver(
    speechMs: number,
    silenceMs: number,
    delayMs: (index: number) => number | null,
  ): Promise<number> {
    const { clock } = this.#rig;
    const beganMs = clock.nowMs();
    for (let index = 0; index * PACKET_MS < speechMs + silenceMs; index++) {
      const delay = delayMs(index);
      const byte = Math.round((index * PACKET_MS < speechMs ? SPEECH_LEVEL : 0) * 1000);
      const [timestamp, payload] = [this.#timestamp, Buffer.from([TOC, byte, this.#before])];
      this.#before = byte;
      const sequence = this.#next();
      const fullMs = (index + 1) * PACKET_MS;
      if (delay !== null)
        clock.setTimer(fullMs + delay, () => this.#packet(OPUS_TYPE, timestamp, payload, sequence));
      this.#timestamp = (timestamp + TICKS) % 2 ** 32;
    }
    await clock.runFor(speechMs + silenceMs);
    return beganMs + speechMs;
  }

  /** Time passes, and nothing is sent; the microphone's clock goes on. */
  async mute(ms: number): Promise<void> {
    await this.#rig.clock.runFor(ms);
    this.#timestamp = (this.#timestamp + ms * 48) % 2 ** 32;
  }

  /** As Chromium does it: the key's packets instead of the voice's, the end three times. */
  async press(event: number, ms = 100): Promise<void> {
    const begunAt = this.#timestamp;
    const payload = (end: boolean) => Buffer.from([event, end ? 0x80 : 0, 0, 0]);
    for (let at = 0; at < ms; at += PACKET_MS) {
      await this.#rig.clock.runFor(PACKET_MS);
      this.#packet(KEY_TYPE, begunAt, payload(false));
    }
    for (let i = 0; i < 3; i++) this.#packet(KEY_TYPE, begunAt, payload(true));
    this.#timestamp = (this.#timestamp + (ms + 40) * 48) % 2 ** 32;
  }

  /** The agent's speech so far, in milliseconds of packets; the silence behind it is none. */
  get heardMs(): number {
    return (this.peer.voice.findLastIndex(({ payload }) => payload[1] > 0) + 1) * PACKET_MS;
  }

  async #packets(ms: number, volume: number, isLost: (index: number) => boolean): Promise<void> {
    for (let index = 0; index * PACKET_MS < ms; index++) {
      await this.#rig.clock.runFor(PACKET_MS);
      const byte = Math.round(volume * 1000);
      const payload = Buffer.from([TOC, byte, this.#before]);
      this.#before = byte;
      if (isLost(index)) this.#next();
      else this.#packet(OPUS_TYPE, this.#timestamp, payload);
      this.#timestamp = (this.#timestamp + TICKS) % 2 ** 32;
    }
  }

  #next(): number {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    return sequence;
  }

  #packet(payloadType: number, timestamp: number, payload: Buffer, sequence = this.#next()): void {
    const packet: RtpIn = {
      ...{ ssrc: VOICE_SSRC, payloadType, sequence, timestamp, marker: false, payload },
    };
    this.peer.listener.onAlive();
    this.peer.listener.onVoice(packet);
  }
}
