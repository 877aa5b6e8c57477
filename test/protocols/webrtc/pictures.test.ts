import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { CaptureClock } from '../../../protocols/webrtc/capture-clock.ts';
import type { RtpIn } from '../../../protocols/webrtc/peer.ts';
import { KeyFrames } from '../../../protocols/webrtc/vp8.ts';
import { RtcRig } from '../../support/rtc-rig.ts';

const SSRC = 77;
const MTU = 1200;

/** A key frame of VP8 as a sender makes it: the inside of a lossy WebP. */
let keyFrame: Buffer;
beforeAll(async () => {
  const noise = { type: 'gaussian' as const, mean: 120, sigma: 40 };
  const webp = await sharp({ create: { width: 320, height: 240, channels: 3, background: 'red', noise } })
    .webp({ quality: 80 })
    .toBuffer();
  const at = webp.indexOf('VP8 ');
  keyFrame = webp.subarray(at + 8, at + 8 + webp.readUInt32LE(at + 4));
});

/** RFC 7741 §4.2, with a picture id of two bytes and a layer index, as Chromium sends them. */
function packetsOf(frame: Buffer, timestamp: number, firstSequence: number): RtpIn[] {
  const count = Math.ceil(frame.length / MTU);
  return Array.from({ length: count }, (_, i) => ({
    ...{ ssrc: SSRC, payloadType: 96, timestamp, marker: i === count - 1 },
    sequence: (firstSequence + i) & 0xffff,
    payload: Buffer.concat([
      Buffer.from([i === 0 ? 0x90 : 0x80, 0xe0, 0x81, 0x02, 0x03, 0x20]),
      frame.subarray(i * MTU, (i + 1) * MTU),
    ]),
  }));
}

const shuffled = <T>(all: readonly T[]) =>
  [...all].sort((a, b) => (String(a) < String(b) ? -1 : 1)).reverse();

describe('key frames of VP8', () => {
  it('become WebP pictures, whatever the order of their packets and wherever the numbers wrap', async () => {
    const frames = new KeyFrames();
    const packets = packetsOf(keyFrame, 90, 65_534);
    expect(packets.length).toBeGreaterThan(4);
    const [first, ...rest] = packets;
    const made = [...shuffled(rest), first].map(packet => frames.push(packet));
    const done = made.filter(Boolean);
    expect(done).toHaveLength(1);
    const { width, height, format } = await sharp(done[0]!.picture.bytes).metadata();
    expect([width, height, format]).toEqual([320, 240, 'webp']);
    expect(done[0]!.picture).toMatchObject({ width, height, format });
    expect(done[0]!.timestamp).toBe(90);
    // What comes twice makes no second picture.
    expect(packets.map(packet => frames.push(packet)).filter(Boolean)).toEqual([]);
  });

  it('are not made of frames between, nor of a part', () => {
    const frames = new KeyFrames();
    const delta = Buffer.from(keyFrame);
    delta[0] |= 1;
    expect(
      packetsOf(delta, 90, 0)
        .map(packet => frames.push(packet))
        .filter(Boolean),
    ).toEqual([]);
    const holed = packetsOf(keyFrame, 180, 100).filter((_, i) => i !== 2);
    expect(holed.map(packet => frames.push(packet)).filter(Boolean)).toEqual([]);
  });

  it('have bounds', () => {
    const frames = new KeyFrames();
    const [first] = packetsOf(keyFrame, 1, 0);
    for (let i = 0; i < 5000; i++) {
      const payload = Buffer.concat([first.payload, Buffer.alloc(1200)]);
      expect(
        frames.push({ ...first, payload, sequence: i & 0xffff, marker: false, timestamp: i % 7 }),
      ).toBeNull();
    }
  });
});

