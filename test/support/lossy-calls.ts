/**
 * WebRTC calls over lines that lose and scatter packets, in virtual time: the real call, jitter buffer and Opus at both
 * ends, between them a line of which each packet's fate is drawn from a seed.
 */
import { createRandom, silentLogger, type VirtualClock } from '../../actors/core/index.ts';
import type { Runtime, SessionSettings } from '../../actors/session-api.ts';
import type { TunableOpusLibrary } from '../../protocols/media/index.ts';
import { PictureDecoder } from '../../protocols/realtime/index.ts';
import type { CallProtocol } from '../../protocols/webrtc/call-protocol.ts';
import { WebRtcCalls } from '../../protocols/webrtc/calls.ts';
import type { PeerListener } from '../../protocols/webrtc/peer.ts';
import { MemoryPeer, OFFER } from './rtc-rig.ts';

const PACKET_MS = 20;
/** 24 kHz. */
const FRAME = 480;
const TICKS = 960;
const OPUS_TYPE = 111;

export interface LossyLine {
  /** 0–1, each packet by itself. */
  readonly loss: number;
  /** Each is so much later at most than the line's least, any as likely; so they overtake each other. */
  readonly jitterMs: number;
  /**
   * What a lost packet is made up from: the next one, which has it again (RFC 2198), the copy within Opus, or nothing.
   */
  readonly copies: 'red' | 'opus' | 'none';
  readonly seed: number;
}

export interface LossyCallsOptions {
  readonly runtime: Runtime;
  readonly clock: VirtualClock;
  readonly settings: Partial<SessionSettings>;
  readonly opus: TunableOpusLibrary;
}

/** When each packet is there, from the moment that it was full; null: never. */
function arrivals(count: number, { loss, jitterMs, copies, seed }: LossyLine): (number | null)[] {
  const random = createRandom(seed);
  const own = Array.from({ length: count }, () => {
    const [isLost, lateMs] = [random.next() < loss, random.next() * jitterMs];
    return isLost ? null : lateMs;
  });
  if (copies !== 'red') return own;
  return own.map((lateMs, n) => {
    const again = own[n + 1] ?? null;
    return again === null ? lateMs : Math.min(lateMs ?? Number.POSITIVE_INFINITY, PACKET_MS + again);
  });
}

async function packetsOf(speech: Float32Array, opus: TunableOpusLibrary, hasCopies: boolean) {
  const encoder = await opus.encoder();
  encoder.use({ maxBitrate: null, fec: hasCopies, maxPlaybackHz: 24_000, constantBitrate: false });
  const packets: Buffer[] = [];
  for (let at = 0; at + FRAME <= speech.length; at += FRAME)
    packets.push(Buffer.from(encoder.encode(speech.subarray(at, at + FRAME))));
  encoder.free();
  return packets;
}

/** Each speech (24 kHz, with the silence behind it) is a call of its own, all at once. Says what each was answered. */
export async function answersOver(
  line: LossyLine,
  speeches: readonly Float32Array[],
  { runtime, clock, settings, opus }: LossyCallsOptions,
): Promise<string[]> {
  const answers = speeches.map(() => '');
  const peers: MemoryPeer[] = [];
  const openPeer = async (listener: PeerListener) => {
    const peer = new MemoryPeer(listener, () => clock.nowMs());
    peers.push(peer);
    return peer;
  };
  const limits = { maxUnsentBytes: 1 << 20, idleMs: 60_000, lifetimeMs: 3_600_000 };
  const context = { log: silentLogger, clock, limits, pictures: new PictureDecoder(0) };
  const calls = new WebRtcCalls(context, opus, openPeer);
  let longestMs = 0;
  for (const [n, speech] of speeches.entries()) {
    const protocol = voiceAlone(runtime, settings, text => {
      answers[n] += text;
    });
    await calls.start({ offer: OFFER, protocol });
    const { listener } = peers[n];
    listener.onConnected();
    const packets = await packetsOf(speech, opus, line.copies === 'opus');
    longestMs = Math.max(longestMs, packets.length * PACKET_MS);
    const times = arrivals(packets.length, { ...line, seed: line.seed * 1000 + n });
    for (const [sequence, payload] of packets.entries()) {
      const lateMs = times[sequence];
      if (lateMs === null) continue;
      const packet = { ssrc: 1, payloadType: OPUS_TYPE, marker: false, sequence, payload };
      clock.setTimer((sequence + 1) * PACKET_MS + lateMs, () =>
        listener.onVoice({ ...packet, timestamp: sequence * TICKS }),
      );
    }
  }
  await clock.runFor(longestMs);
  calls.close();
  await clock.runFor(5000);
  return answers;
}

/** A call that carries no events. */
function voiceAlone(
  runtime: Runtime,
  settings: Partial<SessionSettings>,
  onText: (text: string) => void,
): CallProtocol {
  return {
    prefix: 'rtc_',
    events: { greeting: () => null, shortened: text => text },
    open({ speaker, opened, observe }) {
      const session = runtime.openSession(settings, { speaker });
      session.events$.subscribe(event => {
        observe(event);
        if (event.type === 'response.text') onText(event.delta);
      });
      opened({ session, hear: sound => session.send({ type: 'audio', ...sound }) });
      return { onText() {}, onBinary() {}, onClose: (_code, reason) => session.close(reason) };
    },
  };
}
