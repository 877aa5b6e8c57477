/** Broadcasters call in, and players listen: a stock WHIP and WHEP client (whip-whep, Medooze's) in Chromium. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLiveServer } from '../support/live-server.ts';
import { runsLongTests } from '../support/long-tests.ts';
import { describeInBrowser } from './chromium.ts';
import { PATIENCE_MS, pageRig } from './page-rig.ts';

const PATIENCE = { timeout: PATIENCE_MS, interval: 100 };
const KEY = 'sk-broadcaster';
const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
const PAGE = `
import { WHIPClient } from './whip.js';
import { WHEPClient } from './whep.js';
const play = connection => {
  connection.ontrack = ({ track }) => {
    const speaker = document.body.appendChild(new Audio());
    speaker.srcObject = new MediaStream([track]);
    void speaker.play();
  };
};
window.publish = async token => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  window.published = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  play(published);
  for (const track of stream.getTracks()) published.addTransceiver(track, { direction: 'sendrecv' });
  window.whip = new WHIPClient();
  await whip.publish(published, new URL('/whip', location), token);
  return whip.resourceURL.pathname.split('/').at(-1);
};
window.view = async (id, token) => {
  window.viewed = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  play(viewed);
  viewed.addTransceiver('audio', { direction: 'recvonly' });
  window.whep = new WHEPClient();
  await whep.view(viewed, new URL('/whep/' + id, location), token);
};
window.energy = async connection => {
  const reports = [...(await connection.getStats()).values()];
  return reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')?.totalAudioEnergy ?? 0;
};
window.way = async connection => {
  const reports = [...(await connection.getStats()).values()];
  const { remoteCandidateId } = reports.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded') ?? {};
  return reports.find(({ id }) => id === remoteCandidateId)?.usernameFragment;
};
window.isLoaded = true;
`;

describeInBrowser('a WHIP client', () => {
  const { folder, openPage, cleanUp } = pageRig();

  it.runIf(runsLongTests)(
    'is heard, seen and answered, restarts ICE, is listened to, and hangs up',
    async () => {
      for (const name of ['whip.js', 'whep.js'])
        cpSync(join('node_modules/whip-whep', name), join(folder, name));
      const seen = new Set<string>();
      const server = await startLiveServer({
        ...{ webRtc, webRoot: `${folder}/`, keys: [KEY] },
        onStep: component => void seen.add(component),
      });
      cleanUp.push(() => server.close());
      const page = await openPage(`${server.url}/nothing`);
      await page.route('**/', route =>
        route.fulfill({
          contentType: 'text/html',
          body: `<body><script type="module">${PAGE}</script>`,
        }),
      );
      await page.goto(`${server.url}/`);
      await page.waitForFunction('window.isLoaded');
      await expect(page.evaluate('publish("wrong")')).rejects.toThrow('401');
      const id = await page.evaluate<string>(`publish('${KEY}')`);
      expect(id).toMatch(/^rtc_/);
      await expect
        .poll(() => [...seen].sort(), PATIENCE)
        .toEqual(expect.arrayContaining(['ganDecoder', 'visionEncoder']));
      await expect.poll(() => page.evaluate('energy(published)'), PATIENCE).toBeGreaterThan(0.001);

      await page.evaluate(`view('${id}', '${KEY}')`);
      await expect.poll(() => page.evaluate('energy(viewed)'), PATIENCE).toBeGreaterThan(0.001);

      const before = await page.evaluate('way(published)');
      await page.evaluate('whip.restart()');
      await expect.poll(() => page.evaluate('way(published)'), PATIENCE).not.toBe(before);
      expect(await page.evaluate('published.iceConnectionState')).toMatch(/connected|completed/);
      const heard = await page.evaluate<number>('energy(published)');
      await expect.poll(() => page.evaluate('energy(published)'), PATIENCE).toBeGreaterThan(heard);

      await page.evaluate('whep.stop()');
      await page.evaluate('whip.stop()');
      const health = async () =>
        (await (await fetch(`${server.url}/healthz`)).json()) as { readonly sessions: number };
      await expect.poll(async () => (await health()).sessions, PATIENCE).toBe(0);
    },
    150_000,
  );
});
