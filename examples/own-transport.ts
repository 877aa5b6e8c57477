/**
 * A transport of your own: 16-bit little-endian mono over TCP, 16 kHz in and 24 kHz out, one conversation a connection.
 * `npx tsx examples/own-transport.ts`, then `arecord -q -f S16_LE -r 16000 -t raw | nc localhost 3001 | aplay -q -f
 * S16_LE -r 24000 -t raw`
 */
import { type AddressInfo, createServer } from 'node:net';
import {
  createEngine,
  createRandom,
  createRuntime,
  fastestEngine,
  NANO_DIRECTORY,
  RealClock,
} from 'longcat-rt';

const clock = new RealClock();
const engine = await createEngine({ ...fastestEngine(), modelDirectory: NANO_DIRECTORY });
const runtime = createRuntime({ engine, clock, random: createRandom(1) });

const server = createServer(socket => {
  // Nothing on this wire can be called back, so that our clock paces it: what was not heard stays here.
  const session = runtime.openSession({ delivery: { mode: 'paced', leadMs: 60 } });
  session.events$.subscribe(event => {
    if (event.type === 'response.audio')
      socket.write(new Uint8Array(Int16Array.from(event.samples, x => x * 32767).buffer));
    if (event.type === 'turn.trace') console.log(event.trace.userTranscript, '→', event.trace.text);
  });
  let odd = Buffer.alloc(0);
  socket.on('data', data => {
    const bytes = Buffer.concat([odd, data]);
    const count = bytes.length >> 1;
    const samples = Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(2 * i) / 32768);
    session.send({ type: 'audio', samples });
    odd = bytes.subarray(2 * count);
  });
  socket.on('error', () => {}).on('close', () => session.close('hung up'));
});
server.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', () =>
  console.log('listening on port', (server.address() as AddressInfo).port),
);
