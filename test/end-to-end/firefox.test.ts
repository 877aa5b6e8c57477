/** A call from Debian's Firefox, headless, by our own transport: a tone that stops as its voice, and a camera. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { startLiveServer } from '../support/live-server.ts';

const PATIENCE = { timeout: 60_000, interval: 100 };
const webRtc = { hosts: [], iceServers: [], ports: null, relayOnly: false };
const hasFirefox = spawnSync('sh', ['-c', 'command -v firefox-esr']).status === 0;
if (!hasFirefox) console.warn('Left out: a call from Firefox, which is not installed (Debian: firefox-esr).');

/** Its own devices are made up, sound plays unasked, and it asks nobody anything. */
const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'network.captive-portal-service.enabled': false,
  'app.update.enabled': false,
};

const PAGE = `<!doctype html><body><script type="module">
import { openWebRtc } from './wire/web-rtc.js';
import { REALTIME_DOOR } from './wire/doors.js';
const tell = body => fetch('/told', { method: 'POST', body: JSON.stringify(body) });
addEventListener('error', ({ message }) => tell({ error: message }));
addEventListener('unhandledrejection', ({ reason }) => tell({ error: String(reason) }));
const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
const [[voice], [camera]] = [stream.getAudioTracks(), stream.getVideoTracks()];
voice.enabled = false;
const line = openWebRtc(REALTIME_DOOR, '', {
  onOpen: () => {
    tell({ type: 'open' });
    setTimeout(() => { voice.enabled = true; }, 500);
    setTimeout(() => { voice.enabled = false; }, 2000);
    setInterval(async () => (await line.network()).jitterBufferMs > 0 && tell({ type: 'heard' }), 500);
  },
  onText: text => tell(JSON.parse(text)),
  onClose: (_code, reason) => tell({ type: 'closed', reason }),
}, {
  microphone: () => voice,
  shown: name => (name === 'camera' ? camera : null),
  onSound: stream => {
    const speaker = document.body.appendChild(new Audio());
    speaker.srcObject = stream;
    speaker.play();
  },
});
</script>`;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

it.skipIf(!hasFirefox)(
  'Firefox is heard, seen and answered, and hears the answer',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-firefox-'));
    const told: { readonly type?: string; readonly error?: unknown }[] = [];
    const seen = new Set<string>();
    const server = await startLiveServer({ webRtc, onStep: component => void seen.add(component) });
    // The page's own server: ours lets no page run what stands within it.
    const site = createServer(async (request, response) => {
      const { method = '', url = '' } = request;
      const body = await text(request);
      if (url === '/told') told.push(JSON.parse(body));
      if (url.startsWith('/v1/')) {
        const headers = { 'content-type': request.headers['content-type'] ?? '' };
        const answer = await fetch(`${server.url}${url}`, { method, headers, body });
        response.writeHead(answer.status, { location: answer.headers.get('location') ?? '' });
        response.end(await answer.text());
      } else if (url.startsWith('/wire/') || url.startsWith('/talk/')) {
        response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join('web', url)));
      } else response.writeHead(200, { 'content-type': 'text/html' }).end(url === '/' ? PAGE : '');
    });
    await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve));
    const siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    const profile = join(folder, 'profile');
    mkdirSync(profile);
    const lines = Object.entries(PREFERENCES).map(
      ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
    );
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
    const firefox = spawn('firefox-esr', ['--headless', '--no-remote', '--profile', profile, siteUrl], {
      ...{ stdio: 'ignore', detached: true, env: { ...process.env, HOME: folder } },
    });
    const over = new Promise(resolve => firefox.on('exit', resolve));
    cleanUp.push(async () => {
      process.kill(-firefox.pid!, 'SIGKILL');
      await over;
      await server.close();
      site.closeAllConnections();
      await new Promise(resolve => site.close(resolve));
      rmSync(folder, { recursive: true, maxRetries: 5, retryDelay: 200 });
    });
    const types = () => [...new Set(told.map(({ type }) => type))];
    await expect.poll(() => JSON.stringify(told), PATIENCE).toContain('open');
    await expect.poll(() => JSON.stringify([...types(), ...seen]), PATIENCE).toContain('ganDecoder');
    await expect
      .poll(types, PATIENCE)
      .toEqual(expect.arrayContaining(['output_audio_buffer.stopped', 'heard']));
    expect(told.filter(({ error, type }) => error !== undefined || type === 'error')).toEqual([]);
  },
  240_000,
);
