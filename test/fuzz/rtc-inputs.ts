/**
 * What may come over a WebRTC call, mutated: descriptions, candidates, packets of voice, keys and pictures, reports.
 * Only a refusal of ours may be thrown by descriptions, and nothing by what comes in packets; what is decoded has to be
 * finite and bounded.
 */
import { readFileSync } from 'node:fs';
import { createRandom, integer, type Random, VirtualClock } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { CaptureClock } from '../../protocols/webrtc/capture-clock.ts';
import { loadOpus } from '../../protocols/media/index.ts';
import type { RtpIn } from '../../protocols/webrtc/peer.ts';
import { isUsableCandidate, narrowOffer, payloadTypes, termsOf } from '../../protocols/webrtc/sdp.ts';
import { VoiceIntake } from '../../protocols/webrtc/voice-intake.ts';
import { KeyFrames } from '../../protocols/webrtc/vp8.ts';

const OFFER = readFileSync(new URL('../fixtures/webrtc/chromium-156.sdp', import.meta.url), 'utf8');
/** Offers are long: one of so many inputs. */
const OFFER_SHARE = 0.02;
/** No sound of one packet is longer than what a silence may fill. */
const MAX_SOUND = 16 * 3000;

export interface RtcFuzzReport {
  inputs: number;
  /** Offers that were taken. */
  offers: number;
  soundMs: number;
  keyFrames: number;
  /** What failed, in words. */
  faults: string[];
}

export async function fuzzRtc(seed: number, inputs: number): Promise<RtcFuzzReport> {
  const random = createRandom(seed);
  const report: RtcFuzzReport = { inputs: 0, offers: 0, soundMs: 0, keyFrames: 0, faults: [] };
  const opus = await loadOpus();
  const encoder = await opus.encoder();
  const clock = new VirtualClock();
  const frame = Float32Array.from({ length: 480 }, (_, i) => 0.3 * Math.sin(i / 7));
  const voice = Buffer.from(encoder.encode(frame));
  const intake = new VoiceIntake({
    ...{ decoder: await opus.decoder(), clock, keyTypes: new Set([110]) },
    onSound: ({ samples }) => {
      report.soundMs += samples.length / 16;
      if (samples.length > MAX_SOUND || !samples.every(Number.isFinite))
        report.faults.push(`sound of ${samples.length} samples`);
    },
    onKey() {},
  });
  const [keyFrames, captures] = [new KeyFrames(), new CaptureClock()];
  for (let i = 0; i < inputs && report.faults.length === 0; i++) {
    report.inputs = i + 1;
    try {
      if (random.next() < OFFER_SHARE) describe(random, report);
      const packet = packetOf(random, voice);
      intake.packet(packet);
      if (keyFrames.push({ ...packet, payload: pictureOf(random) })) report.keyFrames += 1;
      captures.report({ ssrc: packet.ssrc, wallMs: random.next() * 1e12, timestamp: packet.timestamp });
      captures.heard(packet.ssrc, packet.timestamp, i);
      const atMs = captures.capturedAtMs(integer(random, 4), integer(random, 2 ** 32), i);
      if (!(atMs >= 0 && atMs <= i)) report.faults.push(`a picture of ${atMs} ms at ${i} ms`);
      if (i % 8 === 0) await clock.runFor(20);
    } catch (error) {
      report.faults.push(String((error as Error).stack));
    }
  }
  intake.stop();
  encoder.free();
  return report;
}

function describe(random: Random, report: RtcFuzzReport): void {
  const offer = mutatedText(random, OFFER);
  try {
    const narrowed = narrowOffer(offer);
    termsOf(narrowed, { videoKbps: 600 });
    payloadTypes(narrowed);
    report.offers += 1;
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
  isUsableCandidate(mutatedText(random, 'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host'));
}

/** Numbers near each other and far, of few senders, of all types. */
function packetOf(random: Random, voice: Buffer): RtpIn {
  const isNear = random.next() < 0.9;
  return {
    ssrc: integer(random, 4),
    payloadType: [111, 110, 96, integer(random, 128)][integer(random, 4)],
    sequence: isNear ? integer(random, 200) : integer(random, 65_536),
    timestamp: isNear ? integer(random, 200) * 960 : integer(random, 2 ** 32),
    marker: random.next() < 0.3,
    payload: mutatedBytes(random, random.next() < 0.7 ? voice : Buffer.alloc(integer(random, 40))),
  };
}

/** A key frame's first packet, more or less (RFC 7741 §4.2). */
function pictureOf(random: Random): Buffer {
  const head = Buffer.from([0x90, 0xe0, 0x81, 2, 3, 0x20, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0, 0, 0]);
  return mutatedBytes(random, head);
}

function mutatedBytes(random: Random, bytes: Buffer): Buffer {
  const mutated = Buffer.from(
    bytes.subarray(0, random.next() < 0.2 ? integer(random, bytes.length + 1) : undefined),
  );
  for (let n = integer(random, 4); n > 0 && mutated.length > 0; n--)
    mutated[integer(random, mutated.length)] = integer(random, 256);
  return mutated;
}

/** Lines taken out, doubled and swapped, and single characters changed. */
function mutatedText(random: Random, text: string): string {
  const lines = text.split(/\r?\n/);
  for (let n = integer(random, 6); n > 0 && lines.length > 0; n--) {
    const at = integer(random, lines.length);
    const kind = integer(random, 4);
    if (kind === 0) lines.splice(at, 1 + integer(random, 5));
    else if (kind === 1) lines.splice(at, 0, lines[integer(random, lines.length)] ?? '');
    else if (kind === 2) lines[at] = (lines[at] ?? '').repeat(integer(random, 40));
    else lines[at] = withNoise(random, lines[at] ?? '');
  }
  return lines.join(random.next() < 0.5 ? '\r\n' : '\n');
}

function withNoise(random: Random, line: string): string {
  const at = integer(random, line.length + 1);
  return `${line.slice(0, at)}${String.fromCharCode(integer(random, 0x2ff))}${line.slice(at + 1)}`;
}
