/**
 * What is measured, in a process of its own: `calls`, the WebRTC door with a scripted engine, `door-echo`, the door
 * with sessions that say back what they hear, or `echo`, peers that send back the sound that comes. Says where it
 * listens, then once a second what it used, as lines of JSON. Ends with its standard input.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom, RealClock, silentLogger, unixTimeMs } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { startServer } from '../../protocols/index.ts';
import { loadWerift } from '../../protocols/webrtc/libraries.ts';
import { zeroLatencyEngine } from '../../test/support/zero-latency-engine.ts';
import { echoRuntime } from '../mouth-to-ear/echo-runtime.ts';
import { peerConfiguration } from './peers.ts';

const [mode = 'calls'] = process.argv.slice(2);
const MAX_CALLS = 1000;
const clock = new RealClock();
process.stdout.on('error', () => process.exit(0));
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function echo(): Promise<string> {
  const library = await loadWerift();
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const connection = new library.RTCPeerConnection(peerConfiguration(library));
    const back = new library.MediaStreamTrack({ kind: 'audio' });
    connection.onTrack.subscribe(track => {
      if (track.kind === 'audio') track.onReceiveRtp.subscribe(packet => back.writeRtp(packet.clone()));
    });
    await connection.setRemoteDescription({ type: 'offer', sdp: Buffer.concat(parts).toString() });
    const transceiver = connection.getTransceivers().find(({ kind }) => kind === 'audio');
    transceiver?.sender.registerTrack(back);
    transceiver?.setDirection('sendrecv');
    await connection.setLocalDescription(await connection.createAnswer());
    response.writeHead(201).end(connection.localDescription?.sdp);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function calls(saysBack: boolean): Promise<string> {
  const engine = zeroLatencyEngine({ replies: [[{ text: 'One two three four five.', frames: 40 }]] });
  const runtime = createRuntime({
    ...{ engine, clock, random: createRandom(1), limits: { maxSessions: MAX_CALLS } },
  });
  const { url } = await startServer({
    ...{ runtime: saysBack ? echoRuntime(runtime) : runtime },
    ...{ modelName: 'scripted', engineKind: 'scripted', clock, unixTimeMs, log: silentLogger },
    ...{ host: '127.0.0.1', port: 0, keys: [], allowedOrigins: [] },
    webRtc: { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false },
  });
  return `${url}/v1/realtime/calls`;
}

say({ url: mode === 'echo' ? await echo() : await calls(mode === 'door-echo') });

let before = process.cpuUsage();
let beforeMs = clock.nowMs();
const report = (): void => {
  const { user, system } = process.cpuUsage(before);
  const { rss, heapUsed } = process.memoryUsage();
  say({ cores: (user + system) / 1000 / (clock.nowMs() - beforeMs), rss, heapUsed });
  before = process.cpuUsage();
  beforeMs = clock.nowMs();
  clock.setTimer(1000, report);
};
clock.setTimer(1000, report);
process.stdin.resume().on('end', () => process.exit(0));
