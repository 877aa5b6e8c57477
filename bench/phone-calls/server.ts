/**
 * What is measured, in a process of its own: `calls`, the SIP door with a scripted engine, or `echo`, sockets that send
 * back what comes. Says where it listens, then once a second what it used, as lines of JSON. Ends with its standard
 * input.
 */
import { randomBytes } from 'node:crypto';
import { createRandom, RealClock, silentLogger, unixTimeMs } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { giveHeapRoom } from '../../cli/heap-room.ts';
import { type DatagramSocket, udpNetwork } from '../../protocols/rtp/index.ts';
import { startServer } from '../../protocols/index.ts';
import { sipDoor } from '../../protocols/sip/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { zeroLatencyEngine } from '../../test/support/zero-latency-engine.ts';

giveHeapRoom(); // As `serve` does.
const [mode = 'calls', count = '1'] = process.argv.slice(2);
const MAX_CALLS = 2000;
const clock = new RealClock();
/** How many packets were how late, in tenths of a millisecond: as numbers they would fill the pipe, and block. */
const late = new Map<number, number>();
let sipPort = 0;
process.stdout.on('error', () => process.exit(0));
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (mode === 'echo') {
  const ports: number[] = [];
  for (let n = 0; n < Number(count); n++) {
    const socket: DatagramSocket = await udpNetwork.bind({ host: '127.0.0.1', port: 0 }, (bytes, from) =>
      socket.send(bytes, from),
    );
    ports.push(socket.local.port);
  }
  say({ ports });
} else {
  const engine = zeroLatencyEngine({ replies: [[{ text: 'One two three four five.', frames: 40 }]] });
  const limits = { maxSessions: MAX_CALLS };
  const runtime = createRuntime({ engine, clock, random: createRandom(1), limits });
  await startServer({
    ...{ runtime, modelName: 'scripted', engineKind: 'scripted', clock, port: 0 },
    doors: [
      sipDoor({
        listeners: [{ protocol: 'UDP', host: '127.0.0.1', port: 0 }],
        ...{ peers: [], users: [], publicHost: null, codecs: ['pcmu'], rtpPorts: null },
        ...{ maxCalls: MAX_CALLS, callsPerSecond: 1000, register: null, tlsCert: null, tlsKey: null },
        ...{ digits: DEFAULT_DIGITS, network: udpNetwork, random: createRandom('bench'), randomBytes },
        onPaced: (lateMs, calls) => {
          const tenths = Math.round(10 * lateMs);
          late.set(tenths, (late.get(tenths) ?? 0) + calls);
        },
        onListening: (_protocol, at) => {
          sipPort = at.port;
        },
      }),
    ],
    log: silentLogger,
    unixTimeMs,
  });
  say({ port: sipPort });
}

let before = process.cpuUsage();
let beforeMs = clock.nowMs();
const report = (): void => {
  const { user, system } = process.cpuUsage(before);
  const { rss, heapUsed } = process.memoryUsage();
  say({ cores: (user + system) / 1000 / (clock.nowMs() - beforeMs), rss, heapUsed, late: [...late] });
  late.clear();
  before = process.cpuUsage();
  beforeMs = clock.nowMs();
  clock.setTimer(1000, report);
};
clock.setTimer(1000, report);
process.stdin.resume().on('end', () => process.exit(0));
