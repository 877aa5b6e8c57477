import { expect, it } from 'vitest';
import { describeInBrowser } from './chromium.ts';
import { heardMs, LONG_REPLY, PATIENCE_MS, pageRig, SENTENCES, state, waitUntilHeard } from './page-rig.ts';

const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };

describeInBrowser('the page over WebRTC', () => {
  const { serveScripted, openPage } = pageRig();

  it('takes it where it is offered: captions with the sound, an interruption, the camera, and the line’s figures', async () => {
    const pictures = new Set<number>();
    const { url } = await serveScripted(
      {
        replies: [LONG_REPLY],
        onStep: (component, batch) => component === 'visionEncoder' && pictures.add(batch.length),
      },
      { webRtc },
    );
    const page = await openPage(url);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#camera');
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
    await expect.poll(() => pictures.size, { timeout: PATIENCE_MS }).toBeGreaterThan(0);

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
});
