/**
 * `npm run bench -- sessions [--sessions 16,32,48] [--seconds 20] [--engine cpu] [--model DIRECTORY]`: how many
 * conversations this machine holds at real time, all components at work.
 *
 * Every session gets recorded speech (test/fixtures/talk/six-turns.wav, each starting elsewhere in it) as 20 ms packets
 * by the real clock, and answers with models/nano through the real runtime. Play-out sends at most 100 ms ahead, and an
 * ear plays what comes without a gap of its own: an **underrun** is a sample of a reply that had not arrived when the
 * one before it had been played. A number of sessions is **held** when no reply had an underrun, every session was
 * answered and no session saw an error. The numbers are tried in turn until one is not held. The **main loop** is the
 * time that the thread of sessions and actors was busy, the callers' own packets included. On a machine shared with
 * other work run it under `chrt -r 10`, else it measures the others.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Command } from 'commander';
import type { Clock } from '../actors/core/clock.ts';
import { createRandom, engineOnClock, RealClock, silentLogger } from '../actors/core/index.ts';
import { createRuntime } from '../actors/index.ts';
import type { Session } from '../actors/session-api.ts';
import { resampled } from '../cli/media/resampled.ts';
import { readWav } from '../cli/media/wav.ts';
import { createEngine, type EngineKind, fastestEngine } from '../kernels/engine/index.ts';
import { printTable } from './kernels/table.ts';
import { Ear } from './sessions/ear.ts';

const RECORDING = 'test/fixtures/talk/six-turns.wav';
const INPUT_RATE_HZ = 16_000;
const PACKET_MS = 20;
const PACKET_SAMPLES = (INPUT_RATE_HZ * PACKET_MS) / 1000;
const LEAD_MS = 100;

const options = new Command('sessions')
  .option('--sessions <list>', 'numbers to try, ascending', '16,32,48')
  .option('--seconds <n>', 'of conversation each', Number, 20)
  .option('--engine <kind>', 'reference or cpu', fastestEngine().kind)
  .option('--threads <n>', 'of the kernels, for all components together', Number, 1)
  .option('--weights <how>', 'stored or int8', 'stored')
  .option('--model <directory>', 'what talks', 'models/nano')
  .parse()
  .opts<{
    sessions: string;
    seconds: number;
    engine: EngineKind;
    threads: number;
    weights: 'stored' | 'int8';
    model: string;
  }>();

/** Speaks the recording, which is whole packets, in a loop; `lateMs` receives how late each packet left. */
function speak(session: Session, clock: Clock, samples: Float32Array, from: number, lateMs: number[]): void {
  const startMs = clock.nowMs();
  let sent = 0;
  const next = () => {
    const dueMs = startMs + (sent + 1) * PACKET_MS;
    clock.setTimer(Math.max(0, dueMs - clock.nowMs()), () => {
      if (clock.nowMs() > startMs + options.seconds * 1000) return;
      lateMs.push(clock.nowMs() - dueMs);
      const at = (from + sent * PACKET_SAMPLES) % samples.length;
      session.send({ type: 'audio', samples: samples.slice(at, at + PACKET_SAMPLES) });
      sent++;
      next();
    });
  };
  next();
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ??
  Number.NaN;

async function trial(count: number, samples: Float32Array): Promise<{ held: boolean; row: string[] }> {
  const clock = new RealClock();
  const engine = engineOnClock(
    await createEngine({
      kind: options.engine,
      modelDirectory: options.model,
      threads: options.threads,
      weights: options.weights,
    }),
    clock,
  );
  const limits = { maxSessions: count };
  const runtime = createRuntime({ engine, clock, random: createRandom(1), log: silentLogger, limits });
  const lateMs: number[] = [];
  const packets = samples.length / PACKET_SAMPLES;
  const loopBefore = performance.eventLoopUtilization();
  const cpuBefore = process.cpuUsage();
  const startMs = clock.nowMs();
  const ears = Array.from({ length: count }, (_, n) => {
    const session = runtime.openSession({ delivery: { mode: 'paced', leadMs: LEAD_MS } });
    const ear = new Ear(session, clock, engine.model.outputSampleRate);
    // Packets of different sessions do not leave in the same moment, as they do not come in one.
    clock.setTimer((n * PACKET_MS) / count, () =>
      speak(session, clock, samples, Math.floor((n * packets) / count) * PACKET_SAMPLES, lateMs),
    );
    return ear;
  });
  await new Promise<void>(resolve => clock.setTimer(options.seconds * 1000, resolve));
  const { user, system } = process.cpuUsage(cpuBefore);
  const cores = (user + system) / 1000 / (clock.nowMs() - startMs);
  const loopMs = performance.eventLoopUtilization(loopBefore).active / (count * options.seconds);
  await runtime.close();
  await engine.close();

  const sum = (value: (ear: Ear) => number) => ears.reduce((total, ear) => total + value(ear), 0);
  const underruns = sum(ear => ear.underruns);
  const silent = ears.filter(ear => ear.replies === 0).length;
  const errors = sum(ear => ear.errors);
  const afterEndpointMs = ears.flatMap(ear => ear.firstAudioMs);
  const held = underruns === 0 && silent === 0 && errors === 0;
  const row = [
    `${count}`,
    held ? 'yes' : 'no',
    `${underruns} (longest ${Math.max(...ears.map(ear => ear.longestGapMs)).toFixed(0)} ms)`,
    `${sum(ear => ear.replies)} (${(sum(ear => ear.heardMs) / 1000).toFixed(0)} s)`,
    `${silent} / ${errors}`,
    `${quantile(afterEndpointMs, 0.5).toFixed(0)} / ${quantile(afterEndpointMs, 0.99).toFixed(0)} ms`,
    `${quantile(lateMs, 0.5).toFixed(1)} / ${quantile(lateMs, 0.99).toFixed(1)} ms`,
    `${loopMs.toFixed(1)} ms`,
    cores.toFixed(2),
  ];
  return { held, row };
}

const recording = resampled(readWav(RECORDING), INPUT_RATE_HZ);
const samples = recording.subarray(0, recording.length - (recording.length % PACKET_SAMPLES));
const rows: string[][] = [];
let most = 0;
for (const count of options.sessions.split(',').map(Number)) {
  const { held, row } = await trial(count, samples);
  rows.push(row);
  if (!held) break;
  most = count;
}
console.log(
  `${options.engine} engine, ${options.model}, ${options.seconds} s each, ${cpus().length} cores; held: ${most} (goal: 200)\n`,
);
const head = [
  'sessions',
  'held',
  'underruns',
  'replies',
  'unanswered / errors',
  'endpoint → audio p50 / p99',
];
printTable([...head, 'packets late p50 / p99', 'main loop a session-second', 'cores used'], rows);
process.exit(0);
