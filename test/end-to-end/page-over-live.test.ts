/** The page speaks GPT-Live. SCREENSHOTS=DIR keeps pictures. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './chromium.ts';
import { PATIENCE_MS, pageRig, recordStates, state, waitUntilHeard } from './page-rig.ts';

const PATIENCE = { timeout: PATIENCE_MS, interval: 100 };
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
async function startLive(page: Page): Promise<void> {
  await page.click('#more');
  await page.selectOption('#protocol', 'live');
  await page.selectOption('#line', 'websocket');
  await picture(page, 'settings');
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
  const cut = page.locator('.turn.agent.interrupted').first();
  await cut.waitFor();
  const kept = (await cut.locator('.spoken').textContent()) ?? '?';
  // On a slow machine it may have begun within the caller's pause, and anew: both beginnings stand there then.
  for (const begun of kept.split(/(?<!^)(?=number 1,)/)) expect(COUNTED.startsWith(begun.trim())).toBe(true);
  expect(kept.length).toBeLessThan(COUNTED.length);
  const heardMs = async () => Number(await cut.getAttribute('data-heard-ms'));
  const heard = await heardMs();
  await page.waitForSelector('.turn.agent.interrupted ~ .turn.agent');
  expect(await heardMs()).toBeLessThan(heard + 200);
  expect(await page.locator('.turn.user').count()).toBeGreaterThan(1);
}

describeInBrowser('the page in GPT-Live', () => {
  const { serveScripted, openPage } = pageRig();

  it('talks, is interrupted, mutes, writes, and its log shows the protocol', async () => {
    const { url } = await serveScripted({ replies: [[{ text: COUNTED, frames: 600 }]], captions: true });
    const page = await openPage(url);
    await startLive(page);
    const states = await recordStates(page);
    await page.waitForSelector(state('agentSpeaking'));
    await waitUntilHeard(page, 800);
    await picture(page, 'speaking');
    expect(await page.isVisible('#stop')).toBe(false);
    await isInterrupted(page);
    // Each answer is interrupted.
    await expect.poll(states, PATIENCE).toEqual(expect.arrayContaining(['Speaking', 'Interrupted']));
    await picture(page, 'interrupted');

    await page.click('#mute');
    await page.fill('#text', 'Say it again.');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.turn.user:has-text("Say it again.")');
    await page.click('#more');
    await page.click('#events-tab');
    const log = [
      ...['session.start', 'session.started', 'session.input_audio.append', 'session.output_audio.delta'],
      ...['session.input_transcript.delta', 'session.output_transcript.delta', 'session.commentary.append'],
      ...['session.input_audio.mute', 'session.input_audio.muted', 'session.commentary.appended'],
    ];
    await expect.poll(() => logged(page), PATIENCE).toEqual(expect.arrayContaining(log));
    expect(await logged(page)).not.toContain('error');
    await picture(page, 'events');
  }, 200_000);

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
