import type { TestProject } from 'vitest/node';
import { type BrowserBinary, findBrowser } from './browser.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Null: there is none, the tests that need one are left out. */
    browser: BrowserBinary | null;
  }
}

/**
 * Once a run: finds or fetches the browser, and says at the end, in the last lines, what was not tested without one.
 */
export default async function setUp(project: TestProject): Promise<() => void> {
  const found = await findBrowser();
  project.provide('browser', typeof found === 'string' ? null : found);
  return () => {
    if (typeof found !== 'string') return;
    console.warn(`
NOT TESTED: the page in a browser (test/end-to-end), because there is none: ${found}.
Install one (Debian: apt-get install chromium) or name one (CHROMIUM_PATH=/path/to/chromium), then: npx vitest run test/end-to-end`);
  };
}
