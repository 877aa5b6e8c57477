/**
 * A page as it looks now, in both themes: nothing for axe-core to find, every control as large as a finger, nothing
 * wider than the screen. SCREENSHOTS=DIR keeps a picture of each.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { SCREENSHOTS } = process.env;
/** What the style guides of touch screens ask for. */
const TOUCH_PX = 44;

export const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  mobile: { viewport: { width: 390, height: 844 }, hasTouch: true },
};
export type Screen = keyof typeof SCREENS;

/** @param isFirst what was looked at on another screen already is the same there, its colours and places aside */
export async function check(page: Page, screen: Screen, name: string, isFirst = true): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page
      .evaluate('Promise.all(document.getAnimations().map(animation => animation.finish?.()))')
      .catch(() => {});
    const isAll = isFirst && colorScheme === 'light';
    const only = isAll ? '' : ", { runOnly: ['color-contrast'] }";
    const violations = await page.evaluate(
      `axe.run(document${only}).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(node => node.target + ' ' + node.failureSummary).join('; ')))`,
    );
    expect(violations, `${name}, ${screen}, ${colorScheme}`).toEqual([]);
    if (SCREENSHOTS) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${screen}-${colorScheme}.png`) });
    }
  }
  expect(await smallTargets(page), `${name}, ${screen}`).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), name).toBe(true);
}

/** On one screen after the other; what follows is done on the last of them, where there is the least room. */
export async function checkOnBoth(page: Page, name: string): Promise<void> {
  for (const screen of ['desktop', 'mobile'] as const) {
    await page.setViewportSize(SCREENS[screen].viewport);
    await check(page, screen, name, screen === 'desktop');
  }
}

/** Controls in sight that are too small for a finger. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(`
    [...document.querySelectorAll('button, input, select, textarea, summary')]
      .filter(node => node.checkVisibility({ visibilityProperty: true }))
      .map(node => ({ node, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width < ${TOUCH_PX} || box.height < ${TOUCH_PX})
      .map(({ node, box }) => (node.id || node.className || node.tagName) + ' ' + box.width + ' × ' + box.height)
  `);
}
