import { beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../actors/core/index.ts';
import { loadOpus, type OpusLibrary, opusPacketMs, type TrackSound } from '../../../protocols/media/index.ts';
import type { AudioLevel } from '../../../protocols/webrtc/peer.ts';
import { VoiceIntake } from '../../../protocols/webrtc/voice-intake.ts';

const TICKS = 960;
let opus: OpusLibrary;
beforeAll(async () => {
  opus = await loadOpus();
});

/** Something like a voice: a buzz whose loudness and pitch move. */
function speech(ms: number): Float32Array {
  return Float32Array.from({ length: ms * 24 }, (_, i) => {
    const t = i / 24_000;
    const pitch = 2 * Math.PI * (130 * t + 3 * Math.sin(5 * t));
    const buzz =
      Math.sin(pitch) + 0.6 * Math.sin(2 * pitch) + 0.4 * Math.sin(5 * pitch) + 0.2 * Math.sin(11 * pitch);
    return 0.2 * buzz * (0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * t));
  });
}

async function packets(ms: number): Promise<Buffer[]> {
  const encoder = await opus.encoder();
  const samples = speech(ms);
  const made = Array.from({ length: ms / 20 }, (_, i) =>
    Buffer.from(encoder.encode(samples.subarray(i * 480, (i + 1) * 480))),
  );
  encoder.free();
  return made;
}

/** What an intake makes of these packets when some do not come. */
async function heard(payloads: readonly Buffer[], isLost: (index: number) => boolean) {
  const clock = new VirtualClock();
  const parts: TrackSound[] = [];
  const intake = new VoiceIntake({
    ...{ decoder: await opus.decoder(), clock, keyTypes: new Set<number>() },
    onSound: sound => void parts.push(sound),
    onKey() {},
  });
  for (const [i, payload] of payloads.entries()) {
    await clock.runFor(20);
    const packet = { ssrc: 1, payloadType: 111, marker: false, payload };
    if (!isLost(i))
      intake.packet({ ...packet, sequence: (65_500 + i) & 0xffff, timestamp: (i * TICKS) >>> 0 });
  }
  intake.stop();
  const all = new Float32Array(parts.reduce((sum, { samples }) => sum + samples.length, 0));
  let at = 0;
  for (const { samples } of parts) {
    all.set(samples, at);
    at += samples.length;
  }
  const lostMs = parts.filter(({ lost }) => lost).reduce((sum, { samples }) => sum + samples.length / 16, 0);
  return { all, lostMs };
}

const energy = (samples: Float32Array) => samples.reduce((sum, sample) => sum + sample * sample, 0);
const distance = (a: Float32Array, b: Float32Array) => energy(a.map((sample, i) => sample - b[i]));

describe('the caller’s voice', () => {
  it('takes a lost packet from the copy in the next one: nearer to what was said than silence is by far', async () => {
    const payloads = await packets(4000);
    const whole = await heard(payloads, () => false);
    expect(whole.all.length).toBe(4000 * 16);
    expect(whole.lostMs).toBe(0);
    const isLost = (i: number) => i > 5 && i % 10 === 7;
    const holed = await heard(payloads, isLost);
    expect(holed.all.length).toBe(whole.all.length);
    // Single losses are whole again.
    expect(holed.lostMs).toBe(0);
    const silenced = whole.all.map((sample, i) => (isLost(Math.floor(i / 320)) ? 0 : sample));
    expect(distance(holed.all, whole.all)).toBeLessThan(0.5 * distance(silenced, whole.all));
  });

  it('goes on as it sounded where a run is lost, and calls it lost', async () => {
    const payloads = await packets(2000);
    const holed = await heard(payloads, i => i >= 40 && i < 45);
    expect(holed.all.length).toBe(2000 * 16);
    expect(holed.lostMs).toBe(80);
    const concealed = holed.all.subarray(40 * 320, 42 * 320);
    expect(energy(concealed)).toBeGreaterThan(0.01 * energy(holed.all.subarray(38 * 320, 40 * 320)));
  });

  it('never takes for sound what was not sent: a mute is lost, in its full length up to what ends a turn', async () => {
    const clock = new VirtualClock();
    const parts: { ms: number; lost: boolean }[] = [];
    const intake = new VoiceIntake({
      ...{ decoder: await opus.decoder(), clock, keyTypes: new Set<number>() },
      onSound: ({ samples, lost = false }) => void parts.push({ ms: samples.length / 16, lost }),
      onKey() {},
    });
    const [payload] = await packets(20);
    const packet = (sequence: number, ms: number) =>
      intake.packet({ ssrc: 1, payloadType: 111, marker: false, payload, sequence, timestamp: ms * 48 });
    packet(1, 0);
    await clock.runFor(1000);
    packet(2, 1000);
    await clock.runFor(60_000);
    packet(3, 61_000);
    const lost = parts.filter(part => part.lost).reduce((sum, { ms }) => sum + ms, 0);
    expect(parts.filter(part => !part.lost)).toHaveLength(3);
    // 980 ms of the first mute, 3 s of the second and no more.
    expect(lost).toBeGreaterThanOrEqual(980 + 3000 - 100);
    expect(lost).toBeLessThanOrEqual(980 + 3000 + 100);
    intake.stop();
  });

  it('believes who tells voices that there is none, and takes a microphone that is off for no room', async () => {
    const parts: TrackSound[] = [];
    const intake = new VoiceIntake({
      ...{ decoder: await opus.decoder(), clock: new VirtualClock(), keyTypes: new Set<number>() },
      onSound: sound => void parts.push(sound),
      onKey() {},
    });
    const levels: (AudioLevel | undefined)[] = [
      { belowFullDb: 40, isVoice: false },
      { belowFullDb: 30, isVoice: true },
      { belowFullDb: 40, isVoice: false },
      { belowFullDb: 127, isVoice: false },
      undefined,
    ];
    for (const [i, payload] of (await packets(100)).entries())
      intake.packet({
        ...{ ssrc: 1, payloadType: 111, marker: false, payload, sequence: i, timestamp: i * TICKS },
        ...(levels[i] && { level: levels[i] }),
      });
    intake.stop();
    // Before it ever said that there is one, it may be one that does not tell.
    expect(parts.map(({ lost, isVoiceless }) => [lost, isVoiceless])).toEqual([
      [false, false],
      [false, false],
      [false, true],
      [true, true],
      [false, false],
    ]);
  });

  it('knows how long a packet is (RFC 6716 §3.1)', async () => {
    const [payload] = await packets(20);
    expect(opusPacketMs(payload)).toBe(20);
    expect(opusPacketMs(Buffer.alloc(0))).toBe(0);
    // SILK 60 ms; CELT 2.5 ms, two of them; hybrid 10 ms, six; 48 of 20 ms are no packet.
    expect(opusPacketMs(Buffer.of(3 << 3))).toBe(60);
    expect(opusPacketMs(Buffer.of((16 << 3) | 1))).toBe(5);
    expect(opusPacketMs(Buffer.of((12 << 3) | 3, 6))).toBe(60);
    expect(opusPacketMs(Buffer.of((1 << 3) | 3, 48))).toBe(0);
  });

  it('is not stopped by packets that are no Opus', async () => {
    const good = await packets(400);
    const bad = good.map((payload, i) =>
      i % 4 === 1 ? Buffer.alloc(40, i * 37) : i % 4 === 3 ? Buffer.alloc(1) : payload,
    );
    const { all } = await heard(bad, () => false);
    expect(all.every(Number.isFinite)).toBe(true);
  });
});
