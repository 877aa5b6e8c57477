import { expect, it } from 'vitest';
import type { VisionEncoderWork } from '../../kernels/engine/index.ts';
import { type LossyRelay, openLossyRelay } from '../support/lossy-relay.ts';
import { describeInBrowser } from './chromium.ts';
import { heardMs, LONG_REPLY, PATIENCE_MS, pageRig, SENTENCES, state, waitUntilHeard } from './page-rig.ts';

const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
const CANDIDATE = /^(a=candidate:.* 127\.0\.0\.1 )(\d+)( typ host.*)$/gm;

describeInBrowser('the page over WebRTC', () => {
  const { serveScripted, openPage, cleanUp } = pageRig();

  it('takes it where it is offered: captions with the sound, an interruption, camera and screen, and the line’s figures', async () => {
    const widths = new Set<number>();
    const { url } = await serveScripted(
      {
        replies: [LONG_REPLY],
        onStep: (component, batch) => {
          if (component !== 'visionEncoder') return;
          for (const { frames } of batch as VisionEncoderWork[])
            for (const { width } of frames) widths.add(width);
        },
      },
      { webRtc },
    );
    const page = await openPage(url);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#camera');
    await page.click('#screen');
    await page.waitForSelector('#screen-preview:visible');
    await page.waitForSelector(state('agentSpeaking'));
    await waitUntilHeard(page, 1500);
    const spoken = page.locator('.turn.agent .spoken').first();
    expect(SENTENCES.startsWith((await spoken.textContent()) ?? '?')).toBe(true);

    // The caller speaks again: the sound stops, and the caption keeps what was heard.
    await page.waitForSelector('.turn.agent.interrupted .waterfall');
    const kept = (await spoken.textContent()) ?? '?';
    expect(SENTENCES.startsWith(kept)).toBe(true);
    expect(kept.length).toBeLessThan(SENTENCES.length);
    const heard = await heardMs(page);
    await page.waitForSelector('.turn.agent >> nth=1');
    expect(await heardMs(page)).toBeLessThan(heard + 200);
    // The camera's and the screen's are not of one size.
    await expect.poll(() => widths.size, { timeout: PATIENCE_MS }).toBeGreaterThan(1);

    await page.click('#more');
    await page.click('#figures-tab');
    const figure = (name: string) => page.locator(`#figures div:has(dt:text-is("${name}")) dd`).textContent();
    await expect.poll(() => figure('Line'), { timeout: PATIENCE_MS }).toBe('WebRTC');
    await expect.poll(() => figure('Round trip'), { timeout: PATIENCE_MS }).toMatch(/^\d+ ms$/);
    await expect
      .poll(() => figure('Jitter buffer here, there'), { timeout: PATIENCE_MS })
      .toMatch(/^\d+ ms, \d+ ms$/);
    await expect.poll(() => figure('Pictures sent'), { timeout: PATIENCE_MS }).toMatch(/^[1-9]/);
  }, 150_000);

  it('goes on when its network changes, and when it was gone for a moment; reloaded, it ends and begins anew', async () => {
    const { url, runtime } = await serveScripted({ replies: [LONG_REPLY] }, { webRtc });
    const page = await openPage(url);
    const relays: LossyRelay[] = [];
    cleanUp.push(async () => {
      for (const relay of relays) relay.close();
    });
    // Each answer names a relay of its own, and nobody learns of the way around it.
    await page.route('**/v1/realtime/calls**', async route => {
      const offer = (route.request().postData() ?? '').replace(/^a=candidate:.*\r\n/gm, '');
      const response = await route.fetch({ postData: offer });
      let serverPort = 0;
      const relay = await openLossyRelay({ serverPort: () => serverPort, loss: 0, seed: 1 });
      relays.push(relay);
      const body = (await response.text()).replace(CANDIDATE, (_line, before, port, after) => {
        serverPort = Number(port);
        return `${before}${relay.port}${after}`;
      });
      await route.fulfill({ response, body });
    });
    await page.click('#start');
    await page.waitForSelector(state('agentSpeaking'));
    await waitUntilHeard(page, 500);
    // Another address, as a telephone that leaves its WLAN, unasked.
    await relays[0].move();
    const passed = relays[0].passed;
    await expect.poll(() => relays[0].passed - passed, { timeout: PATIENCE_MS }).toBeGreaterThan(100);
    // The way leads nowhere any more; the page asks for another.
    relays[0].close();
    await expect.poll(() => relays.length, { timeout: PATIENCE_MS }).toBe(2);
    await expect.poll(() => relays[1].passed, { timeout: PATIENCE_MS }).toBeGreaterThan(100);
    const health = await (await fetch(`${url}/healthz`)).json();
    expect(health).toMatchObject({ sessions: 1 });
    await page.click('#more');
    await page.click('#figures-tab');
    const figure = (name: string) => page.locator(`#figures div:has(dt:text-is("${name}")) dd`).textContent();
    expect(await figure('Line')).toBe('WebRTC');
    expect(await figure('Lines lost')).toBe('0');

    // Reloaded in the middle of an answer: its session ends, and keeps of the answer what was heard.
    await page.waitForSelector(state('agentSpeaking'));
    const [session] = runtime.sessions.values();
    await page.reload();
    await expect.poll(() => runtime.sessions.size, { timeout: PATIENCE_MS }).toBe(0);
    const answer = session.items.findLast(({ role }) => role === 'assistant')!;
    expect(answer.status).toBe('incomplete');
    const [said] = answer.content;
    expect(said.type === 'audio' && SENTENCES.startsWith(said.transcript ?? '?')).toBe(true);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    expect(runtime.sessions.size).toBe(1);
  }, 150_000);
});
