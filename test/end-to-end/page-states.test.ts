/**
 * Every state of the page, in both themes, on a large and on a small screen: nothing for axe-core to find, every
 * control as large as a finger, and the focus somewhere. SCREENSHOTS=DIR keeps a picture of each.
 */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { describeInBrowser } from './chromium.ts';
import { AXE, checkOnBoth, SCREENS } from './page-check.ts';
import { holdToTalk, PATIENCE_MS, pageRig, state, waitUntilHeard } from './page-rig.ts';

const REPLY = [{ text: 'One, two, three, four, five. Six, seven, eight, nine, ten.', frames: 90 }];

const focused = (page: Page) => page.evaluate<string>('document.activeElement.id');

describeInBrowser('the page in all its states', () => {
  const { serveScripted, openPage } = pageRig();

  describe('on a large and on a small screen', () => {
    const open = async (url: string) => {
      const page = await openPage(url, SCREENS.mobile);
      await page.evaluate(AXE);
      return page;
    };

    it('is in order from the start to the end of a spoken conversation', async () => {
      const { url } = await serveScripted({ replies: [REPLY] });
      const page = await open(url);
      await page.waitForSelector('.example');
      await checkOnBoth(page, 'start');

      await page.evaluate(`
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const allowed = new Promise(allow => { window.allow = allow; });
      navigator.mediaDevices.getUserMedia = async wanted => { await allowed; return open(wanted); };
    `);
      await page.focus('#start');
      await page.keyboard.press('Enter');
      await page.waitForSelector('body[data-phase="connecting"]');
      await checkOnBoth(page, 'connecting');
      expect(await focused(page)).toBe('start');
      expect(await page.getAttribute('#mute', 'aria-pressed')).toBe('false');
      await page.evaluate('allow()');
      await page.waitForSelector('body[data-phase="live"]');
      expect(await focused(page)).toBe('mute');
      await checkOnBoth(page, 'listening');

      await page.waitForSelector(state('userSpeaking'));
      await checkOnBoth(page, 'user-speaking');
      await page.waitForSelector(state('agentSpeaking'));
      await waitUntilHeard(page, 500);
      await checkOnBoth(page, 'agent-speaking');
      await page.click('#stop');
      await page.waitForSelector('.turn.agent.interrupted .waterfall');
      await page.click('.waterfall summary >> nth=0');
      await checkOnBoth(page, 'interrupted');
      await page.click('#mute');
      await page.click('#camera');
      await page.click('#screen');
      await page.waitForSelector('#camera-preview:visible');
      await page.waitForSelector('#screen-preview:visible');
      await checkOnBoth(page, 'muted-with-camera-and-screen');

      await page.fill('#text', 'What do you see?');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.turn.user:has-text("What do you see?")');
      await checkOnBoth(page, 'written');
      // Watched from before the click: what was said may be short.
      const replaying = page.waitForSelector(state('replaying'));
      await Promise.all([replaying, page.locator('.turn.agent .play').first().click()]);
      await checkOnBoth(page, 'replaying');

      await page.click('#more');
      for (const part of ['settings', 'figures', 'events', 'files']) {
        await page.click(`#${part}-tab`);
        if (part === 'events') await page.click('.event summary >> nth=1');
        await checkOnBoth(page, part);
      }
      await page.click('#close-panel');
      expect(await focused(page)).toBe('more');
      await page.focus('#end');
      await page.keyboard.press('Enter');
      await page.waitForSelector('body[data-phase="ended"]');
      expect(await focused(page)).toBe('start');
      await checkOnBoth(page, 'ended');
    }, 300_000);

    it('is in order where one holds to talk, where something is wrong, and where the server is gone', async () => {
      const { url, close } = await serveScripted({ replies: [REPLY] }, { socketServer: 'ws' });
      const page = await open(url);
      await page.click(holdToTalk);
      await page.click('#start');
      await page.waitForSelector('#talk:visible');
      await checkOnBoth(page, 'hold');
      await page.focus('#talk');
      await page.keyboard.down('Space');
      await page.waitForSelector('#talk.held');
      await checkOnBoth(page, 'held');
      await page.keyboard.up('Space');
      await page.waitForSelector('.turn.agent');

      // Watched from before the end: on a slow machine the page may have tried everything by the time the server is
      // closed.
      const noticed = page.waitForSelector('body[data-phase="reconnecting"]');
      await Promise.all([noticed, close()]);
      await checkOnBoth(page, 'reconnecting');
      expect(await focused(page)).not.toBe('');
      for (let tries = 0; tries < 20 && (await page.isVisible('#try-now')); tries++)
        await page.click('#try-now', { timeout: 1000 }).catch(() => {});
      await page.waitForSelector('.notice');
      expect(await page.getAttribute('body', 'data-phase')).toBe('ended');
      await checkOnBoth(page, 'given-up');
      await page.click('text=Dismiss');
      expect(await focused(page)).toBe('start');
    }, 300_000);
  });

  it('reads each turn out once, when its words are final, not word by word', async () => {
    const { url } = await serveScripted({ replies: [REPLY] });
    const page = await openPage(url);
    await page.evaluate(`
    window.changes = 0;
    new MutationObserver(records => { window.changes += records.length; })
      .observe(document.getElementById('announcer'), { childList: true, subtree: true, characterData: true });
  `);
    await page.fill('#text', 'Count to ten.');
    await page.keyboard.press('Enter');
    const told = () => page.locator('#announcer p').allTextContents();
    await expect
      .poll(told, { timeout: PATIENCE_MS })
      .toEqual(['Connected. You can write.', `Agent: ${REPLY[0].text}`]);
    expect(await page.evaluate('changes')).toBe(2);
    const live = '[aria-live]:not([aria-live=off]), [role=status], [role=log]';
    expect(await page.locator('#conversation').locator(live).count()).toBe(0);
  }, 120_000);

  it('darkens words as they are heard, never ahead of the sound', async () => {
    const { url } = await serveScripted({ replies: [REPLY] });
    const page = await openPage(url);
    // Looked at by the page itself, at each of its changes and from before the first: whoever asks from outside may
    // come late.
    await page.evaluate(`
      window.dark = [];
      const look = () => {
        const turn = document.querySelector('.turn.agent');
        const length = turn?.querySelector('.spoken')?.textContent.length;
        if (length !== undefined) dark.push({ heardMs: Number(turn.dataset.heardMs), length });
      };
      const all = { childList: true, subtree: true, characterData: true, attributes: true };
      new MutationObserver(look).observe(document.getElementById('conversation'), all);
    `);
    await page.fill('#text', 'Count to ten.');
    await page.keyboard.press('Enter');
    const seen = () => page.evaluate<{ heardMs: number; length: number }[]>('dark');
    await expect
      .poll(async () => (await seen()).at(-1)?.length, { timeout: PATIENCE_MS })
      .toBe(REPLY[0].text.length);
    const dark = await seen();
    // The scripted sound has one level, so its words lie in it evenly; half a second of slack for their lengths.
    const msPerCharacter = (REPLY[0].frames * 60) / REPLY[0].text.length;
    for (const { heardMs, length } of dark)
      expect(length * msPerCharacter).toBeLessThanOrEqual(heardMs + 500);
    expect(new Set(dark.map(({ length }) => length)).size).toBeGreaterThan(4);
  }, 120_000);
});
