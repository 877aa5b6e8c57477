/** The same people, live and simulated: recorded speech, started at seeded moments, heard to the end. */
import {
  type Clock,
  createRandom,
  engineWithSteps,
  RealClock,
  silentLogger,
  VirtualClock,
} from '../../actors/core/index.ts';
import { createRuntime, type Runtime, type TurnTrace } from '../../actors/index.ts';
import { resampled } from '../../cli/media/resampled.ts';
import { Video } from '../../cli/media/video.ts';
import { readWav } from '../../cli/media/wav.ts';
import { Listener } from '../../cli/talk/listener.ts';
import { INPUT_SAMPLE_RATE, RecordedPerson } from '../../cli/talk/recorded-person.ts';
import type { Engine } from '../../kernels/engine/index.ts';
import { lateTimers } from '../../sim/live/late-timers.ts';
import { LoadMeter } from '../../sim/live/load-meter.ts';
import { stepTimes } from '../../sim/live/step-times.ts';
import type { EngineScenario } from '../../sim/scenarios/engine-schema.ts';

const SPEECH = 'test/fixtures/talk/six-turns.wav';
const BEGIN_WITHIN_MS = 4000;
const ENDPOINT_SILENCE_MS = 650;
/** A reply may take this long after the last word. */
const REST_MS = 3000;
const STEP_MS = 250;

/** One answered turn; milliseconds. */
export interface MeasuredTurn {
  /** From the user's last sound to the first of the answer. */
  readonly firstAudioMs: number;
  /** Of it, what comes after the endpoint. */
  readonly afterEndpointMs: number;
}

export interface World {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly outputSampleRate: number;
  pass(durationMs: number): Promise<unknown>;
}

/** Seeded: who begins when. What they say is the same. Speculation is off, so that the engine's time shows in full. */
export async function converse(world: World, sessions: number, seed: number): Promise<MeasuredTurn[]> {
  const { clock, runtime } = world;
  const samples = resampled(readWav(SPEECH), INPUT_SAMPLE_RATE);
  const random = createRandom(seed).split('beginnings');
  const calls: { person: RecordedPerson; listener: Listener }[] = [];
  for (let i = 0; i < sessions; i++) {
    clock.setTimer(random.next() * BEGIN_WITHIN_MS, () => {
      const session = runtime.openSession(SETTINGS, { id: `caller ${i}` });
      const listener = new Listener(session, clock, world.outputSampleRate);
      calls.push({ listener, person: new RecordedPerson(session, clock, samples, new Video([])) });
    });
  }
  const lengthMs = BEGIN_WITHIN_MS + (samples.length / INPUT_SAMPLE_RATE) * 1000 + REST_MS;
  for (let atMs = 0; atMs < lengthMs; atMs += STEP_MS) await world.pass(STEP_MS);
  for (const { person } of calls) person.hangUp();
  for (const session of [...runtime.sessions.values()]) session.close('over');
  await world.pass(STEP_MS);
  return calls.flatMap(({ listener }) => {
    if (listener.failure) throw listener.failure;
    return listener.traces.flatMap(measured);
  });
}

const SETTINGS = {
  delivery: { mode: 'paced', leadMs: 20 },
  turnDetection: {
    mode: 'vad',
    threshold: 0.5,
    prefixPaddingMs: 300,
    endpointSilenceMs: ENDPOINT_SILENCE_MS,
    speculateSilenceMs: ENDPOINT_SILENCE_MS,
    createResponse: true,
    interruptResponse: true,
  },
} as const;

function measured({ timeline, waterfall }: TurnTrace): MeasuredTurn[] {
  const { firstAudio, endpoint } = timeline;
  if (!waterfall || firstAudio === null || endpoint === null) return [];
  return [{ firstAudioMs: waterfall.totalMs, afterEndpointMs: firstAudio - endpoint }];
}

export function liveWorld(engine: Engine, seed: number): World {
  const clock = new RealClock();
  const pass = (durationMs: number) => new Promise<void>(resolve => void clock.setTimer(durationMs, resolve));
  return worldOf(engine, clock, seed, pass);
}

/** The live engine's arithmetic in the time that a profile gives. */
export function simulatedWorld(engine: Engine, profile: EngineScenario, seed: number): World {
  const virtual = new VirtualClock();
  const meter = new LoadMeter(engine);
  const timeOf = stepTimes(profile, meter, virtual);
  const timed = engineWithSteps(meter.engine, (component, batch, step) =>
    virtual.settle(Promise.resolve(step(batch)), timeOf(component, batch)),
  );
  const lateness = profile.law === 'linear' ? profile.timerLateMs : [];
  const clock = lateTimers(virtual, createRandom(seed).split('lateness'), lateness);
  return worldOf(timed, clock, seed, durationMs => virtual.runFor(durationMs));
}

function worldOf(engine: Engine, clock: Clock, seed: number, pass: World['pass']): World {
  const random = createRandom(seed).split('runtime');
  const limits = { maxBatch: 16, prefillTokenBudget: 256 };
  const runtime = createRuntime({ engine, clock, random, limits, log: silentLogger });
  return { clock, runtime, outputSampleRate: engine.model.outputSampleRate, pass };
}
