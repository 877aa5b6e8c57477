/** The stock clients over lines as they are: with packets lost, through a TURN server alone, and with keys. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { SidebandWS } from 'openai/resources/live/sideband/ws';
import { afterEach, expect, it } from 'vitest';
import { openLossyRelay } from '../support/lossy-relay.ts';
import type { VisionEncoderWork } from '../../kernels/engine/index.ts';
import { startLiveServer } from '../support/live-server.ts';
import { describeInBrowser } from './chromium.ts';
import { PATIENCE, videoCallRig, webRtc } from './video-call-rig.ts';

const CANDIDATE = /^(a=candidate:.* 127\.0\.0\.1 )(\d+)( typ host.*)$/gm;
const LOSS = 0.03;
const hasTurn = spawnSync('sh', ['-c', 'command -v turnserver']).status === 0;
if (!hasTurn)
  console.warn('Left out: a call through a TURN server, because turnserver (coturn) is not installed.');

describeInBrowser('a video call of the stock clients', () => {
  const rig = videoCallRig();
  const { answers, all, count, say, events } = rig;
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const task of cleanUp.splice(0).reverse()) await task();
    await rig.page.unrouteAll();
  });

  it('is understood over a line that loses 3 % of its packets', async () => {
    let serverPort = 0;
    const relay = await openLossyRelay({ serverPort: () => serverPort, loss: LOSS, seed: 1 });
    cleanUp.push(() => relay.close());
    await rig.page.route('**/v1/realtime/calls', async route => {
      // Nobody learns of the way around the relay: the offer names no address, the answer the relay's.
      const offer = (route.request().postData() ?? '').replace(/^a=candidate:.*\r\n/gm, '');
      const response = await route.fetch({ postData: offer });
      const body = (await response.text()).replace(CANDIDATE, (_line, before, port, after) => {
        serverPort = Number(port);
        return `${before}${relay.port}${after}`;
      });
      await route.fulfill({ response, body });
    });
    await rig.page.evaluate('window.start()');
    for (const [n, name, answer] of [
      [1, 'sum', 'seven'],
      [2, 'see', 'red circle'],
      [3, 'sum', 'seven'],
    ] as const) {
      await say(name);
      await expect.poll(() => count('output_audio_buffer.stopped'), PATIENCE).toBe(n);
      expect((await answers()).at(-1)).toContain(answer);
    }
    expect(relay.lost).toBeGreaterThan(0);
    expect(relay.lost / (relay.lost + relay.passed)).toBeCloseTo(LOSS, 1);
    expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
    await rig.page.evaluate('window.session.close()');
  }, 240_000);

  it('sees a screen that is shared within the call, as a second track beside the camera', async () => {
    // With devices of its own making Chromium shares a screen of its own making, of another size than the camera's.
    const seen = new Set<string>();
    const server = await startLiveServer({
      ...{ webRtc, webRoot: `${rig.folder}/` },
      onStep: (component, batch) => {
        if (component !== 'visionEncoder') return;
        for (const { frames } of batch as VisionEncoderWork[])
          for (const { height, width } of frames) seen.add(`${width} × ${height}`);
      },
    });
    cleanUp.push(() => server.close());
    await rig.page.goto(server.url);
    const callId = await rig.page.evaluate<string>('window.start()');
    await expect.poll(() => [...seen], PATIENCE).toEqual(['640 × 480']);
    await rig.page.evaluate(`window.share('${callId}')`);
    await expect.poll(() => seen.size, PATIENCE).toBeGreaterThan(1);
    await rig.page.evaluate('window.session.close()');
  }, 240_000);

  it('tells the keys that the page presses to the server at its side', async () => {
    const id = await rig.page.evaluate<string>('window.startLive()');
    const side = new SidebandWS(new OpenAI({ baseURL: `${rig.server.url}/v1`, apiKey: 'any' }), {
      session_id: id,
    });
    const keys: unknown[] = [];
    side.on('transport.dtmf.received', ({ event }) => keys.push(event));
    side.on('error', () => {});
    await new Promise(resolve => side.on('session.started', resolve));
    await rig.page.evaluate(`window.press('4711#')`);
    await expect.poll(() => keys, PATIENCE).toHaveLength(5);
    expect(keys.join('')).toBe('4711#');
    side.send({ type: 'session.close' });
    await expect.poll(() => count('session.closed'), PATIENCE).toBe(1);
  }, 120_000);

  it.skipIf(!hasTurn)(
    'goes through a TURN server, and nowhere else',
    async () => {
      const port = await freePort();
      const state = mkdtempSync(join(tmpdir(), 'longcat-rt-turn-'));
      const turn = spawn(
        'turnserver',
        [
          ...['-n', '--no-tls', '--no-dtls', '--no-cli', '--allow-loopback-peers', '--lt-cred-mech'],
          ...['--user', 'caller:secret', '--realm', 'longcat', '--listening-port', String(port)],
          ...['--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--log-file', 'stdout'],
          ...['--pidfile', join(state, 'pid'), '--userdb', join(state, 'db')],
        ],
        { stdio: 'ignore' },
      );
      cleanUp.push(() => {
        turn.kill();
        rmSync(state, { recursive: true });
      });
      await answersStun(port);
      const urls = `turn:127.0.0.1:${port}?transport=udp`;
      const servers = [{ urls, username: 'caller', credential: 'secret' }];
      await rig.page.evaluate(`window.turn = ${JSON.stringify(servers)}`);
      await rig.page.evaluate('window.start()');
      await say('sum');
      await expect.poll(() => count('output_audio_buffer.stopped'), PATIENCE).toBe(1);
      expect((await answers()).at(-1)).toContain('seven');
      expect(await rig.page.evaluate('window.ways()')).toEqual(['relay']);
      expect(await all('client.error')).toEqual([]);
      await rig.page.evaluate('window.session.close()');
    },
    240_000,
  );
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(() => resolve()));
  return port;
}

/** Until a binding request (RFC 8489 §5) is answered. */
async function answersStun(port: number): Promise<void> {
  const socket = createSocket('udp4');
  let answered = false;
  socket.on('message', () => {
    answered = true;
  });
  const request = Buffer.alloc(20);
  request.writeUInt16BE(1, 0);
  request.writeUInt32BE(0x2112a442, 4);
  await expect
    .poll(() => {
      socket.send(request, port, '127.0.0.1');
      return answered;
    }, PATIENCE)
    .toBe(true);
  socket.close();
}
