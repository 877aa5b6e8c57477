/**
 * An engine of your own for one component: nano hears, thinks and plans its speech; a sine wave a code frame says it.
 * `npx tsx examples/own-engine.ts question.wav` (16 kHz mono, 16 bit) prints the tones. Every component can be replaced
 * like this.
 */
import { readFileSync } from 'node:fs';
import {
  createEngine,
  createRandom,
  createRuntime,
  type Engine,
  engineOnClock,
  fastestEngine,
  NANO_DIRECTORY,
  VirtualClock,
} from 'longcat-rt';

const nano = await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY });

/** A musical box: the first codebook chooses the note. */
function musicBox({ model }: Engine): Engine['ganDecoder'] {
  let streams = 0;
  return {
    open: () => ++streams,
    close() {},
    async step(batch) {
      return batch.map(({ codes }) => {
        const frames = codes.length / 4;
        const samples = new Float32Array(frames * model.samplesPerCodeFrame);
        for (let i = 0; i < samples.length; i++) {
          const note = codes[4 * Math.floor(i / model.samplesPerCodeFrame)] % 24;
          samples[i] = 0.2 * Math.sin((2 * Math.PI * 220 * 2 ** (note / 12) * i) / model.outputSampleRate);
        }
        return { samples };
      });
    },
  };
}

const clock = new VirtualClock();
const engine = engineOnClock({ ...nano, ganDecoder: musicBox(nano) }, clock);
const runtime = createRuntime({ engine, clock, random: createRandom(1) });
const session = runtime.openSession();
let loudest = 0;
session.events$.subscribe(event => {
  if (event.type === 'response.audio')
    for (const sample of event.samples) loudest = Math.max(loudest, Math.abs(sample));
  if (event.type === 'turn.trace')
    console.log(`${event.trace.text} (as ${event.trace.heardMs} ms of music, peak ${loudest.toFixed(2)})`);
});
const wav = readFileSync(process.argv[2]);
const pcm = new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) >> 1);
for (let at = 0; at < pcm.length + 160_000; at += 320) {
  const samples = Float32Array.from({ length: 320 }, (_, i) => (pcm[at + i] ?? 0) / 32768);
  session.send({ type: 'audio', samples });
  await clock.runFor(20);
}
await runtime.close();
await nano.close();
