/** The agent in a room beside people: Debian's Janus with its AudioBridge, and a person by another WebRTC peer. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RealClock } from '../../actors/core/index.ts';
import { Guest } from '../../cli/join/guest.ts';
import { JanusHandle } from '../../cli/join/janus.ts';
import { loadOpus } from '../../protocols/media/index.ts';
import type { PeerListener } from '../../protocols/webrtc/peer.ts';
import { weriftPeers } from '../../protocols/webrtc/werift-peer.ts';
import { startLiveServer } from '../support/live-server.ts';
import { voice } from '../support/voice.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const ROOM = 1234;
const SECRET = 'moderator';
/** Janus takes no loopback: on a machine without another address there is no way between the two. */
const webRtc = { hosts: [], iceServers: [], ports: null, relayOnly: false };
const FRAME = 480;
const OTHER_PLUGINS =
  'duktape lua sip nosip streaming videoroom recordplay textroom videocall voicemail echotest';
const hasAddress = Object.values(networkInterfaces()).some(all => all?.some(({ internal }) => !internal));
const hasJanus = hasAddress && spawnSync('sh', ['-c', 'command -v janus']).status === 0;
if (!hasJanus)
  console.warn('Left out: a conference: Janus is not installed (Debian: janus), or there is loopback alone.');

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

const without = (names: string) =>
  names
    .split(' ')
    .map(name => `libjanus_${name}.so`)
    .join(',');

/** With one room, and nothing that other tests or machines could meet. */
async function startJanus(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-janus-'));
  const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
    .map(machine => `/usr/lib/${machine}/janus`)
    .find(existsSync)!;
  const port = await freePort();
  const nothing = join(folder, 'nothing');
  mkdirSync(nothing);
  const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.jcfg`), text);
  write(
    'janus',
    `general: { configs_folder = "${folder}", plugins_folder = "${library}/plugins",
       transports_folder = "${library}/transports", events_folder = "${nothing}",
       loggers_folder = "${nothing}", debug_level = 2 }
     plugins: { disable = "${without(OTHER_PLUGINS)}" }
     transports: { disable = "${without('http mqtt nanomsg pfunix rabbitmq')}" }`,
  );
  write('janus.transport.websockets', `general: { ws = true, ws_port = ${port}, ws_ip = "127.0.0.1" }`);
  write('janus.plugin.audiobridge', `room-${ROOM}: { sampling_rate = 48000, secret = "${SECRET}" }`);
  const janus: ChildProcess = spawn('janus', ['-F', folder], { stdio: 'ignore' });
  const over = new Promise(resolve => janus.on('exit', resolve));
  cleanUp.push(async () => {
    janus.kill('SIGKILL');
    await over;
    rmSync(folder, { recursive: true });
  });
  return `ws://127.0.0.1:${port}`;
}

/** Says what it is told, and hears the room. */
async function personIn(janus: string, clock: RealClock) {
  const opus = await loadOpus();
  const [encoder, decoder] = [await opus.encoder(), await opus.decoder()];
  const person = { loudMs: 0, loudest: 0, isThere: false };
  const ignored = () => {};
  const listener: PeerListener = {
    ...{ onAlive: ignored, onPicture: ignored, onSenderReport: ignored, onChannel: ignored, onText: ignored },
    ...{ onClosed: ignored, onConnected: () => (person.isThere = true) },
    onVoice: ({ payload }) => {
      const samples = decoder.decode(payload) ?? new Float32Array(0);
      const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      if (loudest > 0.01) person.loudMs += samples.length / 16;
    },
  };
  const peer = await (await weriftPeers(webRtc))(listener);
  const handle = await JanusHandle.open(janus, 'janus.plugin.audiobridge', clock, {
    onEvent: ignored,
    onClosed: ignored,
  });
  cleanUp.push(() => {
    handle.close();
    peer.close();
  });
  const { jsep } = await handle.message({
    request: 'join',
    room: ROOM,
    display: 'Person',
    generate_offer: true,
  });
  const sdp = await peer.answer(jsep!.sdp);
  await handle.message({ request: 'configure', muted: false }, { type: 'answer', sdp });
  await expect.poll(() => person.isThere, PATIENCE).toBe(true);
  let timestamp = 0;
  let said: Float32Array = new Float32Array(0);
  let at = 0;
  const timer = setInterval(() => {
    const frame = new Float32Array(FRAME);
    frame.set(said.subarray(at, at + FRAME));
    at += FRAME;
    peer.sendVoice({ payload: encoder.encode(frame).slice(), timestamp, marker: false });
    timestamp += 960;
  }, 20);
  cleanUp.push(() => clearInterval(timer));
  return {
    person,
    moderate: (request: string, id: number) => handle.message({ request, room: ROOM, id, secret: SECRET }),
    say: () => {
      said = voice(1200, 24_000);
      at = 0;
    },
  };
}

describe('a conference', () => {
  it.skipIf(!hasJanus)(
    'has the agent as a guest: it hears the room, answers, is muted and unmuted, and leaves',
    async () => {
      const clock = new RealClock();
      const server = await startLiveServer({ webRtc });
      cleanUp.push(() => server.close());
      const janus = await startJanus();
      const told: string[] = [];
      const options = { clock, janus, room: ROOM, pin: null, name: 'Ada', server: server.url, key: null };
      const hooks = {
        onMuted: (muted: boolean) => void told.push(muted ? 'muted' : 'heard'),
        onGone: (reason: string) => void told.push(reason),
      };
      const joined = async () => await Guest.join({ ...options, ...hooks }).catch((error: Error) => error);
      let guest = await joined();
      await expect
        .poll(async () => {
          if (guest instanceof Error) guest = await joined();
          return guest instanceof Guest;
        }, PATIENCE)
        .toBe(true);
      if (!(guest instanceof Guest)) throw guest;
      cleanUp.push(() => (guest as Guest).leave());
      const { person, say, moderate } = await personIn(janus, clock);

      say();
      await expect.poll(() => person.loudMs, PATIENCE).toBeGreaterThan(600);
      await moderate('mute', guest.participantId);
      await expect.poll(() => told, PATIENCE).toEqual(['muted']);
      await moderate('unmute', guest.participantId);
      await expect.poll(() => told, PATIENCE).toEqual(['muted', 'heard']);
      const before = person.loudMs;
      say();
      await expect.poll(() => person.loudMs, PATIENCE).toBeGreaterThan(before + 600);

      await moderate('kick', guest.participantId);
      await expect.poll(() => told.at(-1), PATIENCE).toMatch(/put out|ended/);
      const health = async () => (await fetch(`${server.url}/healthz`)).json();
      await expect.poll(health, PATIENCE).toMatchObject({ sessions: 0 });
    },
    120_000,
  );

  it.skipIf(!hasJanus)('that cannot be joined is said to be so', async () => {
    const clock = new RealClock();
    const options = { clock, janus: `ws://127.0.0.1:${await freePort()}`, room: 1, pin: null, name: 'Ada' };
    const rest = { server: 'http://127.0.0.1:1', key: null, onMuted() {}, onGone() {} };
    await expect(Guest.join({ ...options, ...rest })).rejects.toMatchObject({ code: 'join.janus' });
  });
});
