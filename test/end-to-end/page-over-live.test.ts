/** The page speaks GPT-Live: over a WebSocket on a large screen, over WebRTC on a small one. SCREENSHOTS=DIR keeps pictures. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './chromium.ts';
import { heardMs, PATIENCE_MS, pageRig, recordStates, state, waitUntilHeard } from './page-rig.ts';

const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
const { SCREENSHOTS } = process.env;
/** One sentence of half a minute: wherever it is cut, it was not at its end. */
const COUNTED = `${Array.from({ length: 90 }, (_, n) => `number ${n + 1}`).join(', ')}.`;

async function picture(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(SCREENSHOTS, `live-${name}-${colorScheme}.png`) });
  }
}

/** As a person does it: the panel, the choice, Start. */
async function startLive(page: Page, line: 'webrtc' | 'websocket', name: string): Promise<void> {
  await page.click('#more');
  await page.selectOption('#protocol', 'live');
  await page.selectOption('#line', line);
  await picture(page, `${name}-settings`);
  await page.click('#close-panel');
  await page.click('#start');
  await page.waitForSelector('body[data-phase="live"]');
}

/** Types that the page's own log shows; the newest first seen last. */
const logged = async (page: Page) => {
  const types = await page.locator('.event .event-type').allTextContents();
  return [...new Set(types)];
};

/** The caller speaks over the answer: it breaks off, stays as it was heard, and what interrupted it is answered. */
async function isInterrupted(page: Page): Promise<void> {
  await page.waitForSelector('.turn.agent.interrupted');
  const first = page.locator('.turn.agent').first();
  const kept = (await first.locator('.spoken').textContent()) ?? '?';
  expect(COUNTED.startsWith(kept.trim())).toBe(true);
  expect(kept.length).toBeLessThan(COUNTED.length);
  const heard = await heardMs(page);
  await page.waitForSelector('.turn.agent >> nth=1');
  expect(await heardMs(page)).toBeLessThan(heard + 200);
  expect(await page.locator('.turn.user').count()).toBeGreaterThan(1);
}

describeInBrowser('the page in GPT-Live', () => {
  const { serveScripted, openPage } = pageRig();

  it('talks, is interrupted, mutes, writes, and its log shows the protocol, whatever the line', async () => {
    const { url } = await serveScripted(
      { replies: [[{ text: COUNTED, frames: 600 }]], captions: true },
      { webRtc },
    );
    const wide = await openPage(url);
    const small = await openPage(url, { viewport: { width: 390, height: 844 }, hasTouch: true });
    await Promise.all([startLive(wide, 'websocket', 'wide'), startLive(small, 'webrtc', 'small')]);
    const states = await Promise.all([wide, small].map(recordStates));
    for (const page of [wide, small]) {
      await page.waitForSelector(state('agentSpeaking'));
      await waitUntilHeard(page, 800);
      await picture(page, page === wide ? 'wide-speaking' : 'small-speaking');
      expect(await page.isVisible('#stop')).toBe(false);
    }
    await Promise.all([wide, small].map(isInterrupted));
    for (const said of await Promise.all(states.map(read => read())))
      expect(said).toEqual(expect.arrayContaining(['Speaking', 'Interrupted']));
    await picture(wide, 'wide-interrupted');
    await picture(small, 'small-interrupted');

    await wide.click('#mute');
    await wide.fill('#text', 'Say it again.');
    await wide.keyboard.press('Enter');
    await wide.waitForSelector('.turn.user:has-text("Say it again.")');
    for (const page of [wide, small]) {
      await page.click('#more');
      await page.click('#events-tab');
      await expect
        .poll(() => logged(page), { timeout: PATIENCE_MS })
        .toContain('session.output_transcript.delta');
      await picture(page, page === wide ? 'wide-events' : 'small-events');
    }
    expect(await logged(wide)).toEqual(
      expect.arrayContaining([
        ...['session.start', 'session.started', 'session.input_audio.append', 'session.output_audio.delta'],
        ...['session.input_transcript.delta', 'session.input_audio.mute', 'session.input_audio.muted'],
        ...['session.commentary.append', 'session.commentary.appended'],
      ]),
    );
    const channel = await logged(small);
    expect(channel).toContain('session.started');
    expect(channel.filter(type => /audio\.(append|delta)|^session\.start$|^error$/.test(type))).toEqual([]);
    expect(await logged(wide)).not.toContain('error');
  }, 150_000);

  it('says what the server refuses, and does not try again', async () => {
    const { url } = await serveScripted({});
    const page = await openPage(url);
    await page.evaluate(`localStorage.setItem('longcat-settings', '{"protocol":"live","line":"websocket"}')`);
    await page.addInitScript(`
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (text) {
        send.call(this, text.replace('"model":"gpt-live-1"', '"model":"gpt-live-1","store":true'));
      };
    `);
    await page.reload();
    await page.click('#start');
    await page.waitForSelector('.notice:has-text("Sessions are not stored here")');
    expect(await page.getAttribute('body', 'data-phase')).toBe('ended');
  }, 120_000);
});