it('a picture stands where the sound of its moment stands, whatever longer its way was', () => {
  const clock = new CaptureClock();
  // The sender's wall says 5 000 000 when our clock says 1000 and its sound takes 30 ms.
  expect(clock.capturedAtMs(SSRC, 0, 1000)).toBe(1000);
  clock.report({ ssrc: 1, wallMs: 5_000_000, timestamp: 2 ** 32 - 4800 });
  clock.report({ ssrc: SSRC, wallMs: 5_000_000, timestamp: 90_000 });
  for (let i = 0; i < 100; i++)
    clock.heard(1, (2 ** 32 - 4800 + i * 960) % 2 ** 32, 1030 + i * 20 + (i % 3) * 4);
  // Taken 500 ms after the reports, arrived 180 ms later still.
  expect(Math.abs(clock.capturedAtMs(SSRC, 90_000 + 45_000, 1710) - 1530)).toBeLessThan(10);
  // From the future, or from long ago: now.
  expect(clock.capturedAtMs(SSRC, 90_000 + 900_000, 1710)).toBe(1710);
  expect(clock.capturedAtMs(SSRC, 90_000 - 900_000, 1710)).toBe(1710);
});

describe('the camera of a call', () => {
  it('is asked for a picture every half second while the user speaks, every two else', async () => {
    const rig = new RtcRig({ replies: [[{ text: 'One two three four five.', frames: 40 }]] });
    await rig.openDoor();
    const caller = await rig.call();
    const { listener, keyFrames } = caller.peer;
    let sequence = 0;
    let stop = false;
    const show = () => {
      if (stop) return;
      const delta = { ssrc: SSRC, payloadType: 96, timestamp: sequence * 3000, marker: true };
      listener.onPicture({ ...delta, sequence: sequence++ & 0xffff, payload: Buffer.from([0x10, 1, 2]) });
      rig.clock.setTimer(100, show);
    };
    show();
    const asked = async (time: () => Promise<void>) => {
      const before = keyFrames.length;
      await time();
      return keyFrames.length - before;
    };
    expect(await asked(() => caller.silence(4000))).toBe(2);
    expect(await asked(() => caller.say(4000))).toBeGreaterThanOrEqual(8);
    await caller.silence(900);
    expect(await asked(() => caller.silence(1000))).toBeLessThanOrEqual(1);
    stop = true;
    await caller.silence(3000);
    expect(await asked(() => caller.silence(4000))).toBe(0);
    const gaps = keyFrames.slice(1).map(({ atMs }, i) => atMs - keyFrames[i].atMs);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(300);
  });

  it('is asked in turn with a screen, and in pairs while the user speaks', async () => {
    const rig = new RtcRig({ replies: [[{ text: 'One two three four five.', frames: 40 }]] });
    await rig.openDoor();
    const caller = await rig.call();
    const { listener, keyFrames } = caller.peer;
    let sequence = 0;
    const show = () => {
      for (const ssrc of [SSRC, SSRC + 1]) {
        const delta = { ssrc, payloadType: 96, timestamp: sequence * 3000, marker: true };
        listener.onPicture({ ...delta, sequence: sequence++ & 0xffff, payload: Buffer.from([0x10, 1, 2]) });
      }
      rig.clock.setTimer(100, show);
    };
    show();
    const askedOf = async (time: () => Promise<void>) => {
      const before = keyFrames.length;
      await time();
      return keyFrames.slice(before).map(({ ssrc }) => ssrc - SSRC);
    };
    expect(keyFrames.map(({ ssrc }) => ssrc - SSRC)).toEqual([0, 1]);
    expect(await askedOf(() => caller.silence(8100))).toEqual([0, 1, 0, 1]);
    const dense = (await askedOf(() => caller.say(4000))).join('');
    expect(dense).toMatch(/^1?(0011){1,2}(0|00|001)?$/);
  });

  it('is seen: a key frame reaches the vision encoder', async () => {
    const seen: number[] = [];
    const rig = new RtcRig({
      replies: [[{ text: 'One.', frames: 4 }]],
      onStep: (component, batch) => component === 'visionEncoder' && seen.push(batch.length),
    });
    await rig.openDoor();
    const caller = await rig.call();
    await caller.say(300);
    for (const packet of packetsOf(keyFrame, 90_000, 7)) caller.peer.listener.onPicture(packet);
    // Unpacked beside the virtual clock.
    const speakOn = () => caller.say(100).then(() => seen.length);
    await expect.poll(speakOn, { interval: 5 }).toBeGreaterThan(0);
    await caller.silence(2000);
    expect(rig.logged).toEqual(['A WebRTC call is connected.']);
    expect(seen.length).toBeGreaterThan(0);
  });
});
