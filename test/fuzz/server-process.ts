/**
 * A server for the fuzzer to fall upon: prints its address, then its memory (MiB) once a second. Whatever escapes is
 * told on standard error.
 */
import { createRandom, RealClock } from '../../actors/core/index.ts';
import type { Logger } from '../../actors/core/logger.ts';
import { createRuntime } from '../../actors/index.ts';
import { startServer } from '../../protocols/index.ts';
import type { SocketServerKind } from '../../protocols/server/socket-server.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const clock = new RealClock();
const engine = zeroLatencyEngine({ replies: [[{ text: 'Yes, I can hear you. Go on.', frames: 20 }]] });
const runtime = createRuntime({ engine, clock, random: createRandom(1) });
const tell = (values: object, text: string) =>
  console.error(text, (values as { err?: Error }).err?.stack ?? '');
const log: Logger = { debug() {}, info() {}, warn: tell, error: tell };
const server = await startServer({
  ...{ runtime, clock, log, modelName: 'fuzz', engineKind: 'modelled', unixTimeMs: Date.now },
  ...{ host: '127.0.0.1', port: 0, keys: [], allowedOrigins: [], webRoot: 'web' },
  socketServer: (process.argv[2] ?? 'auto') as SocketServerKind | 'auto',
});
console.log(server.url);
const report = () => {
  console.log(Math.round(process.memoryUsage().rss / 2 ** 20));
  clock.setTimer(1000, report);
};
report();
process.once('SIGTERM', () => process.exit(0));
