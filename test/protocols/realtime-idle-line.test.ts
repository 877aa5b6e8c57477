/**
 * Over the wire: what no person makes is no turn, and whoever speaks after it is heard (the same line, the real
 * detector).
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { createBandEnergyDetector } from '../../actors/perceive/index.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { createResampler } from '../../kernels/resample/reference.ts';
import { joined, noise, RATE, room, silence, together, tones, withLoss } from '../support/idle-lines.ts';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { RealtimeClient } from '../support/realtime-client.ts';

let server: LiveServer;
beforeAll(async () => {
  server = await startLiveServer({}, createBandEnergyDetector);
});
afterAll(() => server.close());

const speech = g711['mu-law'].decode(
  readFileSync(new URL('../fixtures/perceive/awb-16k.ulaw', import.meta.url)),
);
/** 0.4 s a frame of the wire, as a client that reads a file sends it. */
const PACKET = 24_000 * 0.4;

/** Where the first turn begins when somebody speaks after this, in milliseconds after it; below zero: within it. */
async function firstTurnAfter(idle: Float32Array, levelDb: number): Promise<number> {
  const random = createRandom('talk');
  const talk = together(joined(silence(1000), speech, silence(1500)), noise(random, levelDb, 4000));
  const sound = createResampler(RATE, 24_000).push(joined(idle, talk));
  const client = new RealtimeClient(`${server.url}/v1/realtime?model=m`);
  await client.opened;
  for (let at = 0; at < sound.length; at += PACKET) {
    const pcm = Int16Array.from(sound.subarray(at, at + PACKET), value =>
      Math.round(32_767 * Math.max(-1, Math.min(1, value))),
    );
    const audio = Buffer.from(pcm.buffer).toString('base64');
    client.send({ type: 'input_audio_buffer.append', audio });
  }
  const { audio_start_ms } = await client.next('input_audio_buffer.speech_started');
  await client.next('input_audio_buffer.speech_stopped');
  expect(client.events.filter(({ type }) => type === 'input_audio_buffer.speech_started')).toHaveLength(1);
  client.socket.terminate();
  return audio_start_ms - (idle.length * 1000) / RATE;
}

describe('an idle line, over the wire', () => {
  const random = createRandom('idle');
  const on = (sound: Float32Array, levelDb: number) =>
    together(sound, noise(random, levelDb, (sound.length * 1000) / RATE));
  const lines: Readonly<Record<string, [Float32Array, number]>> = {
    'noise, a mute, noise': [joined(noise(random, -50, 5000), silence(2000), noise(random, -50, 3000)), -50],
    'one lost packet, then noise': [joined(silence(20), noise(random, -50, 1000)), -50],
    'a digit of the keypad': [
      on(joined(silence(1500), tones([770, 1336], -20, 100), silence(1000)), -58),
      -58,
    ],
    'the tone of a fax': [on(joined(silence(1500), tones([1100], -20, 500), silence(2000)), -58), -58],
    'a beep': [on(joined(silence(1500), tones([1000], -18, 300), silence(1000)), -58), -58],
    'a room that grows louder at once': [joined(noise(random, -60, 3000), noise(random, -40, 3000)), -40],
    'one packet in ten lost': [withLoss(room(random, -50, 12_000), random, 0.1, 1), -50],
    'one packet in five lost, in bursts': [withLoss(room(random, -42, 12_000), random, 0.2, 3), -42],
  };

  it.each(Object.entries(lines))('%s: no turn, and who speaks then is heard', async (_, [idle, levelDb]) => {
    // The prefix padding of 300 ms is taken off; the speaker begins after a second.
    expect(await firstTurnAfter(idle, levelDb)).toBeGreaterThan(400);
  });
});
