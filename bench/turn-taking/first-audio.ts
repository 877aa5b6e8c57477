/**
 * How long after the endpoint the first sound of the answer is there: a client of the Realtime protocol over loopback,
 * nano on this machine, the real clock. One caller at a time, who talks as people do, 20 ms by 20 ms.
 */
import { WebSocket } from 'ws';
import { RealClock, silentLogger } from '../../actors/core/index.ts';
import type { TurnDetection } from '../../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_PRESETS, type TurnPreset } from '../../actors/turn-taking/index.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { openHouse } from '../../cli/house.ts';
import { startServer } from '../../protocols/index.ts';
import { resampled } from './material.ts';

export interface FirstAudio {
  readonly policy: string;
  readonly answers: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const WIRE_RATE = 24_000;
const PACKET = WIRE_RATE / 50;
/** What is compared: silence with and without speculation, and the policy for most conversations. */
export const FIRST_AUDIO_POLICIES: Readonly<Record<string, Partial<TurnPreset>>> = {
  'silence 650 ms, with speculation': {},
  // Nothing is speculated on before the endpoint.
  'silence 650 ms, without': { speculateSilenceMs: 650, endpointSilenceMs: 650 },
  'preset balanced': TURN_PRESETS.balanced,
};
/** A caller who is not answered in this time is not counted. */
const PATIENCE_MS = 5000;

export async function firstAudio(
  model: string,
  questions: readonly Float32Array[],
  policy: string,
): Promise<FirstAudio> {
  const house = await openHouse(loadConfig({ model, logLevel: 'error' }, process.env), 'real');
  const server = await startServer({
    modelName: house.engine.model.name,
    engineKind: house.engine.kind,
    unixTimeMs: Date.now,
    host: '127.0.0.1',
    port: 0,
    keys: [],
    allowedOrigins: [],
    webRoot: 'web',
    runtime: house.runtime,
    sessionDefaults: {
      ...house.sessionDefaults,
      turnDetection: { ...DEFAULT_TURN_DETECTION, ...FIRST_AUDIO_POLICIES[policy] } as TurnDetection,
    },
    log: silentLogger,
    clock: house.clock,
  });
  const known: number[] = [];
  // The first answer of a process compiles what the others find compiled.
  for (const question of [...questions.slice(0, 3), ...questions]) {
    const ms = await answered(server.url, question);
    if (ms !== null) known.push(ms);
  }
  await server.close();
  await house.close();
  const times = known.slice(3).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return { policy, answers: times.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** Milliseconds between what the client receives: the end of its turn, and the first sound of the answer. */
async function answered(url: string, question: Float32Array): Promise<number | null> {
  const clock = new RealClock();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/realtime?model=nano`);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  let endpointMs: number | null = null;
  const answer = new Promise<number | null>(resolve => {
    socket.on('message', data => {
      const { type } = JSON.parse(data.toString());
      if (type === 'input_audio_buffer.speech_stopped') endpointMs = clock.nowMs();
      if (type === 'response.output_audio.delta' && endpointMs !== null) resolve(clock.nowMs() - endpointMs);
    });
    clock.setTimer((question.length * 1000) / 16_000 + PATIENCE_MS, () => resolve(null));
  });
  let isOver = false;
  const speaking = speak(socket, clock, resampled(question, 16_000, WIRE_RATE), () => isOver);
  const ms = await answer;
  isOver = true;
  await speaking;
  socket.close();
  return ms;
}

/** Packets when they are due; silence after the question. */
async function speak(
  socket: WebSocket,
  clock: RealClock,
  samples: Float32Array,
  isOver: () => boolean,
): Promise<void> {
  const startMs = clock.nowMs();
  for (let sent = 0; !isOver(); sent++) {
    await new Promise<void>(resolve => {
      clock.setTimer(Math.max(0, startMs + (sent + 1) * 20 - clock.nowMs()), resolve);
    });
    const from = sent * PACKET - WIRE_RATE * 0.3;
    const packet = Int16Array.from({ length: PACKET }, (_, i) =>
      Math.round(32_767 * Math.max(-1, Math.min(1, samples[from + i] ?? 0))),
    );
    const audio = Buffer.from(packet.buffer).toString('base64');
    socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }));
  }
}
