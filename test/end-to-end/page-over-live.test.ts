/** The page speaks GPT-Live; what it makes of a conversation is in test/web/live-page.test.ts. */
import { expect, it } from 'vitest';
import { describeInBrowser } from './chromium.ts';
import { pageRig } from './page-rig.ts';

describeInBrowser('the page in GPT-Live', () => {
  const { serveScripted, openPage } = pageRig();

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
