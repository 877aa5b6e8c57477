/**
 * Many browsers' part in one process: they call, say a recording over and over, each from elsewhere in it, show a
 * picture, and hear.
 */
import sharp from 'sharp';
import type * as Werift from 'werift';
import type { Clock } from '../../actors/core/clock.ts';
import { resampled } from '../../cli/media/resampled.ts';
import { readWav } from '../../cli/media/wav.ts';
import { loadOpus, OPUS_FRAME_MS } from '../../protocols/media/index.ts';
import { PaceWheel } from '../../protocols/rtp/index.ts';
import { loadLibopus, loadWerift } from '../../protocols/webrtc/libraries.ts';
import { peerConfiguration } from './peers.ts';

const RECORDING = 'test/fixtures/talk/count-to-ten.wav';
/** Between two times that a caller says it: the agent's answer fits in. */
const PAUSE_MS = 5000;
const TICKS = (48_000 * OPUS_FRAME_MS) / 1000;
const ENCODED_HZ = 24_000;
const FRAME_SAMPLES = (ENCODED_HZ * OPUS_FRAME_MS) / 1000;
/** Of a picture's packet; a browser's are of this size. */
const PICTURE_BYTES = 1100;
/** Before the VP8 frame in a WebP file. */
const WEBP_HEAD_BYTES = 20;
const CAMERA_MS = 1000 / 15;
/** The lowest bit of a frame's first byte says that it is none of its own (RFC 6386 §9.1). */
const DELTA_FRAME = [0x10, 0].map(descriptor => Buffer.alloc(PICTURE_BYTES, 1).fill(descriptor, 0, 1));
const SCENE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240">
  <rect width="320" height="240" fill="#7a787b"/><circle cx="160" cy="60" r="36" fill="#d22823"/></svg>`;

export interface Callers {
  readonly heard: { packets: number; keyFramesAsked: number };
  close(): Promise<void>;
}

export interface CallersOptions {
  readonly clock: Clock;
  /** Takes an offer by POST, and answers with its answer. */
  readonly url: string;
  readonly count: number;
  readonly hasCamera: boolean;
}

export async function openCallers({ clock, url, count, hasCamera }: CallersOptions): Promise<Callers> {
  const library = await loadWerift();
  const frames = await encodedRecording();
  const picture = await keyFrame();
  const wheel = new PaceWheel(clock);
  const heard = { packets: 0, keyFramesAsked: 0 };
  const connections: Werift.RTCPeerConnection[] = [];
  for (let n = 0; n < count; n++) {
    const connection = new library.RTCPeerConnection(peerConfiguration(library));
    connections.push(connection);
    connection.createDataChannel('oai-events');
    const voice = new library.MediaStreamTrack({ kind: 'audio' });
    connection.addTrack(voice);
    connection.onTrack.subscribe(track => {
      if (track.kind === 'audio') track.onReceiveRtp.subscribe(() => void heard.packets++);
    });
    if (hasCamera) show(library, connection, picture, heard, clock);
    await connection.setLocalDescription(await connection.createOffer());
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: connection.localDescription?.sdp });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    const offset = Math.floor((n * frames.length) / count);
    let sequence = 0;
    wheel.join({
      tick() {
        const header = new library.RtpHeader({
          ...{ sequenceNumber: sequence & 0xffff, timestamp: (sequence * TICKS) >>> 0, payloadType: 96 },
        });
        voice.writeRtp(new library.RtpPacket(header, frames[(sequence + offset) % frames.length]));
        sequence += 1;
      },
      fault: error => {
        throw error;
      },
    });
  }
  return {
    heard,
    close: async () => {
      await Promise.all(connections.map(connection => connection.close()));
    },
  };
}

/**
 * Its camera sends 15 frames a second of 260 kbit/s, which nobody decodes, and a key frame where one is asked for, as a
 * browser's encoder does.
 */
function show(
  library: typeof Werift,
  connection: Werift.RTCPeerConnection,
  picture: readonly Buffer[],
  heard: Callers['heard'],
  clock: Clock,
): void {
  const track = new library.MediaStreamTrack({ kind: 'video' });
  const sender = connection.addTrack(track);
  let sequence = 0;
  const send = (packets: readonly Buffer[]) => {
    const timestamp = Math.round(clock.nowMs() * 90) >>> 0;
    packets.forEach((payload, n) => {
      const marker = n === packets.length - 1;
      const header = new library.RtpHeader({
        ...{ marker, timestamp, sequenceNumber: sequence++ & 0xffff, payloadType: 97 },
      });
      track.writeRtp(new library.RtpPacket(header, payload));
    });
  };
  // Not the sender's own event: findings/werift-key-frame-request-goes-to-a-receiver.sh.
  for (const transport of connection.dtlsTransports) {
    transport.onRtcp.subscribe(packet => {
      const { feedback } = packet as Werift.RtcpPayloadSpecificFeedback;
      if (!(feedback instanceof library.PictureLossIndication) || feedback.mediaSsrc !== sender.ssrc) return;
      heard.keyFramesAsked += 1;
      send(picture);
    });
  }
  const delta = () => {
    send(DELTA_FRAME);
    clock.setTimer(CAMERA_MS, delta);
  };
  clock.setTimer(CAMERA_MS, delta);
}

async function encodedRecording(): Promise<Buffer[]> {
  const opus = await loadOpus(loadLibopus);
  const encoder = await opus.encoder();
  const samples = resampled(readWav(RECORDING), ENCODED_HZ);
  const padded = new Float32Array(samples.length + (PAUSE_MS * ENCODED_HZ) / 1000);
  padded.set(samples);
  const frames: Buffer[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= padded.length; at += FRAME_SAMPLES)
    frames.push(Buffer.from(encoder.encode(padded.subarray(at, at + FRAME_SAMPLES))));
  return frames;
}

/** As packets (RFC 7741 §4.2): one byte says whether the frame begins here. */
async function keyFrame(): Promise<Buffer[]> {
  const webp = await sharp(Buffer.from(SCENE))
    .resize(640, 480)
    .removeAlpha()
    .webp({ quality: 60 })
    .toBuffer();
  const frame = webp.subarray(WEBP_HEAD_BYTES);
  const packets: Buffer[] = [];
  for (let at = 0; at < frame.length; at += PICTURE_BYTES)
    packets.push(Buffer.concat([Buffer.from([at === 0 ? 0x10 : 0]), frame.subarray(at, at + PICTURE_BYTES)]));
  return packets;
}
