/** A person watches a telephone call on the page and listens to it, while a fake Twilio brings it. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { createRandom, RealClock } from '../../actors/core/index.ts';
import { FakeCall } from '../../cli/fake-carrier/fake-call.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { openWire } from '../../cli/fake-carrier/wire.ts';
import { listeningDoor } from '../../protocols/listening-in/index.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { voice } from '../support/voice.ts';
import { describeInBrowser } from './chromium.ts';
import { AXE, check, SCREENS } from './page-check.ts';
import { PATIENCE_MS, pageRig } from './page-rig.ts';

const REPLY = [{ text: 'Five and seven make twelve, and there is more where that came from.', frames: 60 }];

/** A caller who speaks for 1.2 s of every five. */
async function call(url: string) {
  const words = CODECS['mu-law'].encode(voice(1200, 8000));
  let at = 0;
  const parameters = { from: '+15005550006', to: '+442071838750' };
  const ids = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1' };
  const holder: { call: FakeCall | null } = { call: null };
  const wire = await openWire({
    url: `${url.replace('http', 'ws')}/twilio`,
    onFrame: frame => holder.call?.receive(frame),
    onClose() {},
  });
  holder.call = new FakeCall({
    ...{ side: new TwilioSide({ ...ids, parameters }), clock: new RealClock(), random: createRandom(1) },
    send: frame => wire.send(frame),
    speech: () => {
      const frame = words.subarray(at, at + 160);
      at = (at + 160) % 40_000;
      return frame.length === 160 ? frame : null;
    },
  });
  return () => {
    holder.call!.hangUp();
    wire.close();
  };
}

const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();

describeInBrowser('the page of telephone calls', () => {
  const { cleanUp, openPage, serveScripted } = pageRig();

  it('lists calls with masked numbers, shows what is said and where the time went, and plays both voices', async () => {
    const doors = [
      twilioDoor({ authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS }),
      listeningDoor({ numbers: 'masked' }),
    ];
    const { url } = await serveScripted({ replies: [REPLY], captions: true }, { doors });
    const pages = [await openPage(url, SCREENS.desktop), await openPage(url, SCREENS.mobile)];
    for (const page of pages) {
      await page.locator('#phone-calls').click();
      await page.locator('#none').waitFor();
      await page.evaluate(AXE);
    }
    const end = await call(url);
    cleanUp.push(async () => end());
    for (const [n, screen] of (['desktop', 'mobile'] as const).entries()) {
      const page = pages[n];
      await page.locator('.call').click();
      await page.locator('.turn.agent .waterfall').first().waitFor({ timeout: PATIENCE_MS });
      expect(await text(page, 'watched-name')).toBe('+•••••••••06');
      expect(await text(page, 'conversation')).toContain('Five and seven make twelve');
      expect(await text(page, 'conversation')).not.toContain('0006');
      await page.locator('#sound').click();
      await expect
        .poll(() => page.locator('#sound').getAttribute('data-level'), { timeout: PATIENCE_MS })
        .toBe('sounds');
      await check(page, screen, 'calls-watched');
    }
    end();
    for (const page of pages) {
      await expect.poll(() => text(page, 'watched-state'), { timeout: PATIENCE_MS }).toMatch(/^Over/);
      await page.locator('#none').waitFor({ timeout: PATIENCE_MS });
    }
  }, 120_000);
});
