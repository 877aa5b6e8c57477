/**
 * A recorded question is answered, in virtual time: as fast as the machine can. `npx tsx examples/answer-a-wav.ts
 * question.wav` (mono)
 */
import { readFileSync } from 'node:fs';
import {
  createEngine,
  createRandom,
  createRuntime,
  engineOnClock,
  fastestEngine,
  NANO_DIRECTORY,
  VirtualClock,
} from 'longcat-rt';
import { filter, map } from 'rxjs';
import wavefile from 'wavefile';

const recording = new wavefile.WaveFile(readFileSync(process.argv[2]));
if (recording.bitDepth === '8m') recording.fromMuLaw();
recording.toSampleRate(16_000);
const samples = recording.getSamples(false, Float32Array).map(x => x / 32768);
const clock = new VirtualClock();
const engine = engineOnClock(
  await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY }),
  clock,
);
const runtime = createRuntime({ engine, clock, random: createRandom(1) });
const session = runtime.openSession();
session.events$
  .pipe(
    filter(event => event.type === 'turn.trace'),
    map(({ trace }) => `${trace.userTranscript} → ${trace.text}`),
  )
  .subscribe(line => console.log(line));
for (let at = 0; at < samples.length + 160_000; at += 320) {
  const frame = Float32Array.from({ length: 320 }, (_, i) => samples[at + i] ?? 0);
  session.send({ type: 'audio', samples: frame });
  await clock.runFor(20);
}
await runtime.close();
await engine.close();
