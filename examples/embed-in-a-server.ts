/**
 * The Realtime protocol inside a server you already have; Express and Fastify give you theirs as `app.listen(…)` and
 * `app.server`. `npx tsx examples/embed-in-a-server.ts`, then `node cli/longcat-rt.js call ws://localhost:3000
 * question.wav`
 */
import { createServer } from 'node:http';
import {
  createEngine,
  createRandom,
  createRuntime,
  fastestEngine,
  NANO_DIRECTORY,
  RealClock,
} from 'longcat-rt';
import { startServer } from 'longcat-rt/protocols';

const app = createServer((request, response) => response.end(`Your own page at ${request.url}.\n`));

const clock = new RealClock();
const engine = await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY });
const runtime = createRuntime({ engine, clock, random: createRandom(1) });
await startServer({ httpServer: app, runtime, clock, modelName: engine.model.name, engineKind: engine.kind });

app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log('listening', app.address()));
