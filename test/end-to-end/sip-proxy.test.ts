/**
 * A SIP network of others: kamailio is registrar and proxy, rtpengine carries the sound, sipp calls. Our door registers
 * there with a password and is called through both; the models behind it are scripted.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom, RealClock, unixTimeMs } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { startServer } from '../../protocols/index.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { udpNetwork } from '../../protocols/rtp/index.ts';
import { sipDoor } from '../../protocols/sip/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const PROGRAMS = ['kamailio', 'rtpengine', 'sipp'];
const has = (program: string) =>
  spawnSync('sh', ['-c', `command -v ${program}`], {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  }).status === 0;
const MISSING = PROGRAMS.filter(program => !has(program));
if (MISSING.length > 0) console.warn(`Left out: calls through ${MISSING.join(', ')}, not installed.`);
const CALLS = 3;

function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  return new Promise(resolve =>
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    }),
  );
}

/** Packets that rtpengine has passed on, by its own count (its `ng` protocol, bencoded). */
function relayed(port: number): Promise<number> {
  const socket = createSocket('udp4');
  return new Promise(resolve => {
    socket.on('message', bytes => {
      socket.close();
      resolve(Number(/14:relayedpacketsi(\d+)e/.exec(bytes.toString('latin1'))?.[1]));
    });
    socket.send('1 d7:command10:statisticse', port, '127.0.0.1');
  });
}

const text = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

describe.skipIf(MISSING.length > 0)('a network of others', () => {
  it('registers us by password and brings calls, whose sound goes through its relay both ways', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sip-proxy-'));
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
    const running: ReturnType<typeof spawn>[] = [];
    const run = (program: string, ...args: string[]) => {
      const child = spawn(program, args, { cwd: folder, stdio: 'ignore', env });
      running.push(child);
      return new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1)));
    };
    const [proxy, control, media] = [await freePort(), await freePort(), await freePort()];
    const config = text('kamailio/kamailio.cfg')
      .replace('SIP_PORT', `${proxy}`)
      .replace('NG_PORT', `${control}`);
    writeFileSync(join(folder, 'kamailio.cfg'), config);
    writeFileSync(join(folder, 'uac.xml'), text('sipp/uac-by-proxy.xml'));
    writeFileSync(join(folder, 'silence.al'), CODECS['a-law'].encode(new Float32Array(8000 * 10)));
    const clock = new RealClock();
    const logged: { values: Record<string, unknown>; text: string }[] = [];
    const keep = (values: object, what: string) =>
      void logged.push({ values: values as Record<string, unknown>, text: what });
    try {
      void run(
        'rtpengine',
        '--interface=127.0.0.1',
        `--listen-ng=127.0.0.1:${control}`,
        '--table=-1',
        '--foreground',
      );
      const where = ['-P', join(folder, 'kamailio.pid'), '-Y', folder];
      void run('kamailio', '-f', 'kamailio.cfg', '-DD', '-E', '-m', '32', '-M', '4', ...where);
      const engine = zeroLatencyEngine({ replies: [[{ text: 'One two three.', frames: 20 }]] });
      const runtime = createRuntime({ engine, clock, random: createRandom(1), limits: { maxSessions: 8 } });
      const server = await startServer({
        ...{ runtime, modelName: 'scripted', engineKind: 'scripted', clock, port: 0, unixTimeMs },
        doors: [
          sipDoor({
            listeners: [{ protocol: 'UDP', host: '127.0.0.1', port: 0 }],
            ...{ peers: [], users: [], publicHost: null, codecs: ['g722', 'pcmu', 'pcma'], rtpPorts: null },
            ...{
              maxCalls: 8,
              callsPerSecond: 20,
              tlsCert: null,
              tlsKey: null,
              network: udpNetwork,
              randomBytes,
            },
            register: { address: `sip:agent@127.0.0.1:${proxy}`, password: 's3cret' },
            ...{ digits: DEFAULT_DIGITS, random: createRandom('proxy') },
          }),
        ],
        log: { debug() {}, info: keep, warn: keep, error: keep },
      });
      const told = (what: string) => logged.filter(one => one.text === what).map(({ values }) => values);
      // The proxy may not listen yet: our REGISTER is then said again.
      await expect.poll(() => told('Registered.').length).toBe(1);
      const sipp = ['-sf', 'uac.xml', `127.0.0.1:${proxy}`, '-i', '127.0.0.1', '-mi', '127.0.0.1'];
      const load = [
        '-mp',
        `${media - (media % 2)}`,
        '-m',
        `${CALLS}`,
        '-r',
        '3',
        '-l',
        '3',
        '-nostdin',
        '-timeout',
        '40',
      ];
      expect(await run('sipp', ...sipp, ...load)).toBe(0);
      await expect.poll(() => told('A SIP call ended.').length).toBe(CALLS);
      for (const call of told('A SIP call ended.')) {
        expect(call).toMatchObject({ reason: 'the peer hung up', sources: 1, strangers: 0, unreadable: 0 });
        // Of 125 in the two seconds and a half of the scenario: how many are made is a matter of how busy the machine
        // is.
        expect(call.sent).toBeGreaterThan(20);
      }
      for (const call of told('A call ended.')) expect(call).toMatchObject({ duplicate: 0, overflowed: 0 });
      // Both ways: what sipp says and what we do.
      await expect.poll(() => relayed(control)).toBeGreaterThan(CALLS * 2 * 20);
      await server.close();
      await runtime.close();
    } finally {
      for (const child of running) child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
